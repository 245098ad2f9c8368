#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""After a power cut at any moment mcid starts, and nothing that was answered is lost or comes back.

Recorded runs of mcid and mcictl are cut at random places. On the disk is then everything that was
synced before the cut, and any part of the rest:

- a file's writes since its last fsync: any subset of their blocks (512 or 4096 bytes), and truncations;
- names (created, moved, removed, folders too) since the last fsync of their folder: in half of the cuts
  any subset (POSIX), in half a beginning of them (as a journal has it). A moved file has the old or the
  new name, never both or none. fsync of a file does not save its name. `--journal`: any fsync saves all
  names before it, as ext4 does.
- the shared-memory index beside the log is gone.

mcid is started once on that, and looked at: ring and controls sound, pause and consent as answered, each
batch that was answered there, no part of a forgotten one in any file, before the start too.

    powercut.py PROGRAMS [--cuts 1000] [--seed 1] [--run day] [--journal]
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import sys
import time

from desk import (APP, ORIGIN, PAGE, PROOF, SEALED, SYNTHETIC_KEYS, Desk, Home, build_shim, contents, copy_programs,
                  make_template, numbers, traces, work_folder)

HEAD = struct.Struct("<IciQII")
TOMB = b"tombstone"


class File:
    """A file's synced bytes and what came after them."""

    def __init__(self, data=b""):
        self.data, self.pending = bytearray(data), []

    def sync(self):
        for change in self.pending:
            self.apply(self.data, *change)
        self.pending = []

    @staticmethod
    def apply(data, place, new):
        if new is None:  # a truncation
            del data[place:]
            data.extend(bytes(place - len(data)))
        else:
            data.extend(bytes(max(0, place + len(new) - len(data))))
            data[place:place + len(new)] = new

    def after_cut(self, chance):
        data = bytearray(self.data)
        keep = chance.choice([0, 0.1, 0.5, 0.9, 1])
        block = chance.choice([512, 4096])
        for place, new in self.pending:
            if new is None:
                if chance.random() < keep:
                    self.apply(data, place, None)
                continue
            start = 0
            while start < len(new):
                end = min(len(new), start + block - (place + start) % block)
                if chance.random() < keep:
                    self.apply(data, place + start, new[start:end])
                start = end
        return bytes(data)


class Machine:
    """Replays a recording: the disk, the names, and what was answered."""

    def __init__(self, template, options):
        self.has_journal, self.is_lying = options.journal, options.lying
        self.folders, self.live = {""}, {}
        for entry in sorted(template.rglob("*")) if template else []:
            name = str(entry.relative_to(template))
            if entry.is_dir():
                self.folders.add(name)
            else:
                self.live[name] = File(entry.read_bytes())
        self.saved, self.saved_folders, self.names = dict(self.live), set(self.folders), []
        self.open = {}
        self.versions = collections.defaultdict(list)
        for file in self.live.values():
            for place in range(0, len(file.data), PAGE):
                self.note(file.data[place:place + PAGE])
        self.acked, self.gone = {}, {}
        self.allowed = {"pause": {False}, "consent": {bool(template)}}

    def note(self, page):
        row = numbers(page) if len(page) == PAGE else None
        if row and row[0] > 0:
            sealed = bytes(page[-SEALED - PROOF:-PROOF])
            version = sealed if sealed.startswith(b"age-") else TOMB
            if version not in self.versions[row[0]]:
                self.versions[row[0]].append(version)

    def play(self, process, call, number, place, path, data):
        if call == "o":
            self.open[process, number] = path if path in self.folders else self.live.get(path)
        elif call == "c":
            self.live[path] = self.open[process, number] = File()
            self.names.append(("c", path, None, self.live[path]))
        elif call == "w":
            self.open[process, number].pending.append((place, data))
            self.note(data)
        elif call == "t":
            self.open[process, number].pending.append((place, None))
        elif call == "s" and not self.is_lying:
            file = self.open[process, number]
            if isinstance(file, File):
                file.sync()
            self.names = [n for n in self.names if not self.save(n, file)]
        elif call == "r":
            self.live[data] = self.live.pop(path)
            self.names.append(("r", data, path, self.live[data]))
        elif call == "u":
            self.names.append(("u", path, None, self.live.pop(path)))
        elif call == "m":
            self.folders.add(path)
            self.names.append(("m", path, None, None))
        elif call == "A":
            self.mark(json.loads(path))

    def save(self, name, folder):
        if os.path.dirname(name[1]) != folder and not self.has_journal:
            return False
        self.happen(name, self.saved, self.saved_folders)
        return True

    @staticmethod
    def happen(name, files, folders):
        call, path, old, file = name
        if call == "m":
            folders.add(path)
        elif call == "c":
            files[path] = file
        elif call == "r":
            if files.get(old) is file:
                del files[old]
            files[path] = file
        elif files.get(path) is file:
            del files[path]

    def mark(self, mark):
        for what in ("pause", "consent"):
            if what in mark:
                now = {mark[what]}
                self.allowed[what] = now if mark["answered"] else self.allowed[what] | now
        latest = {n: len(v) - 1 for n, v in self.versions.items()}
        if "stored" in mark:
            self.acked = {n: i for n, i in latest.items() if self.versions[n][i] != TOMB}
        if "erased" in mark:
            self.gone = {n: self.versions[n][:i] for n, i in latest.items() if self.versions[n][i] == TOMB}

    def cut(self, chance):
        """What is on the disk after a cut at this moment: (folders, name → bytes)."""
        files, folders = dict(self.saved), set(self.saved_folders)
        if chance.random() < 0.5:
            happened = self.names[:chance.randint(0, len(self.names))]
        else:
            keep = chance.choice([0, 0.5, 0.9])
            happened = [n for n in self.names if chance.random() < keep]
        for name in happened:
            self.happen(name, files, folders)
        def there(path):
            return path == "" or path in folders and there(os.path.dirname(path))
        return ({f for f in folders if there(f)},
                {n: f.after_cut(chance) for n, f in files.items()
                 if there(os.path.dirname(n)) and not n.endswith("-shm")})


class Recording:
    """A run of mcid and mcictl that is recorded call by call."""

    def __init__(self, home, folder, name, template, shim):
        self.home, self.template, self.path = home, template, folder / f"{name}.calls"
        self.extra = {"LD_PRELOAD": shim, "FAULT_DIR": str(home.files), "FAULT_RECORD": str(self.path)}
        home.reset(template)

    def mark(self, **mark):
        text = json.dumps(mark).encode()
        with open(self.path, "ab", 0) as file:
            file.write(HEAD.pack(0, b"A", 0, 0, 0, len(text)) + text)

    def ask(self, *arguments, what=None, value=None):
        """Runs mcictl; what it promises is marked when it was answered."""
        if what:
            self.mark(**{what: value}, answered=False)
        answer = self.home.mcictl(*arguments, extra=self.extra)
        assert answer.returncode == 0, (arguments, answer.stderr)
        if what:
            self.mark(**{what: value}, answered=True)
        self.home.settle()
        return answer

    def start(self):
        assert self.home.start(self.extra) is None and self.home.settle(), (self.home.base / "log").read_text()

    def log(self):
        self.home.desk.type("F1", "F2", "F3")
        self.ask("log", "--since", "5m")
        self.mark(stored=True)

    def forget(self):
        answer = self.ask("forget", "--last", "1m", "--yes")
        if answer.stdout.startswith("Erased") and "traces" not in answer.stderr:
            self.mark(erased=True)

    def close_batches(self, count):
        for _ in range(count):
            self.home.desk.type("F11")
            assert self.home.call("Flush")
            self.mark(stored=True)
            assert self.home.call("Reload")

    def controls(self):
        self.ask("pause", "30m", what="pause", value=True)
        self.ask("resume", what="pause", value=False)
        self.log()
        self.ask("consent", "--withdraw", what="consent", value=False)
        self.ask("consent", "--accept", what="consent", value=True)

    # The recorded runs.

    def first(self):
        self.ask("set", "ring-size", "3M")
        self.ask(*SYNTHETIC_KEYS)
        self.ask("consent", "--accept", what="consent", value=True)
        self.start()
        self.log()
        self.home.stop()

    def day(self):
        self.start()
        for _ in range(3):
            self.log()
            self.forget()
            self.log()
            self.controls()
        self.home.stop()
        self.ask("pause", "30m", what="pause", value=True)
        self.ask("resume", what="pause", value=False)
        self.forget()

    def evict(self):
        self.start()
        self.close_batches(290)
        self.log()
        self.home.stop()

    def rebuild(self):
        self.start()
        self.log()
        for size in ("4M", "3M"):
            self.ask("set", "ring-size", size)
            self.log()
        self.forget()
        self.home.stop()

    def damaged(self):
        self.start()
        self.log()
        self.forget()
        self.log()
        self.home.stop()

    def calls(self):
        data, place, root = self.path.read_bytes(), 0, str(self.home.files) + "/"
        found = []
        while place < len(data):
            process, call, number, where, size, length = HEAD.unpack_from(data, place)
            place += HEAD.size
            call, path = call.decode(), data[place:place + length].decode()
            place += length
            body = data[place:place + size]
            place += size
            if call == "r":
                body = body.decode().removeprefix(root)
            inside = (path + "/").removeprefix(root).removesuffix("/")
            found.append((process, call, number, where, path if call == "A" else inside, body))
        return found


def judge(home, machine, folders, files):
    """Starts mcid on what is left and says what is broken and what is lost."""
    shutil.rmtree(home.base, ignore_errors=True)
    home.run.mkdir(parents=True, mode=0o700)
    for folder in sorted(folders):
        (home.files / folder).mkdir(mode=0o700)
    for name, data in files.items():
        (home.files / name).write_bytes(data)
        (home.files / name).chmod(0o600)
    allowed = {k: set(v) for k, v in machine.allowed.items()}
    early = {n for n, old in machine.gone.items() for b in old if traces(b, files)}
    broken, lost = [f"forgotten batch {n} is on disk until mcid starts" for n in sorted(early)], []
    if home.cap() > 64 << 19:
        # Looking at the default size would take half a minute.
        home.mcictl("set", "ring-size", "3M")
    code = home.start()
    if code == 78 and False in allowed["consent"]:
        if home.mcictl("consent", "--accept").returncode != 0:
            return ["no consent can be given any more"], lost
        allowed["consent"] = {True}
        code = home.start()
    if code is not None:
        log = (home.base / "log").read_text().splitlines()
        return broken + [f"mcid does not start ({code}): {log[-1] if log else ''}"], lost
    home.call("Flush")
    status = home.status()
    found = home.controls()
    if found is None:
        return broken + ["the controls cannot be read"], lost
    broken += [f"{what}: {found[what]}, answered was {allowed[what]}"
               for what in found if found[what] not in allowed[what]]
    wanted = "closed" if not found["consent"] else "paused" if found["pause"] else "recording"
    if not status or status["state"] != wanted:
        broken.append(f"status is {status and (status['state'], status['reason'])}, not {wanted}")
    if (code := home.stop()) != 0:
        broken.append(f"mcid ends with {code}")
    rows, count = {}, 0
    if home.ring.exists():
        ring = sqlite3.connect(home.ring)
        if (answer := ring.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            broken.append(f"integrity: {answer}")
        rows = dict(ring.execute("SELECT seq - ?, sealed FROM ring WHERE seq > ?", (ORIGIN, ORIGIN)))
        count = ring.execute("SELECT count(*) FROM ring").fetchone()[0]
        ring.close()
        answer = home.mcictl("verify", "--json")
        if answer.returncode != 0 or json.loads(answer.stdout)["incomplete"]:
            broken.append(f"verify: {answer.stdout.strip() or answer.stderr.strip()}")
    for n, index in machine.acked.items():
        later = machine.versions[n][index:]
        if n > max(rows, default=0) - count and rows.get(n) not in later \
                and not (TOMB in later and n in rows and not rows[n].startswith(b"age-")):
            lost.append(f"batch {n} was answered and is {'older' if n in rows else 'gone'}")
    left = contents(home.files)
    broken += [f"forgotten batch {n} is in {traces(b, left)}"
               for n, old in machine.gone.items() for b in old if traces(b, left)]
    broken += [f"plaintext in {name}" for name, data in left.items() if APP.encode() in data]
    if home.size() > home.cap():
        broken.append(f"all files have {home.size()} bytes")
    return broken, lost


def record(home, folder, shim):
    """The recorded runs: name → (state before, calls)."""
    part, full, damaged = folder / "part", folder / "full", folder / "hurt"
    make_template(home, part, 30)
    make_template(home, full)
    shutil.copytree(part, damaged)
    with open(damaged / "state/mci/ring.db", "r+b") as ring:
        ring.seek(16)
        ring.write(bytes(84))
    runs = {}
    before = {"first": None, "day": part, "evict": full, "rebuild": part, "damaged": damaged}
    for name, template in before.items():
        recording = Recording(home, folder, name, template, shim)
        getattr(recording, name)()
        home.stop()
        runs[name] = (template, recording.calls())
        print(f"{name}: {len(runs[name][1])} calls recorded", flush=True)
    return runs


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("programs", type=pathlib.Path)
    options.add_argument("--cuts", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--journal", action="store_true", help="any fsync saves all names before it")
    options.add_argument("--lying", action="store_true", help="fsync does nothing: the proof must notice")
    options.add_argument("--run", help="cut this recorded run only")
    options = options.parse_args()
    folder, desk = pathlib.Path(work_folder()), Desk()
    home = Home(folder / "home", desk, copy_programs(options.programs, folder))
    try:
        runs = record(home, folder, build_shim(folder))
        if options.run:
            runs = {options.run: runs[options.run]}
        return cut(home, runs, options)
    finally:
        home.stop(9)
        desk.close()
        shutil.rmtree(folder)


def cut(home, runs, options):
    begin, corrupt, lost, done = time.monotonic(), 0, 0, 0
    kinds = collections.Counter()
    for number, (name, (template, calls)) in enumerate(runs.items()):
        share = options.cuts // len(runs) + (number < options.cuts % len(runs))
        chance = random.Random(f"{options.seed} {name}")
        places = sorted(chance.randint(0, len(calls)) for _ in range(share))
        machine, played = Machine(template, options), 0
        for place in places:
            for call in calls[played:place]:
                machine.play(*call)
            played = place
            folders, files = machine.cut(chance)
            broken, missing = judge(home, machine, folders, files)
            done, corrupt, lost = done + 1, corrupt + bool(broken), lost + bool(missing)
            for sentence in broken + missing:
                kinds[" ".join(w for w in sentence.split() if not w.isdigit())[:70]] += 1
            if broken or missing:
                sizes = ", ".join(f"{pathlib.Path(n).name} {len(d)}" for n, d in files.items() if "ring" in n)
                print(f"FAILED {name} cut after call {place} (seed {options.seed}); on disk was {sizes}",
                      *broken, *missing[:3], sep="\n    ", flush=True)
        print(f"{name}: {share} cuts; {corrupt} corrupt, {lost} lost so far, "
              f"{time.monotonic() - begin:.0f} s", flush=True)
    for kind, count in kinds.most_common(12):
        print(f"  {count} × {kind}")
    print(f"\n{done} cuts, {corrupt} corrupt, {lost} lost, {time.monotonic() - begin:.0f} s")
    return 1 if corrupt or lost else 0


if __name__ == "__main__":
    sys.exit(main())
