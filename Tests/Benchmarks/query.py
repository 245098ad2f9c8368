# SPDX-License-Identifier: Apache-2.0
"""Measures SQL over a full ring: one minute out of it, in milliseconds.

query.py BUILD_DIR FOLDER   FOLDER holds read.db and identity, as mci-ring-bench leaves them; Python's
sqlite3 must load extensions (Debian's does).
"""
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time

MINUTE = 60_000
ROUNDS = 30


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
    build, folder = map(os.path.abspath, sys.argv[1:])
    os.makedirs(f"{folder}/state/mci"), os.makedirs(f"{folder}/config/mci")
    os.symlink(f"{folder}/read.db", f"{folder}/state/mci/ring.db")
    os.symlink(f"{folder}/identity", f"{folder}/config/mci/identity")
    os.environ.update(
        HOME=folder, XDG_STATE_HOME=f"{folder}/state", XDG_CONFIG_HOME=f"{folder}/config",
        XDG_RUNTIME_DIR=folder, MCI_IDENTITY=f"{folder}/identity", MCI_RING=f"{folder}/read.db")
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(f"{build}/libmci-sqlite.so")

    def command(sql):
        return lambda: subprocess.run(
            [f"{build}/mcictl", "query", "--format", "csv", sql], check=True,
            capture_output=True, text=True).stdout.split("\n")[1]

    def prepared(sql):
        return lambda: ",".join(str(value) for value in connection.execute(sql).fetchone())

    slots = connection.execute("SELECT count(*) FROM batches").fetchone()[0]
    start = connection.execute(f"SELECT min(ms) FROM events WHERE batch = {slots // 2}").fetchone()[0]
    one = f"""SELECT count(*), sum(abs(dx) + abs(dy)) > 0 FROM events
              WHERE type = 'motion' AND ms BETWEEN {start} AND {start + MINUTE - 1}"""
    expected = prepared(one)()
    rows = [
        ("mcictl query, one minute, from start to result", command(one), expected, "<= 50"),
        ("mcictl query, nothing read (SELECT 1)", command("SELECT 1"), "1", ""),
        ("prepared query, one minute", prepared(one), expected, ""),
        ("prepared query, only the list of batches",
         prepared("SELECT count(*) FROM batches"), str(slots), ""),
    ]
    print(f"{f'SQL, {slots} batches, {expected} in the minute, ms':52} {'median':>8} {'worst':>8} {'CPU':>8}   aim")
    for title, body, result, aim in rows:
        print(f"{title:52}", *(f"{value:8.1f}" for value in timed(body, result)), f"  {aim}")


main()
