#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mutates files for each reader: run.sh <program> <runs> <folder for corpora>
# Fails, and leaves the input, at a crash, a broken promise, a second for one input, or 512 MiB.
set -euo pipefail

program=$(realpath "$1")
runs=$2
mkdir -p "$3"
cd "$3"
# libFuzzer keeps the input only when Swift does not handle the crash first.
export SWIFT_BACKTRACE=enable=no
limits=(-timeout=1 -rss_limit_mb=512)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Longer inputs find nothing more, for the harness fills pages and batches up itself.
for target in control:1200 row:1200 age-header:900 payload:1200 xauthority:600 server:1200 replies:1200 \
    export:1200 ring:1200 bus:1200 note:2400 release:1200; do
    case " ${TARGETS:-${target%:*}} " in *" ${target%:*} "*) ;; *) continue ;; esac
    name=${target%:*}
    mkdir -p "$name/seeds" "$name/corpus"
    "$program" seeds "$name" "$name/seeds"
    options=("${limits[@]}" -artifact_prefix="$name/")
    # Each seed whole, also the bombs that are too long to be mutated.
    if ! "$program" "$name" "${options[@]}" "$name"/seeds/* >"$log" 2>&1 \
        || ! "$program" "$name" "${options[@]}" -max_len="${target#*:}" -runs="$runs" \
            -print_final_stats=1 "$name/corpus" "$name/seeds" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$name: failed; the input is in $3/$name"
        exit 1
    fi
    echo "$name: $(grep -E '^#[0-9]+.DONE' "$log" | tr -s '\t ' ' '), $(
        sed -n 's/^stat::peak_rss_mb: */peak MiB /p' "$log")"
done
