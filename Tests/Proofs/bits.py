#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One changed bit, anywhere but in what is sealed, costs nothing: with mcid and mcictl as they are installed.

    bits.py PROGRAMS [--flips 2000] [--seed 1]

A bit of a row's cells, of page 1, of a record of the head, of the marks, the controls or the accounts of a
stopped recorder is changed; then `mcictl verify`, mcid, and `mcictl export`. Exit code 1 where an event of
before is missing, the change is named by neither verify, status nor the log, a start takes longer than 2 s
or more than 64 MiB, or a program ends by a signal. Every bit in turn, in process: *no single bit costs a
batch, ends a program or goes unnamed*.
"""
import argparse
import collections
import pathlib
import random
import shutil
import sys
import time

from desk import (PAGE, PROOF, SEALED, Desk, Home, copy_programs, make_template, numbers, work_folder)

FILES = ["ring.db", "ring.db.head", "marks", "controls.json", "accounts.json"]


def places(home):
    """For each kind of file the places whose bits may be changed: (file, offset)."""
    found = collections.defaultdict(list)
    for name in FILES:
        path = home.state / name
        if not path.exists():
            continue
        data = path.read_bytes()
        if name != "ring.db":
            found[name] = [(path, offset) for offset in range(len(data))]
            continue
        for start in range(0, len(data), PAGE):
            if start == 0:
                found["page 1"] = [(path, offset) for offset in range(PAGE)]
            elif numbers(data[start:start + PAGE]):
                cell = PAGE - PROOF - SEALED
                found["row"] += [(path, start + at) for at in (*range(10), *range(cell - 24, cell), *range(PAGE - PROOF, PAGE))]
    marks = home.config / "public/marks"
    if marks.exists():
        found["public/marks"] = [(marks, offset) for offset in range(marks.stat().st_size)]
    return found


def flip(path, offset, bit):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.chmod(0o600)
    path.write_bytes(data)


def events(home):
    answer = home.mcictl("export")
    return answer.returncode, collections.Counter(answer.stdout.splitlines())


def judge(home, before):
    """What went wrong, and how long and how large the start was."""
    wrong = []
    verified = home.mcictl("verify", "--json")
    named = verified.returncode != 0
    begin = time.monotonic()
    code = home.start()
    seconds = time.monotonic() - begin
    if code is not None and code not in (77, 78):
        wrong.append(f"mcid does not start ({code})")
    if code is None:
        status = home.status() or {}
        named = named or bool(status.get("notices")) or status.get("state") == "closed"
        peak = next(int(line.split()[1]) for line in open(f"/proc/{home.process.pid}/status") if line.startswith("VmHWM"))
        if peak > 64 << 10:
            wrong.append(f"{peak >> 10} MiB")
    if seconds > 2:
        wrong.append(f"a start of {seconds:.1f} s")
    code, after = events(home)
    if missing := before - after:
        wrong.append(f"export ({code}): {sum(missing.values())} events are missing")
    if (code := home.stop()) not in (0, None, 77, 78):
        wrong.append(f"mcid ends with {code}")
    log = (home.base / "log").read_text()
    named = named or "<3>" in log or "<4>" in log or any(
        word in log for word in ("damaged", "put back", "removed", "changed unexpectedly"))
    if verified.returncode < 0:
        wrong.append(f"verify ends by signal {-verified.returncode}")
    if not named:
        wrong.append("unnamed")
    return wrong, seconds


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("programs", type=pathlib.Path)
    options.add_argument("--flips", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    folder, desk = pathlib.Path(work_folder()), Desk()
    home = Home(folder / "home", desk, copy_programs(options.programs, folder))
    chance, failures, slowest = random.Random(options.seed), 0, 0.0
    try:
        template = folder / "template"
        make_template(home, template, 12)
        home.reset(template)
        _, before = events(home)
        assert before
        kinds = list(places(home).items())
        begin = time.monotonic()
        for done in range(options.flips):
            home.reset(template)
            kind, found = kinds[done % len(kinds)]
            path, offset = chance.choice(found)
            bit = chance.randrange(8)
            flip(path, offset, bit)
            wrong, seconds = judge(home, before)
            slowest = max(slowest, seconds)
            if wrong:
                failures += 1
                print(f"FAILED {kind}: bit {bit} of byte {offset} of {path.name}", *wrong, sep="\n    ", flush=True)
            if done % 100 == 99:
                print(f"{done + 1} of {options.flips}, {time.monotonic() - begin:.0f} s", flush=True)
        print(f"\n{options.flips} bits in {', '.join(k for k, _ in kinds)}: {failures} failures; "
              f"the slowest start took {slowest:.2f} s; {time.monotonic() - begin:.0f} s")
        return 1 if failures else 0
    finally:
        home.stop(9)
        desk.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
