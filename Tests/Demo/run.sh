#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make run`: records on the person's own display after asking, or, where there is none, on a
# private X server with a scripted hand in a throw-away home.
set -euo pipefail

PATH="${BUILD_DIR:?}:$PATH"
export SWIFT_BACKTRACE=enable=no

if [ -n "${DISPLAY:-}" ]; then
    if ! mcictl consent --show >/dev/null 2>&1; then
        mcictl consent || exit 0
    fi
    echo "Recording in this terminal until Ctrl+C. In another terminal, with PATH=\"$BUILD_DIR:\$PATH\":"
    echo "  mcictl status · mcictl pause 5m · mcictl log · mcictl forget --last 10m"
    exec mcid
fi

echo "There is no display, so this is a demonstration on a private X server, in a temporary home."
# shellcheck source=Tests/Demo/screen.sh
. "$(dirname "$0")/screen.sh"

step mcictl consent --accept
echo
echo "The scripted hand types through XTEST, like a program; by default, only that it typed is recorded."
step mcictl set synthetic-keys on --yes
record

echo
echo "The hand types, presses Ctrl+S, moves, clicks and scrolls; pauses, types, resumes and types again."
xdotool type --delay 15 'hello from a scripted hand'
xdotool key ctrl+s
for _ in $(seq 40); do xdotool mousemove_relative 4 3; done
xdotool click 1 click 4
sleep 0.3
step mcictl pause 30m
xdotool type --delay 15 'this is not recorded'
sleep 1
step mcictl resume
xdotool windowfocus "$window"
sleep 0.3
xdotool type --delay 15 'and this is'
sleep 0.3
step mcictl status

printf '\n$ mcictl log\n'
mcictl log >"$home/rows" 2>"$home/summary"
head -n 12 "$home/rows"
echo "…"
grep -n 'nothing recorded for .*: paused' "$home/rows" | cut -d: -f2- || { echo "The pause left no gap."; exit 1; }
echo "…"
tail -n 6 "$home/rows"
cat "$home/summary"
