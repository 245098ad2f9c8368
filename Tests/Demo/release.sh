#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make run-release`: records on a private X server, grants a purpose, drafts, reviews and approves a
# release, trains a small model on it, shows the trace, withdraws, and sees the job fail.
set -euo pipefail

PATH="${BUILD_DIR:?}:$PATH"
demo=$(cd "$(dirname "$0")" && pwd)
export SWIFT_BACKTRACE=enable=no

# shellcheck source=Tests/Demo/screen.sh
. "$demo/screen.sh"

say() { printf '\n# %s\n' "$*"; }

say "A recording of a scripted hand, as make run makes it."
mcictl consent --accept >/dev/null
mcictl set synthetic-keys on --yes >/dev/null
record
for _ in 1 2 3; do
    xdotool type --delay 15 'a secret that stays here'
    xdotool key Tab key Return key ctrl+c key ctrl+v key Down
    xdotool mousemove_relative 40 30 click 1 click 4
    sleep 0.2
done
mcictl log --summary
# What follows a text is stored at the end of its step of five seconds.
sleep 6

say "The organisation and its steward sign a purpose; the reader authority certifies a job."
office="$home/office"
mkdir "$office"
authority=$(mci-read key new example.org/purposes --out "$office/authority.key")
steward=$(mci-read key new works-council.example.org --out "$office/steward.key")
readers=$(mci-read key new example.org/readers --out "$office/readers.key")
reader=$(mci-read key new example.org/train-v3 --out "$office/job.key")
sed "s|@AUTHORITY@|$authority|; s|@STEWARD@|$steward|; s|@READERS@|$readers|" "$demo/../../Sources/Release/purpose.example.json" \
    >"$office/purpose.json"
mci-read purpose make "$office/purpose.json" --key "$office/authority.key" --out "$office/p.purpose"
mci-read purpose sign "$office/p.purpose" --key "$office/steward.key"
mci-read certify --purpose "$office/p.purpose" --reader "$reader" --person "R. Reader" --team research \
    --job train-v3 --key "$office/readers.key" --out "$office/job.certificate"

say "The person: imports it, grants it, drafts a release, looks at it, approves those bytes."
step mcictl release purposes import "$office/p.purpose"
step mcictl release grant spreadsheet-model --set place=none --yes
mci-holder 2>"$home/holder.log" &
pids+=($!)
step mcictl release draft --since 10m
step mcictl release review --no-open
digest=$(mcictl release review --json | sed -n 's/.*"digest": *"\([0-9a-f]*\)".*/\1/p')
step mcictl release approve "$digest"
grep -raq 'secret\|xlogo\|XLogo' "$XDG_STATE_HOME/mci/outbox" && { echo "The outbox is not sealed."; exit 1; }
step mcictl release list

say "The program: a training job opens it. Before that, the holder writes down who and why."
cp -r "$XDG_STATE_HOME/mci/outbox" "$office/copy"
job() {
    mci-read run --store "$office/copy" --holder "$XDG_STATE_HOME/mci/holder/program" \
        --purpose "$office/p.purpose" --key "$office/job.key" --certificate "$office/job.certificate" \
        --reason "train the next-step model, version 3" --read "$demo" --out "$1" -- \
        python3 "$demo/next_action.py"
}
printf '\n$ mci-read run … -- python3 next_action.py\n'
job "$office/out"
ls "$office/out" "$office/out.run"

say "The person sees it, and takes it back."
step mcictl release trace
step mcictl release withdraw spreadsheet-model --yes

say "The same job, with its copy of the release from before: nothing opens."
if job "$office/again" 2>"$home/refused"; then echo "It opened after the withdrawal."; exit 1; fi
cat "$home/refused"
printf '\n$ mci-read purge … --contains "model version 3"\n'
mci-read purge --store "$XDG_STATE_HOME/mci/outbox" --run "$office/out" --key "$office/job.key" \
    --contains "model version 3"
step mcictl release trace
echo
echo "Done: recorded, granted, reviewed, released, opened with a trace, withdrawn."
