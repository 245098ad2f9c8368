#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, while the person pauses and resumes: what they cost in time.

    hostile.py PROGRAMS [--connections 1000] [--most 10]

Each connection does one of: garbage, 64 KiB without an end, many calls at once, a call in pieces, calls
whose answers nobody reads, JSON of great depth, hanging up at once. Meanwhile `Pause` and `Resume` are called
and timed, on a home in memory, so that the disk is not what is measured. Exit code 1 when the 99th of 100
is slower than --most milliseconds, or one is not answered, or an event is lost.
"""
import argparse
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Proofs"))
from desk import Desk, Home, make_template  # noqa: E402

GET = b'{"method":"io.mci.Control.GetStatus"}\0'
DEEP = b'{"method":"io.mci.Control.Pause","parameters":' + b"[" * 60_000 + b"\0"
HARM = {
    "garbage": lambda s: s.sendall(random.randbytes(5000)),
    "endless": lambda s: [s.sendall(b"a" * 8192) for _ in range(9)],
    "many": lambda s: s.sendall(GET * 300),
    "pieces": lambda s: [s.sendall(GET[i:i + 1]) for i in range(len(GET) - 1)],
    "unread": lambda s: [s.sendall(GET * 50) for _ in range(20)],
    "deep": lambda s: s.sendall(DEEP * 3),
    "gone": lambda s: None,
}


def attack(path, count, stop, done):
    """Keeps making connections; each stays open for a while."""
    held = []
    while not stop.is_set() and done[0] < count:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.05)
        try:
            s.connect(path)
            HARM[random.choice(list(HARM))](s)
        except OSError:
            pass
        held.append(s)
        done[0] += 1
        if len(held) > 30:
            held.pop(0).close()
        time.sleep(0.002)


def call(path, method):
    """The milliseconds of one call; a connection that is crowded out is made again, as mcictl does."""
    begin = time.perf_counter()
    for _ in range(6):
        with socket.socket(socket.AF_UNIX) as s:
            # Waits in the queue, as mcictl does.
            s.connect(path)
            s.settimeout(5)
            try:
                s.sendall(json.dumps({"method": f"io.mci.Control.{method}", "parameters": {}}).encode() + b"\0")
                answer = b""
                while not answer.endswith(b"\0"):
                    part = s.recv(65536)
                    if not part:
                        break
                    answer += part
            except (BrokenPipeError, ConnectionResetError):
                continue
        if answer.endswith(b"\0"):
            return (time.perf_counter() - begin) * 1000, json.loads(answer[:-1])
    return None, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--most", type=float, default=10)
    options = parser.parse_args()
    base = pathlib.Path(f"/dev/shm/mci-hostile-{os.getpid()}")
    desk = Desk()
    home = Home(base, desk, pathlib.Path(options.programs).resolve())
    home.options = []
    try:
        home.reset()
        assert home.mcictl("consent", "--accept").returncode == 0
        assert home.start() is None, (base / "log").read_text()
        path = str(home.run / "mci/control")
        quiet = sorted(call(path, m)[0] for _ in range(100) for m in ("Pause", "Resume"))
        stop, done = threading.Event(), [0]
        # In a process of its own, so that Python's threads do not wait for one another.
        attacker = subprocess.Popen([sys.executable, __file__, "--attack", path, str(options.connections)])
        times, unanswered = [], 0
        while attacker.poll() is None:
            for method in ("Pause", "Resume"):
                taken, answer = call(path, method)
                if taken is None or "error" in answer:
                    unanswered += 1
                else:
                    times.append(taken)
        times.sort()
        at = lambda t, p: t[min(len(t) - 1, int(len(t) * p))]
        status = home.status()
        print(f"{options.connections} hostile connections: {len(times)} calls, median {at(times, .5):.2f} ms, "
              f"99th of 100 {at(times, .99):.2f} ms, worst {times[-1]:.2f} ms, {unanswered} not answered "
              f"(quiet: {at(quiet, .5):.2f} and {at(quiet, .99):.2f} ms)")
        assert status and status["events"]["lost"] == 0
        return 1 if unanswered or at(times, .99) > options.most else 0
    finally:
        if home.process:
            home.process.kill()
            home.process.wait()
        desk.close()
        import shutil
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        attack(sys.argv[2], int(sys.argv[3]), threading.Event(), [0])
        sys.exit(0)
    sys.exit(main())
