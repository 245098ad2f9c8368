#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What mcid calls, from traces of the tests, against what the unit lets it call, and no network socket.

    make trace, or: MCI_TRACE=/tmp/traces swift test --filter DaemonTests && calls.py /tmp/traces

Exit code 1 where a call is not allowed, a socket is not AF_UNIX or goes to another than an X server, a
program was started or the identity was opened. Not traced are the few runs whose test is a tracer itself or whose service manager is real.
"""
import collections
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent.parent
unit = (root / "systemd/mcid.service").read_text()
# What mcid's own filter forbids whatever the arguments are.
never = set(re.findall(r"NEVER\((\w+)\)", (root / "Sources/CLinux/seccomp.c").read_text())) - {"call"}
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


names = [name for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M) for name in line.split()]
allowed = calls("@default").union(*map(calls, names))
seen, sockets, bad, runs = (collections.Counter() for _ in range(4))
for path in pathlib.Path(sys.argv[1]).iterdir():
    runs["all"] += 1
    for line in path.open(errors="replace"):
        call = re.match(r"\d+ +([a-z]\w*)\(", line)
        if not call:
            continue
        name, failed = call[1], " = -1 " in line
        if name == "kill" and re.match(r"(\d+) +kill\(\1, SIGKILL\)", line):
            continue  # Tests/Proofs/faults.c, where a kill at a certain call is the fault
        seen[name] += 1
        if failed:
            continue
        if name in ("socket", "socketpair"):
            family = re.search(r"\((\w+)", line)[1]
            sockets[family] += 1
            bad[line] += family != "AF_UNIX"
        if name == "connect":
            bad[line] += not re.search(r'sun_path=@?"[^"]*/\.X11-unix/X\d+"', line)
        if name.startswith("open") or name == "creat":
            # With the file that the descriptor has, whatever the path was.
            bad[line] += bool(re.search(r"/mci/identity\b", line))
        if name in ("execve", "execveat"):
            runs["started"] += 1
            bad[line] += not re.search(r'execve\("[^"]*/mcid"', line)
        elif name in never:
            bad[line] += 1
bad = +bad
# SQLite calls fchown for root alone, whom the tests may be.
missing = sorted(set(seen) - allowed - {"fchown"})
print(f"{runs['all']} runs of mcid, {seen.total()} calls, {len(seen)} kinds; not allowed by the unit: "
      f"{', '.join(missing) or 'none'}")
print(f"sockets made: {dict(sockets)}; the identity opened, a program started, another socket,\n"
      f"  somebody but an X server spoken to, or what mcid's own filter forbids: {bad.total()}")
print("allowed and not seen, of what is named alone:",
      ", ".join(n for n in names if not n.startswith("@") and n not in seen) or "none")
for name in (n for n in names if n.startswith("@")):
    used = sorted(calls(name) & set(seen))
    print(f"  {name}: {len(used)} of {len(calls(name))} seen: {', '.join(used)}")
for line in list(bad)[:10]:
    print(line, end="")
sys.exit(1 if missing or bad or not sockets or runs["all"] != runs["started"] else 0)
