# SPDX-License-Identifier: Apache-2.0
"""Measures SQL over a full ring of 64 MiB: one minute out of it, in milliseconds.

query.py BUILD_DIR   needs age and age-keygen; Python's sqlite3 must load extensions (Debian's does).

The ring is made here by the format (DESIGN, FORMAT.md): the batches of the minute are real, all
others are as long and as random as sealed ones, for what is not opened is not looked at.
"""
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

ORIGIN = 1 << 40
MINUTE = 60_000
START = 1_800_000_000_000
SIZE, SLOT = 3837, 4037
PAGES = ((64 << 20) - 1_054_752 - 32_768) // 4096
SLOTS = PAGES - PAGES // 300 - 8
ROUNDS = 30


def varint(number):
    result = b""
    while number > 127:
        result += bytes([number & 127 | 128])
        number >>= 7
    return result + bytes([number])


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def plaintext(sequence, start, motions):
    """A batch of one motion every few milliseconds within half a minute."""
    def section(number, content):
        return varint(number) + varint(len(content)) + content

    step = 30_000 // motions
    header = (varint(1) + varint(sequence) + varint(motions) + zigzag(0) + zigzag(start)
              + bytes(16) + b"\x02\x00" + varint(6) + b"Editor")
    columns = section(1, header) + section(2, b"\x03" + varint(motions))
    columns += section(3, b"\x09" + varint(motions))
    columns += section(4, b"".join(zigzag(step) for _ in range(motions)))
    columns += section(9, bytes(random.choice(b"\x00\x01\x10\x11\xf0\x0f") for _ in range(motions)))
    packed = zlib.compress(columns, 9)
    assert len(packed) <= SIZE - 4, len(packed)
    return (len(packed).to_bytes(4, "little") + packed).ljust(SIZE, b"\0")


def make(folder, motions):
    """Two real batches a minute around the middle of a full ring; returns ring, identity, minute."""
    identity, path = f"{folder}/identity", f"{folder}/ring.db"
    subprocess.run(["age-keygen", "-o", identity], check=True, capture_output=True)
    recipient = subprocess.run(
        ["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
    ring = sqlite3.connect(path, isolation_level=None)
    ring.executescript(f"""
        PRAGMA page_size=4096; PRAGMA application_id=0x4D434944; PRAGMA user_version=1;
        PRAGMA journal_mode=WAL;
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        CREATE TABLE ring(slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, t_end INTEGER NOT NULL,
          sealed BLOB NOT NULL) STRICT;
        INSERT INTO meta VALUES('format', 1), ('next', {ORIGIN + SLOTS + 1}), ('cap', {64 << 20});
        BEGIN""")
    middle = SLOTS // 4
    for slot in range(SLOTS):
        sequence = slot or SLOTS
        minute, half = divmod(sequence, 2)
        sealed = random.randbytes(SLOT)
        if abs(minute - middle) <= 3:
            start = START + minute * MINUTE + half * 30_000
            sealed = subprocess.run(
                ["age", "-r", recipient], check=True, capture_output=True,
                input=plaintext(sequence, start, motions)).stdout
            assert len(sealed) == SLOT, len(sealed)
        end = START + (minute + 1) * MINUTE
        ring.execute("INSERT INTO ring VALUES(?, ?, ?, ?)", (slot, ORIGIN + sequence, end, sealed))
    ring.execute("COMMIT")
    ring.close()
    return path, identity, START + middle * MINUTE


def cpu():
    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime


def timed(body, expected):
    """Median and worst of some rounds, and the mean CPU of one, in ms; the first is left out."""
    body()
    times, before = [], cpu()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = body()
        times.append((time.perf_counter() - start) * 1000)
        assert result == expected, (result, expected)
    return statistics.median(times), max(times), (cpu() - before) * 1000 / ROUNDS


def main():
    build, motions = os.path.abspath(sys.argv[1]), 6000
    with tempfile.TemporaryDirectory() as folder:
        path, identity, minute = make(folder, motions)
        os.makedirs(f"{folder}/state/mci"), os.makedirs(f"{folder}/config/mci")
        os.rename(path, f"{folder}/state/mci/ring.db")
        os.rename(identity, f"{folder}/config/mci/identity")
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=f"{folder}/state", XDG_CONFIG_HOME=f"{folder}/config",
            XDG_RUNTIME_DIR=folder, MCI_IDENTITY=f"{folder}/config/mci/identity",
            MCI_RING=f"{folder}/state/mci/ring.db")
        connection = sqlite3.connect(":memory:")
        connection.enable_load_extension(True)
        connection.load_extension(f"{build}/libmci-sqlite.so")

        def command(sql):
            return lambda: subprocess.run(
                [f"{build}/mcictl", "query", "--format", "csv", sql], check=True,
                capture_output=True, text=True).stdout.split("\n")[1]

        def prepared(sql):
            return lambda: ",".join(str(value) for value in connection.execute(sql).fetchone())

        one = f"""SELECT count(*), sum(abs(dx) + abs(dy)) > 0, count(DISTINCT app) FROM events
                  WHERE type = 'motion' AND ms BETWEEN {minute} AND {minute + MINUTE - 1}"""
        expected = f"{2 * motions},1,1"
        listing = "SELECT count(*) FROM batches"
        rows = [
            ("mcictl query, one minute, from start to result", command(one), expected, "<= 50"),
            ("mcictl query, nothing read (SELECT 1)", command("SELECT 1"), "1", ""),
            ("prepared query, one minute", prepared(one), expected, ""),
            ("prepared query, only the list of batches", prepared(listing), str(SLOTS), ""),
            ("prepared query, one batch by number",
             prepared(f"SELECT count(*) FROM events WHERE batch = {SLOTS // 4 * 2} AND type = 'motion'"),
             str(motions), ""),
        ]
        print(f"{f'SQL, {SLOTS} batches, {motions} motions each, ms':52}"
              f" {'median':>8} {'worst':>8} {'CPU':>8}   aim")
        for title, body, result, aim in rows:
            print(f"{title:52}", *(f"{value:8.1f}" for value in timed(body, result)), f"  {aim}")
        # A statement that is under way shares the list of batches with those beside it.
        outer = connection.execute("SELECT batch FROM batches")
        outer.fetchone()
        print(f"{'the same minute with the list at hand':52}",
              *(f"{value:8.1f}" for value in timed(prepared(one), expected)))


main()
