#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures mcid beside a minimal C reader and xinput, in one run on one machine, and prints a table
# with the aims. About ten minutes. Exit code 1 only when something is broken or an event was lost.
#
#   BUILD_DIR  where mcid and mcictl are; without it they are built for release
#   RATE       events a second of the load (1000)      LOAD  seconds of one load (20)
#   ROUNDS     loads for each program, medians count (3)
#   WORKDAY    seconds of the synthetic workday (180)  PAUSES  pauses whose answer is timed (200)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
rate=${RATE:-1000} load=${LOAD:-20} rounds=${ROUNDS:-3} workday=${WORKDAY:-180}
quiet=10 pauses=${PAUSES:-200} short=3 long=13

for tool in cc Xvfb xinput valgrind python3; do
    command -v "$tool" > /dev/null || { echo "run.sh: $tool is missing" >&2; exit 1; }
done
if [[ -z ${BUILD_DIR:-} ]]; then
    release=(swift build -c release --static-swift-stdlib)
    for product in mcid mcictl; do "${release[@]}" --product "$product" >&2; done
    BUILD_DIR=$("${release[@]}" --show-bin-path)
fi
bin=$(cd "$BUILD_DIR" && pwd)

tmp=$(mktemp -d)
clean_up() {
    local left
    left=$(jobs -p)
    # shellcheck disable=SC2086
    if [[ -n $left ]]; then kill $left 2> /dev/null || true; wait 2> /dev/null || true; fi
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

say() { echo "bench: $*" >&2; }
broken() { say "$*"; sed 's/^/  /' "$tmp"/*.log >&2 || true; exit 1; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
over() { awk -v a="$1" -v b="$2" -v d="${3:-2}" 'BEGIN { printf "%.*f", d, b ? a / b : 0 }'; }
cpu() { cut -d' ' -f1 "/proc/$1/schedstat"; }  # nanoseconds
wakes() { awk '/^voluntary/ { print $2 }' "/proc/$1/status"; }
memory() { awk -v k="$2:" '$1 == k { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }
status() {
    "$bin/mcictl" status --json | python3 -c '
import functools, json, sys
print(functools.reduce(lambda o, k: o[k], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}

cc -O2 -Wall -o "$tmp/reader" "$here/reader.c" -lX11 -lXi
cc -O2 -Wall -o "$tmp/hand" "$here/hand.c" -lX11 -lXtst -lm

# A desktop and a home that exist for this run only.
unset WAYLAND_DISPLAY XAUTHORITY NOTIFY_SOCKET WATCHDOG_USEC JOURNAL_STREAM
export HOME=$tmp XDG_SESSION_TYPE=x11
export XDG_STATE_HOME=$tmp/state XDG_CONFIG_HOME=$tmp/config XDG_RUNTIME_DIR=$tmp/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
Xvfb -noreset -nolisten tcp -screen 0 1920x1080x24 -displayfd 3 3> "$tmp/display" 2> /dev/null &
for _ in {1..100}; do [[ -s $tmp/display ]] && break; sleep 0.1; done
[[ -s $tmp/display ]] || broken "Xvfb does not start"
DISPLAY=:$(< "$tmp/display")
export DISPLAY

socket=$XDG_RUNTIME_DIR/mci/control
start_mcid() {  # a command to run it under may be given
    rm -f "$socket"
    "$@" "$bin/mcid" 2> "$tmp/mcid.log" &
    mcid=$!
    for _ in {1..300}; do
        [[ -S $socket && $("$bin/mcictl" status --json) == *'"recording"'* ]] && return
        sleep 0.1
    done 2> /dev/null
    broken "mcid does not record"
}
stop() { kill "$1" && wait "$1" 2> /dev/null || true; }

# One load: notes CPU per event and wakeups a second of process $2 under the name $1.
measure() {
    local cpu0 wakes0
    cpu0=$(cpu "$2") wakes0=$(wakes "$2")
    sent=$("$tmp/hand" "$rate" "$load")
    echo "$(over $(($(cpu "$2") - cpu0)) $((sent * 1000)))" >> "$tmp/$1.cpu"
    echo "$(over $(($(wakes "$2") - wakes0)) "$load" 1)" >> "$tmp/$1.wakes"
    echo "$(memory "$2" VmRSS) $(memory "$2" VmHWM)" > "$tmp/$1.memory"
}

# Wakeups a second of mcid while a command of $quiet seconds runs.
wakes_during() {
    local before
    before=$(wakes "$mcid")
    "$@" > /dev/null
    over $(($(wakes "$mcid") - before)) "$quiet" 1
}

# User instructions per event of a program: a long load less a short one, so the start cancels out.
instructions() {
    local name=$1 length process count=() total=()
    shift
    for length in "$short" "$long"; do
        valgrind --tool=callgrind --callgrind-out-file="$tmp/callgrind" "$@" \
            > /dev/null 2> "$tmp/valgrind.log" &
        process=$!
        sleep 6
        count+=("$("$tmp/hand" "$rate" "$length")")
        stop "$process"
        total+=("$(awk '/^totals:/ { print $2 }' "$tmp/callgrind")")
    done
    [[ -n ${total[1]:-} ]] || broken "no instruction count for $name"
    over $((total[1] - total[0])) $((count[1] - count[0])) 0 > "$tmp/$name.instructions"
}

"$bin/mcictl" consent --accept > /dev/null 2> "$tmp/consent.log" || broken "no consent"
start_mcid
sleep 2
say "idle, $quiet s"
idle=$(wakes_during sleep "$quiet")
for round in $(seq "$rounds"); do
    say "round $round of $rounds: mcid, reader, xinput, $load s each"
    before=$(status events.seen)
    measure mcid "$mcid"
    seen=$(($(status events.seen) - before))
    [[ $seen -eq $sent ]] || broken "mcid saw $seen of $sent events"
    "$bin/mcictl" pause 1h > /dev/null
    "$tmp/reader" > "$tmp/count" & reader=$!
    sleep 0.5
    measure reader "$reader"
    stop "$reader"
    [[ $(< "$tmp/count") -eq $sent ]] || broken "the reader saw $(< "$tmp/count") of $sent events"
    xinput test-xi2 --root > /dev/null & xinput=$!
    sleep 0.5
    measure xinput "$xinput"
    stop "$xinput"
    "$bin/mcictl" resume > /dev/null
done
admitted=$(status events.admitted) total=$(status events.seen)
batches=$(status ring.batches) perEvent=$(over "$(status ring.bytes)" "$admitted")

say "latency of $pauses pauses"
"$tmp/hand" "$rate" 600 > /dev/null & hand=$!
sleep 1
latency=$(python3 "$here/pause.py" "$socket" "$pauses") || broken "no pause latency"
stop "$hand"
say "paused with input, $quiet s"
"$bin/mcictl" pause 1h > /dev/null
sleep 2
paused=$(wakes_during "$tmp/hand" "$rate" "$quiet")
"$bin/mcictl" forget --all --yes > /dev/null
"$bin/mcictl" resume > /dev/null

say "workday, $workday s"
before=$(status events.admitted)
"$tmp/hand" workday "$workday" > /dev/null
"$bin/mcictl" pause 1h > /dev/null
sleep 1
dayEvents=$(($(status events.admitted) - before))
dayBatches=$(status ring.batches) dayPerEvent=$(over "$(status ring.bytes)" "$dayEvents")
"$bin/mcictl" resume > /dev/null
stop "$mcid"

say "instructions: mcid, reader, xinput, mcid with a full ring"
# Valgrind cannot read Swift's debug information.
strip -g -o "$tmp/mcid" "$bin/mcid"
instructions mcid "$tmp/mcid"
instructions reader "$tmp/reader"
instructions xinput xinput test-xi2 --root
python3 "$here/fill.py" "$XDG_STATE_HOME/mci/ring.db"
instructions full "$tmp/mcid"

row() { printf '%-28s %9s %9s %7s %9s   %s\n' "$@"; }
of() { cut -d' ' -f"$2" "$tmp/$1.memory"; }
compare() {  # title, aim, and the figures of mcid, reader and xinput
    row "$1" "$3" "$4" "$(over "$3" "$4")" "$5" "$2"
}
echo
row "" mcid reader ratio xinput aim
compare "CPU µs per event" "ratio <= 2" \
    "$(median "$tmp/mcid.cpu")" "$(median "$tmp/reader.cpu")" "$(median "$tmp/xinput.cpu")"
compare "user instructions per event" "ratio <= 2" \
    "$(< "$tmp/mcid.instructions")" "$(< "$tmp/reader.instructions")" "$(< "$tmp/xinput.instructions")"
compare "  the same, ring full" "ratio <= 2" \
    "$(< "$tmp/full.instructions")" "$(< "$tmp/reader.instructions")" "$(< "$tmp/xinput.instructions")"
compare "wakeups/s at $rate events/s" "<= 20" \
    "$(median "$tmp/mcid.wakes")" "$(median "$tmp/reader.wakes")" "$(median "$tmp/xinput.wakes")"
compare "RSS MB" "<= 16" "$(of mcid 1)" "$(of reader 1)" "$(of xinput 1)"
compare "peak RSS MB" "" "$(of mcid 2)" "$(of reader 2)" "$(of xinput 2)"
row "wakeups/s idle" "$idle" "" "" "" "0"
row "wakeups/s paused, with input" "$paused" "" "" "" "0"
row "pause answered, ms, p50" "${latency% *}" "" "" "" ""
row "pause answered, ms, p99" "${latency#* }" "" "" "" "<= 10"
row "bytes/event, even noise" "$perEvent" "" "" "" "$batches batches"
row "bytes/event, workday" "$dayPerEvent" "" "" "" "<= 1.0 ($dayEvents events, $dayBatches batches)"
row "events admitted" "$admitted" "" "" "" "of $total sent, none lost"
