# SPDX-License-Identifier: Apache-2.0
# Sourced by the demonstrations: a private X server in a temporary home, which goes when they end.

home=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$home"' EXIT
export HOME="$home" XDG_STATE_HOME="$home/state" XDG_CONFIG_HOME="$home/config" \
    XDG_RUNTIME_DIR="$home/run"
unset WAYLAND_DISPLAY XDG_SESSION_TYPE

mkfifo "$home/display"
Xvfb -displayfd 3 -noreset -nolisten tcp 3>"$home/display" 2>/dev/null &
pids+=($!)
read -r number <"$home/display"
export DISPLAY=":$number"

step() { printf '\n$ %s\n' "$*"; "$@"; }

# Starts mcid, and an application in front for the scripted hand.
record() {
    mcid 2>"$home/log" &
    pids+=($!)
    for _ in $(seq 100); do mcictl status >/dev/null 2>&1 && break; sleep 0.05; done
    xlogo 2>/dev/null &
    pids+=($!)
    window=$(xdotool search --sync --onlyvisible --class XLogo | head -n 1)
    xdotool windowfocus --sync "$window"
    sleep 0.3
}
