# SPDX-License-Identifier: Apache-2.0
"""Bytes per event of three kinds of work, recorded by a real mcid on a private X server: in the ring, as
JSON Lines, and as rows of a plain SQLite table.

    work.py FOLDER-OF-mcid-AND-mcictl [SECONDS-OF-EACH]
"""
import csv
import ctypes
import datetime
import io
import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 120
TEXT = ("It was late when the letter came, and nobody had expected it. She read it twice, put it on the table, "
        "and went to the window; then she wrote: \"Dear Tom, we leave on 14 May at 7:30.\" ")
SHIFTED = dict(zip('!@#$%^&*()_+:"<>?', "1234567890-=;',./"))
NAMES = {" ": "space", ",": "comma", ".": "period", ";": "semicolon", "'": "apostrophe", "-": "minus",
         "=": "equal", "/": "slash", "\n": "Return"}


class Hand:
    """A hand on keyboard and mouse, through XTEST, in a focused window of its own."""

    def __init__(self, display):
        self.x = ctypes.CDLL("libX11.so.6")
        self.test = ctypes.CDLL("libXtst.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XDefaultRootWindow.restype = self.x.XCreateSimpleWindow.restype = ctypes.c_ulong
        self.x.XStringToKeysym.restype = ctypes.c_ulong
        self.d = ctypes.c_void_p(self.x.XOpenDisplay(display.encode()))
        root = ctypes.c_ulong(self.x.XDefaultRootWindow(self.d))
        self.window = ctypes.c_ulong(self.x.XCreateSimpleWindow(self.d, root, 0, 0, 640, 480, 0, 0, 0))
        hint = (ctypes.c_char_p * 2)(b"work", b"Work")
        self.x.XSetClassHint(self.d, self.window, hint)
        self.x.XMapWindow(self.d, self.window)
        self.x.XSync(self.d, 0)
        self.x.XSetInputFocus(self.d, self.window, 2, ctypes.c_ulong(0))
        self.x.XSync(self.d, 0)
        self.next = time.monotonic()
        self.random = random.Random(5)

    def rest(self, low, high=None):
        """Sleeps until so long after the last moment slept to, so that delays do not add up."""
        self.next += low if high is None else self.random.uniform(low, high)
        time.sleep(max(0, self.next - time.monotonic()))

    def key(self, name, down):
        code = self.x.XKeysymToKeycode(self.d, ctypes.c_ulong(self.x.XStringToKeysym(name.encode())))
        self.test.XTestFakeKeyEvent(self.d, code, int(down), ctypes.c_ulong(0))
        self.x.XFlush(self.d)

    def press(self, name, *held):
        for modifier in held:
            self.key(modifier, True)
            self.rest(0.02, 0.06)
        self.key(name, True)
        self.rest(0.05, 0.11)
        self.key(name, False)
        for modifier in reversed(held):
            self.rest(0.01, 0.04)
            self.key(modifier, False)
        self.rest(0.03, 0.14)

    def type(self, character):
        held = []
        if character.isupper() or character in SHIFTED:
            held = ["Shift_L"]
            character = SHIFTED.get(character, character.lower())
        self.press(NAMES.get(character, character), *held)

    def button(self, number, down):
        self.test.XTestFakeButtonEvent(self.d, number, int(down), ctypes.c_ulong(0))
        self.x.XFlush(self.d)

    def click(self, number, low=0.06, high=0.12):
        self.button(number, True)
        self.rest(low, high)
        self.button(number, False)

    def path(self, points, rate, seconds):
        """Follows a path, sampled at a rate, in whole counts and with the tremor of a hand."""
        done = [0, 0]
        count = max(2, int(seconds * rate))
        for step in range(1, count + 1):
            t = step / count
            x, y = points(t * t * t * (10 - 15 * t + 6 * t * t))
            dx = round(x + self.random.gauss(0, 0.25) - done[0])
            dy = round(y + self.random.gauss(0, 0.25) - done[1])
            if dx or dy:
                self.test.XTestFakeRelativeMotionEvent(self.d, dx, dy, ctypes.c_ulong(0))
                self.x.XFlush(self.d)
            done = [done[0] + dx, done[1] + dy]
            self.rest(1 / rate)

    def reach(self, rate):
        length, angle = self.random.uniform(30, 900), self.random.uniform(0, 2 * math.pi)
        bend = self.random.uniform(-0.1, 0.1) * length
        self.path(lambda s: (length * s * math.cos(angle) - bend * math.sin(math.pi * s) * math.sin(angle),
                             length * s * math.sin(angle) + bend * math.sin(math.pi * s) * math.cos(angle)),
                  rate, 0.15 + 0.12 * math.log2(1 + length / 20))


def writing(hand, end):
    """Text with slips and their mending, shortcuts, a look back now and then."""
    while time.monotonic() < end:
        for number, character in enumerate(TEXT):
            if time.monotonic() > end:
                return
            hand.type(character)
            if character == " " and hand.random.random() < 0.1:
                hand.rest(0.5, 3)
            if hand.random.random() < 0.04:
                for _ in range(hand.random.randint(1, 4)):
                    hand.press("BackSpace")
            if number % 60 == 59:
                hand.press(hand.random.choice("szcv"), "Control_L")
            if hand.random.random() < 0.01:
                for _ in range(hand.random.randint(3, 12)):
                    hand.press(hand.random.choice(["Left", "Right", "Up", "Down"]))
        hand.press("Return")


def drawing(hand, end):
    """Strokes with the button held, a mouse of 125 Hz in the first half and one of 1 kHz in the second."""
    middle = (time.monotonic() + end) / 2
    while time.monotonic() < end:
        rate = 125 if time.monotonic() < middle else 1000
        hand.reach(rate)
        hand.button(1, True)
        radius, turns = hand.random.uniform(10, 200), hand.random.uniform(0.2, 2)
        hand.path(lambda s: (radius * (math.cos(turns * 2 * math.pi * s) - 1), radius * math.sin(turns * 2 * math.pi * s)),
                  rate, hand.random.uniform(0.4, 2))
        hand.button(1, False)
        hand.rest(0.1, 0.8)
        if hand.random.random() < 0.1:
            hand.press("z", "Control_L")


def browsing(hand, end):
    """Reaching, clicking, scrolling while reading, seldom a word."""
    while time.monotonic() < end:
        hand.reach(125)
        hand.rest(0.1, 0.5)
        hand.click(1)
        for _ in range(hand.random.randint(0, 4)):
            hand.rest(0.8, 4)
            button = 5 if hand.random.random() < 0.8 else 4
            for _ in range(hand.random.randint(2, 8)):
                hand.click(button, 0.001, 0.002)
                hand.rest(0.02, 0.08)
        if hand.random.random() < 0.15:
            for character in "weather in may\n":
                hand.type(character)


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def plain(rows, path):
    """The bytes of a table with a column for each field, where numbers are numbers."""
    table = sqlite3.connect(path)
    names = list(rows[0])
    table.execute("CREATE TABLE e(%s)" % ",".join(f'"{n}"' for n in names))

    def value(name, text):
        if text == "":
            return None
        if name in ("time", "to"):
            return milliseconds(text)
        try:
            return int(text)
        except ValueError:
            return text

    table.executemany("INSERT INTO e VALUES(%s)" % ",".join("?" * len(names)),
                      ([value(n, row[n]) for n in names] for row in rows))
    table.commit()
    table.close()
    return os.path.getsize(path)


def record(kind):
    """Events and bytes of one kind of work, recorded in a home that exists for it only."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "XDG_SESSION_TYPE": "x11", "XDG_RUNTIME_DIR": home + "/run"}
        os.mkdir(home + "/run", 0o700)
        server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-noreset", "-nolisten", "tcp", "-ac"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        daemon = None
        try:
            environment["DISPLAY"] = display = ":" + server.stdout.readline().decode().strip()

            def mcictl(*arguments):
                return subprocess.run([BIN + "/mcictl", *arguments], env=environment, check=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()

            mcictl("consent", "--accept")
            daemon = subprocess.Popen([BIN + "/mcid"], env=environment, stderr=subprocess.DEVNULL)
            for _ in range(200):
                time.sleep(0.05)
                try:
                    if json.loads(mcictl("status", "--json"))["state"] == "recording":
                        break
                except (subprocess.CalledProcessError, json.JSONDecodeError, KeyError):
                    continue
            hand = Hand(display)
            hand.rest(1)
            kind(hand, time.monotonic() + SECONDS)
            time.sleep(1)
            mcictl("pause", "1h")
            ring = json.loads(mcictl("status", "--json"))
            lines = mcictl("export")
            rows = list(csv.DictReader(io.StringIO(mcictl("export", "--format", "csv"), newline="")))
            rows = [row for row in rows if row["type"] != "gap"]
            events = [line for line in lines.splitlines() if json.loads(line)["type"] != "gap"]
            assert len(rows) == len(events) > 0 and ring["events"]["lost"] == 0
            return (len(events), ring["ring"]["batches"], ring["ring"]["bytes"], sum(len(e) + 1 for e in events),
                    plain(rows, home + "/plain.db"))
        finally:
            for process in [daemon, server]:
                if process:
                    process.send_signal(signal.SIGTERM)
                    process.wait()


print(f"bytes per event, {SECONDS:.0f} s of each kind of work at the default key detail")
print(f"{'work':10} {'events':>8} {'batches':>8} {'ring':>8} {'JSON Lines':>11} {'SQLite':>8}")
for work in (writing, drawing, browsing):
    events, batches, ring, text, table = record(work)
    print(f"{work.__name__:10} {events:8} {batches:8} {ring / events:8.2f} {text / events:11.1f} {table / events:8.1f}",
          flush=True)
