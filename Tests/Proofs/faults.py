#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever call on a file fails, and however, every promise holds after the next start.

A dry run of each scenario lists every call of mcid and mcictl that changes a file of the state or the
configuration. Then the scenario runs once for each call and each fault (SIGKILL at the call, ENOSPC,
EIO, EROFS, EDQUOT, a write of half the bytes) until the fault has struck and its step is over; then
mcid is started once, without faults, and everything it promised is looked at.

    faults.py PROGRAMS              everything; PROGRAMS is the folder of mcid and mcictl
    faults.py PROGRAMS --every 25   a sample
    faults.py PROGRAMS --only 'evict mcid 17 EIO'    one run again, as a failure names it

Exit code 1 when a promise was broken. Needs Xvfb, cc, libfaketime; strace, where it is there, tells
whether the list of calls is complete.
"""
import argparse
import collections
import errno
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time

from desk import (APP, ORIGIN, SYNTHETIC_KEYS, Desk, Home, batches, build_shim, contents, copy_programs,
                  make_template, traces, work_folder)

FAULTS = ["KILL", "ENOSPC", "EIO", "EROFS", "EDQUOT", "SHORT"]
# Files that may be there at the end; a draft that was cut short is overwritten by the next.
KNOWN = re.compile(
    r"state(/mci/(ring\.db(|-wal|-shm|\.head|\.damaged)|controls\.json(\.lock|\.damaged)?"
    r"|accounts\.json(\.damaged)?|marks|device\.key(\.lock)?|mcid\.pid))?|config(/mci/(identity|lock|public/(recipients|marks|settings\.json)))?")
DRAFT = re.compile(r".*\.new(-wal|-shm|-journal)?")


class Promised:
    """What mcictl was answered, which must hold, and what may hold as well."""

    def __init__(self):
        self.pause, self.consent = {False}, {False}
        self.lines, self.gone = set(), set()
        self.broken = []

    def try_(self, answered, name, value):
        setattr(self, name, {value} if answered else getattr(self, name) | {value})


class Scenario:
    """A sequence of steps in a home; each tells what it promised."""

    def __init__(self, home, template, names):
        self.home, self.template, self.names = home, template, names

    def begin(self):
        self.home.reset(self.template)
        self.promised = Promised()
        self.before = dict(batches(self.home.ring))
        if self.template:
            self.promised.consent = {True}

    def run(self, name, extra):
        getattr(self, name)(extra)
        if self.home.size() > self.home.cap():
            self.promised.broken.append(f"after {name} all files have {self.home.size()} bytes")

    def ask(self, extra, *arguments):
        return self.home.mcictl(*arguments, extra=extra(f"mcictl@{self.step}"))

    # Steps. `extra` gives the environment by which the shim knows a process.

    def accept(self, extra):
        self.promised.try_(self.ask(extra, "consent", "--accept").returncode == 0, "consent", True)
        self.home.settle()

    def withdraw(self, extra):
        answered = self.ask(extra, "consent", "--withdraw").returncode == 0
        self.promised.try_(answered, "consent", False)

    def small(self, extra):
        self.ask(extra, "set", "ring-size", "3M")
        self.ask(extra, *SYNTHETIC_KEYS)

    def timing(self, extra):
        self.ask(extra, "set", "key-detail", "activity")

    def start(self, extra):
        self.home.start(extra("mcid"))
        self.home.settle()

    def log(self, extra):
        self.home.desk.type("F1", "F2", "F3")
        answer = self.ask(extra, "log", "--json", "--since", "5m")
        if answer.returncode == 0:
            self.promised.lines |= {seen(line) for line in answer.stdout.splitlines()}

    def export(self, extra):
        self.home.desk.type("F4", "F5", "F6")
        target = self.home.base / "export.jsonl"
        if self.ask(extra, "export", "--since", "5m", "--out", target).returncode == 0:
            self.promised.lines |= {seen(line) for line in target.read_text().splitlines()}
            target.unlink()

    def forget(self, extra):
        found = self.new_batches()
        answer = self.ask(extra, "forget", "--last", "1m", "--yes")
        self.promised.lines = set()
        if answer.returncode == 0 and answer.stdout.startswith("Erased") and "traces" not in answer.stderr:
            self.promised.gone |= found

    def pause(self, extra):
        self.promised.try_(self.ask(extra, "pause", "30m").returncode == 0, "pause", True)

    def resume(self, extra):
        self.promised.try_(self.ask(extra, "resume").returncode == 0, "pause", False)
        self.home.settle()

    def stop(self, extra):
        self.home.stop()

    def new_batches(self):
        files = [self.home.ring, self.home.ring.with_name("ring.db-wal")]
        return {b for f in files for b in batches(f) if b[0] not in self.before}

    # The judgement.

    def judge(self):
        """Starts mcid without faults and says which promises were broken."""
        home, promised = self.home, self.promised
        broken = list(promised.broken)
        home.stop()
        if self.home.cap() > 64 << 19:
            # Looking at the default size would take half a minute.
            home.mcictl("set", "ring-size", "3M")
        code = home.start()
        if code == 78 and False in promised.consent:
            # A consent that was never answered may have left no key: the next one makes it.
            if home.mcictl("consent", "--accept").returncode != 0:
                return broken + ["no consent can be given any more"]
            promised.try_(True, "consent", True)
            code = home.start()
        if code is not None:
            log = (home.base / "log").read_text().splitlines()
            return broken + [f"mcid does not start ({code}): {log[-1] if log else ''}"]
        status = home.mcictl("status", "--json")
        if status.returncode != 0:
            broken.append(f"status says {status.returncode}: {status.stderr.strip()}")
        else:
            self.judge_state(json.loads(status.stdout), broken)
        answer = home.mcictl("export", "--since", "5m")
        if answer.returncode != 0 and promised.lines:
            broken.append(f"export: {answer.stderr.strip()}")
        missing = promised.lines - {seen(line) for line in answer.stdout.splitlines()}
        if missing:
            broken.append(f"{len(missing)} answered events are missing, as {sorted(missing)[0]}")
        if home.ring.exists():
            self.judge_verify(broken)
        if (code := home.stop()) != 0:
            broken.append(f"mcid ends with {code}")
        if home.ring.exists():
            self.judge_ring(broken)
        files = contents(home.files)
        broken += [f"forgotten batch {n} in {traces(b, files)}" for n, b in promised.gone if traces(b, files)]
        broken += [f"plaintext in {name}" for name, data in files.items() if APP.encode() in data]
        broken += [f"stray file {name}" for name in files
                   if not KNOWN.fullmatch(name) and not DRAFT.fullmatch(name)]
        if home.size() > home.cap():
            broken.append(f"all files have {home.size()} bytes")
        return broken

    def judge_state(self, status, broken):
        found = self.home.controls()
        if found is None:
            return broken.append("the controls cannot be read")
        for what, answered in (("pause", self.promised.pause), ("consent", self.promised.consent)):
            if found[what] not in answered:
                broken.append(f"{what}: {found[what]}, answered was {answered}")
        wanted = "closed" if not found["consent"] else "paused" if found["pause"] else "recording"
        if status["state"] != wanted:
            broken.append(f"status is {status['state']} ({status['reason']}), not {wanted}")

    def judge_verify(self, broken):
        answer = self.home.mcictl("verify", "--json")
        try:
            found = json.loads(answer.stdout)
        except ValueError:
            return broken.append(f"verify: {answer.stderr.strip()}")
        if answer.returncode != 0 or found["incomplete"]:
            broken.append(f"verify: {answer.stdout.strip()}")
        self.lost = found["lost"]

    def judge_ring(self, broken):
        with sqlite3.connect(self.home.ring) as ring:
            if (answer := ring.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                broken.append(f"integrity: {answer}")
            rows = dict(ring.execute("SELECT seq - ?, sealed FROM ring", (ORIGIN,)))
            count = ring.execute("SELECT count(*) FROM ring").fetchone()[0]
        ring.close()
        # Only the newest batches take the place of the oldest.
        lost = [n for n, b in self.before.items() if n > max(rows) - count and rows.get(n) != b]
        if lost:
            broken.append(f"{len(lost)} older batches are gone, as {lost[0]}")

    def play(self, fault_in=None, at=0, kind=None, hit=None, listing=None):
        """Runs the steps, up to the one in which the fault strikes; whether it struck."""
        def extra(name):
            shim = {"LD_PRELOAD": SHIM, "FAULT_DIR": str(self.home.files), "FAULT_NAME": name}
            if listing:
                shim["FAULT_LIST"] = str(listing)
            if name == fault_in:
                number = {"KILL": "kill", "SHORT": "short"}.get(kind) or str(getattr(errno, kind))
                shim |= {"FAULT_AT": str(at), "FAULT_KIND": number, "FAULT_HIT": str(hit)}
            return shim
        self.begin()
        for place, name in enumerate(self.names):
            self.step = f"{place}-{name}"
            if listing:
                listing.open("a").write(f"# {self.step}\n")
            self.run(name, extra)
            if hit and hit.exists():
                hit.unlink()
                return True
        return False


def seen(line):
    """An exported line without what only export tells, and log does not."""
    event = json.loads(line)
    event.pop("keysym", None)
    return json.dumps(event, sort_keys=True)


def sites(scenario, name, folder):
    """The calls of a scenario: (scenario, program, ordinal, step, call, file, size)."""
    listing = folder / "calls"
    listing.unlink(missing_ok=True)
    scenario.play(listing=listing)
    scenario.home.stop()
    found, step = [], ""
    for line in listing.read_text().splitlines():
        if line.startswith("# "):
            step = line[2:]
            continue
        program, ordinal, call, path, size = line.split("\t")
        file = str(pathlib.Path(path).relative_to(scenario.home.files))
        found.append((name, program, int(ordinal), step, call, file, int(size)))
    broken = scenario.judge()
    if broken:
        sys.exit(f"The scenario {name} breaks promises without any fault: {broken}")
    return found


def thinned(found):
    """Of a long run of equal calls, such as the pages of a new ring, the ends and every 16th."""
    kept, run = [], []
    def end():
        kept.extend(s for i, s in enumerate(run) if i < 3 or i >= len(run) - 2 or i % 16 == 0)
        run.clear()
    for site in found:
        if run and (site[1], *site[3:]) != (run[-1][1], *run[-1][3:]):
            end()
        run.append(site)
    end()
    return kept


def strace_count(scenario, folder):
    """How many such calls strace sees; None without strace."""
    if not shutil.which("strace"):
        return None
    trace = folder / "strace"
    names = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,truncate,rename,renameat,renameat2,unlink" \
        ",unlinkat,mkdir,mkdirat,link,symlink,fallocate,copy_file_range,sendfile,sync_file_range"
    scenario.home.wrapper = ["strace", "-f", "-y", "-A", "-o", str(trace), "-e", f"trace={names}"]
    trace.unlink(missing_ok=True)
    shim = scenario.play()
    scenario.home.stop()
    scenario.home.wrapper = []
    lines = [line for line in trace.read_text().splitlines() if str(scenario.home.files) in line]
    return collections.Counter(
        re.sub(r"64|at2?$", "", re.match(r"\d+ +(\w+)", line)[1]).replace("mkdirat", "mkdir")
        for line in lines if " = -1 E" not in line)


def main():
    global SHIM
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("programs", type=pathlib.Path)
    options.add_argument("--every", type=int, default=1, help="run every K-th only")
    options.add_argument("--begin", type=int, default=0, help="with the run of this number")
    options.add_argument("--only", help="one run: 'scenario program ordinal fault'")
    options.add_argument("--list", action="store_true", help="only list the calls")
    options = options.parse_args()
    folder = pathlib.Path(work_folder())
    SHIM = build_shim(folder)
    desk = Desk()
    try:
        home = Home(folder / "home", desk, copy_programs(options.programs, folder))
        make_template(home, folder / "full")
        make_template(home, folder / "part", 30)
        scenarios = {
            "first": Scenario(home, None, ["small", "accept", "start", "log", "stop"]),
            "evict": Scenario(home, folder / "full", [
                "start", "log", "forget", "log", "timing", "export", "stop"]),
            "will": Scenario(home, folder / "part", [
                "start", "log", "pause", "resume", "withdraw", "accept", "log", "stop", "pause", "resume",
                "forget", "withdraw"]),
        }
        return prove(scenarios, folder, options)
    finally:
        home.stop(9)
        desk.close()
        shutil.rmtree(folder)


def prove(scenarios, folder, options):
    if options.only:
        name, program, ordinal, kind = options.only.split()
        struck, broken = once(scenarios[name], folder, program, int(ordinal), kind)
        print("struck" if struck else "not reached", *broken, sep="\n  ")
        return 1 if broken or not struck else 0
    all_, kept = [], []
    for name, scenario in scenarios.items():
        found = sites(scenario, name, folder)
        all_ += found
        kept += thinned(found)
        count = strace_count(scenario, folder)
        calls = collections.Counter(s[4] for s in found if s[4] != "creat")
        print(f"{name}: the shim sees {dict(sorted(calls.items()))}")
        print(f"{name}: strace sees   {dict(sorted(count.items())) if count else 'nothing: it is missing'}")
    table = collections.Counter((s[0], s[1].split("@")[0], s[3], s[4], s[5]) for s in all_)
    for (name, program, step, call, file), count in table.items():
        print(f"  {name:6} {step:11} {program:7} {call:9} {file} × {count}")
    print(f"{len(all_)} call sites, {len(kept)} after thinning long runs of equal calls")
    if options.list:
        return 0
    runs = [(s, f) for s in kept for f in FAULTS if f != "SHORT" or (s[4] in ("write", "pwrite") and s[6] > 1)]
    runs = runs[options.begin::options.every]
    failures, missed, begin = [], [], time.monotonic()
    for number, (site, kind) in enumerate(runs):
        struck, broken = once(scenarios[site[0]], folder, site[1], site[2], kind)
        what = f"--only '{site[0]} {site[1]} {site[2]} {kind}'  # {site[3]}, {site[4]} {site[5]}"
        if not struck:
            missed.append(what)
        if broken:
            failures.append(what)
            print(f"FAILED {what}", *broken, sep="\n    ", flush=True)
        if number % 50 == 49:
            print(f"{number + 1} of {len(runs)}, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    for what in missed:
        print(f"not reached {what}")
    print(f"\n{len({s for s, _ in runs})} call sites, {len(FAULTS)} faults, {len(runs)} runs "
          f"({len(missed)} not reached), {len(failures)} failures, {time.monotonic() - begin:.0f} s")
    return 1 if failures or missed else 0


def once(scenario, folder, program, ordinal, kind):
    """One run with one fault: whether it struck, and what it broke."""
    hit = folder / "hit"
    hit.unlink(missing_ok=True)
    struck = scenario.play(program, ordinal, kind, hit)
    return struck, scenario.judge()


if __name__ == "__main__":
    sys.exit(main())
