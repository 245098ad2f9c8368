#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What mcid calls, from traces of the tests, against what the unit lets it call, and no network socket.

    MCI_TRACE=/tmp/traces swift test --filter DaemonTests && calls.py /tmp/traces

Exit code 1 where a call is not allowed, a socket is not AF_UNIX, or the identity was opened.
"""
import pathlib
import re
import subprocess
import sys

unit = (pathlib.Path(__file__).resolve().parent.parent.parent / "systemd/mcid.service").read_text()
groups, current = {}, None
for line in subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True,
                           check=True).stdout.splitlines():
    if line.startswith("@"):
        current = groups.setdefault(line.strip(), set())
    elif line.startswith("    ") and not line.strip().startswith("#"):
        current.add(line.strip())


def calls(name):
    if not name.startswith("@"):
        return {name}
    return set().union(*map(calls, groups[name]))


allowed = calls("@default")
for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
    allowed |= set().union(*map(calls, line.split()))
seen, bad, files = {}, [], 0
for path in pathlib.Path(sys.argv[1]).iterdir():
    files += 1
    for line in path.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +([a-z]\w*)\(", line)
        if not call:
            continue
        seen[call[1]] = seen.get(call[1], 0) + 1
        done = " = -1 " not in line
        if done and call[1] in ("socket", "socketpair") and "(AF_UNIX" not in line:
            bad.append(line)
        if done and call[1] in ("open", "openat") and "mci/identity" in line:
            bad.append(line)
# SQLite calls fchown for root alone, whom the tests may be.
missing = sorted(set(seen) - allowed - {"fchown"})
print(f"{files} runs of mcid, {sum(seen.values())} calls, {len(seen)} kinds, "
      f"{seen.get('socket', 0)} sockets; not allowed by the unit: {missing or 'none'}; forbidden: {len(bad)}")
for line in bad[:10]:
    print(line)
sys.exit(1 if missing or bad or not seen else 0)
