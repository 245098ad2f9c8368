#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What writing and reading the ring costs, beside a plain SQLite table and a strong compressor, in one
# run on one machine. About three minutes.
#
#   BUILD_DIR  where mci-ring-bench, mcictl and libmci-sqlite.so are    RING  MiB of the ring that is read (64)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"${BUILD_DIR:?}/mci-ring-bench" "$tmp" "${RING:-64}" | tee "$tmp/figures"
rm -f "$tmp"/write-*

python3 "$here/ring.py" "$tmp"
/usr/bin/python3 "$here/query.py" "$BUILD_DIR" "$tmp"
