#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures mcid beside a minimal C reader, xinput and pynput, in one run on one machine, and prints
# each table with its aims as soon as it is measured. About a quarter of an hour; two minutes with SHORT=1,
# which tells whether something went wrong and no more. Exit code 1 only when something is broken or an
# event was lost.
#
#   SHORT      set to anything: short loads, and no count of instructions
#   BUILD_DIR  where mcid and mcictl are; without it they are built for release
#   RATES      events a second of the loads (1000 125)  LOAD  seconds of one load (20)
#   ROUNDS     loads for each program, medians count (3)
#   FLOOD      events after which the memory is compared (10000000)
#   WORKDAY    seconds of the synthetic workday (180)  PAUSES  pauses whose answer is timed (200)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
if [[ -n ${SHORT:-} ]]; then
    : "${RATES:=1000}" "${LOAD:=5}" "${ROUNDS:=1}" "${FLOOD:=1000000}" "${WORKDAY:=20}" "${PAUSES:=50}"
fi
read -ra rates <<< "${RATES:-1000 125}"
rate=${rates[0]} load=${LOAD:-20} rounds=${ROUNDS:-3} workday=${WORKDAY:-180} flood=${FLOOD:-10000000}
quiet=10 pauses=${PAUSES:-200} short=3 long=43
[[ -z ${SHORT:-} ]] || quiet=5
tunables=glibc.cpu.x86_rep_stosb_threshold=0x7fffffff:glibc.cpu.x86_rep_movsb_threshold=0x7fffffff
# Seconds after which mcid has read everything.
unread=5

for tool in cc Xvfb xinput valgrind python3; do
    command -v "$tool" > /dev/null || { echo "run.sh: $tool is missing" >&2; exit 1; }
done
if [[ -z ${BUILD_DIR:-} ]]; then
    release=(swift build -c release --static-swift-stdlib)
    for product in mcid mcictl mci-ring-bench; do "${release[@]}" --product "$product" >&2; done
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
# Of all threads.
cpu() { cat "/proc/$1"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f", n }'; }  # nanoseconds
wakes() { cat "/proc/$1"/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }'; }
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
server=$!
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

# One load at $rate: notes under the name $1 the CPU per event, the wakeups a second and the share of
# a core of process $2, and what the X server needs per event.
measure() {
    local name=$1.$rate cpu0 server0 wakes0 used
    cpu0=$(cpu "$2") server0=$(cpu "$server") wakes0=$(wakes "$2")
    sent=$("$tmp/hand" "$rate" "$load")
    # What waits at the server is read, and counts.
    [[ $1 != mcid ]] || sleep "$unread"
    used=$(($(cpu "$2") - cpu0))
    over "$used" $((sent * 1000)) >> "$tmp/$name.cpu"
    over "$used" $((load * 10000000)) >> "$tmp/$name.share"
    over $(($(cpu "$server") - server0)) $((sent * 1000)) >> "$tmp/$name.server"
    over $(($(wakes "$2") - wakes0)) "$load" 1 >> "$tmp/$name.wakes"
    for file in cpu share server wakes; do echo >> "$tmp/$name.$file"; done
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
# Those with which mcid stores what is sealed are also counted alone. The first start is not counted,
# for it finds other files than the next ones. Callgrind would count an instruction that fills memory
# once for each byte: libc is told to use others.
instructions() {
    local name=$1 length process count=() total=() stored=()
    shift
    for length in "$short" "$short" "$long"; do
        GLIBC_TUNABLES=$tunables valgrind --tool=callgrind --callgrind-out-file="$tmp/callgrind" "$@" \
            > /dev/null 2> "$tmp/valgrind.log" &
        process=$!
        sleep 6
        count+=("$("$tmp/hand" "$rate" "$length")")
        sleep "$unread"
        kill -0 "$process" 2> /dev/null || broken "$name ended under valgrind"
        stop "$process"
        total+=("$(awk '/^totals:/ { print $2 }' "$tmp/callgrind")")
        stored+=("$(callgrind_annotate --inclusive=yes --threshold=100 "$tmp/callgrind" 2> /dev/null \
            | awk '/[$]s7Storage4RingC3put/ { gsub(",", "", $1); n = $1 > n ? $1 : n } END { print n + 0 }')")
    done
    [[ -n ${total[2]:-} ]] || broken "no instruction count for $name"
    over $((total[2] - total[1])) $((count[2] - count[1])) 0 > "$tmp/$name.instructions"
    over $((stored[2] - stored[1])) $((count[2] - count[1])) 0 > "$tmp/$name.stored"
}

row() { printf '%-28s %9s %9s %9s %9s   %s\n' "$@"; }
of() { cut -d' ' -f"$2" "$tmp/$1.memory"; }
four() {  # title, aim, and a command that prints the figure of a program
    row "$1" "$("${@:3}" mcid)" "$("${@:3}" reader)" "$("${@:3}" xinput)" "$("${@:3}" pynput)" "$2"
}
at() { median "$tmp/$3.$2.$1"; }
server_at() { over "$(at server "$1" "$2")" 1 2; }
count_of() { cat "$tmp/$1.instructions"; }
sealed() { echo $(($(count_of "$1") - $(< "$tmp/$1.stored"))); }
resident() { of "$1" 1; }
peak() { of "$1" 2; }
ratios() {  # mcid's CPU at $1 events a second beside the others'
    local mine
    mine=$(at cpu "$1" mcid)
    row "  mcid's part of it" 1 "$(over "$mine" "$(at cpu "$1" reader)")" \
        "$(over "$mine" "$(at cpu "$1" xinput)")" "$(over "$mine" "$(at cpu "$1" pynput)")" "$2"
}
"$bin/mcictl" consent --accept > /dev/null 2> "$tmp/consent.log" || broken "no consent"
"$bin/mcictl" set synthetic-keys on --yes > /dev/null 2>&1 || broken "synthetic keys stay off"
say "the loads type through XTEST, so synthetic-keys is on"
start_mcid
sleep 2
say "idle, $quiet s"
idle=$(wakes_during sleep "$quiet")
for rate in "${rates[@]}"; do
    for round in $(seq "$rounds"); do
        say "round $round of $rounds at $rate/s: mcid, nobody, reader, xinput, pynput, $load s each"
        before=$(status events.seen)
        measure mcid "$mcid"
        seen=$(($(status events.seen) - before))
        [[ $seen -eq $sent ]] || broken "mcid saw $seen of $sent events"
        "$bin/mcictl" pause 1h > /dev/null
        measure nobody "$$"
        "$tmp/reader" > "$tmp/count" & reader=$!
        sleep 0.5
        measure reader "$reader"
        stop "$reader"
        [[ $(< "$tmp/count") -eq $sent ]] || broken "the reader saw $(< "$tmp/count") of $sent"
        xinput test-xi2 --root > /dev/null & xinput=$!
        sleep 0.5
        measure xinput "$xinput"
        stop "$xinput"
        PYTHONPATH=.build-python python3 "$here/listen.py" "$tmp/lines" > "$tmp/count" & pynput=$!
        sleep 2
        measure pynput "$pynput"
        stop "$pynput"
        pynputSeen=$(< "$tmp/count") pynputSent=$sent
        "$bin/mcictl" resume > /dev/null
    done
    echo
    row "" mcid reader xinput pynput aim
    four "CPU µs/event at $rate/s" "" at cpu "$rate"
    aim="reader <= 2, xinput <= 0.1, pynput <= 0.1"
    [[ $rate -ge 1000 ]] || aim="pynput <= 0.2"
    ratios "$rate" "$aim"
    four "% of a core" "" at share "$rate"
    four "wakeups/s" "<= 20" at wakes "$rate"
    four "X server, µs/event" "$(at server "$rate" nobody) with nobody listening" server_at "$rate"
done
rate=${rates[0]}
admitted=$(status events.admitted) total=$(status events.seen)
batches=$(status ring.batches) perEvent=$(over "$(status ring.bytes)" "$admitted")
four "RSS MB" "<= 16" resident
four "peak RSS MB" "" peak
row "wakeups/s idle" "$idle" "" "" "" "0"
row "bytes/event, even noise" "$perEvent" "" "" "" "$batches batches"
row "events admitted" "$admitted" "" "" "" "of $total sent, none lost"
row "pynput's lines" "" "" "" "$pynputSeen" "of $pynputSent"
echo

say "latency of $pauses pauses"
"$tmp/hand" "$rate" 600 > /dev/null & hand=$!
sleep 1
latency=$(python3 "$here/pause.py" "$socket" "$pauses") || broken "no pause latency"
stop "$hand"
say "paused with input, $quiet s"
"$bin/mcictl" pause 1h > /dev/null
sleep 2
paused=$(wakes_during "$tmp/hand" "$rate" "$quiet")
row "pause answered, ms, p50" "${latency% *}" "" "" "" ""
row "pause answered, ms, p99" "${latency#* }" "" "" "" "<= 10"
row "wakeups/s paused, with input" "$paused" "" "" "" "0"
echo
"$bin/mcictl" forget --all --yes > /dev/null
"$bin/mcictl" resume > /dev/null

say "workday, $workday s"
before=$(status events.admitted)
"$tmp/hand" workday "$workday" > /dev/null
sleep "$unread"
"$bin/mcictl" pause 1h > /dev/null
sleep 1
dayEvents=$(($(status events.admitted) - before))
dayBatches=$(status ring.batches) dayPerEvent=$(over "$(status ring.bytes)" "$dayEvents")
row "bytes/event, workday" "$dayPerEvent" "" "" "" "<= 1.0 ($dayEvents events, $dayBatches batches)"
echo
"$bin/mcictl" resume > /dev/null

say "memory after $flood events"
"$tmp/hand" flood 1000000 > /dev/null
sleep 1
early=$(memory "$mcid" VmRSS)
before=$(status events.seen)
"$tmp/hand" flood "$flood" > /dev/null
sleep "$unread"
late=$(memory "$mcid" VmRSS)
seen=$(($(status events.seen) - before))
[[ $seen -eq $flood ]] || broken "mcid saw $seen of $flood events"
stop "$mcid"
row "RSS MB after 10^6, $flood" "$early" "" "" "" "$late"
echo

# A short load would count the sealing of one batch for a few events.
[[ -z ${SHORT:-} ]] || exit 0

say "instructions: mcid, reader, xinput, mcid with a full ring"
# Valgrind cannot read Swift's debug information.
strip -g -o "$tmp/mcid" "$bin/mcid"
# Nor does it run in the sandbox, whose filter costs nothing per event.
instructions mcid "$tmp/mcid" --no-sandbox
instructions reader "$tmp/reader"
instructions xinput xinput test-xi2 --root
# Python under valgrind keeps up with fewer events.
rate=125
export PYTHONPATH=.build-python
instructions pynput "$(python3 -c 'import sys; print(sys.executable)')" "$here/listen.py" "$tmp/lines"
rate=${rates[0]}
"$bin/mci-ring-bench" --fill "$XDG_STATE_HOME/mci" 64
instructions full "$tmp/mcid" --no-sandbox

row "" mcid reader xinput pynput aim
four "user instructions/event" "" count_of
row "  up to the sealed batch" "$(sealed mcid)" "" "" "" "<= 1500"
row "  the same, ring full" "$(sealed full)" "" "" "" "<= 1500 ($(< "$tmp/full.instructions") with storing)"
