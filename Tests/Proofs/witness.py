#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A witness beside mcid: what the X server told its clients (the RECORD extension), against the export.

    witness.py PROGRAMS [SERVER ...] [--slow N] [--fast N]

On each server (Xvfb, Xorg, Xvnc; all without one named) a window manager, a window of GTK and one of Qt
with fields to write into, and mcid at key detail `full`. A hand presses keys and buttons, turns the wheel,
moves the pointer, goes from field to field and from window to window: N events at 40 a second (3,000),
then N at 1,000 (6,000), then N with two pauses (6,000) for what `quality.json` says. Slow: no key, button or notch may be missing or stand twice, and each pixel of a
click is equal or absent. Fast: 99.9 % of the keys, all else equal. Exit code 1 where that does not hold.

It needs python3-gi, gir1.2-gtk-3.0, python3-pyqt5, tigervnc-standalone-server and xserver-xorg-video-dummy
from Debian (.ci/packages witness) and python-xlib, which comes with the test packages.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / ".build-python"))
from Xlib import X, XK, display  # noqa: E402
from Xlib.ext import record, xtest  # noqa: E402
from Xlib.protocol import rq  # noqa: E402
import desk  # noqa: E402

GTK = """
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="gtk")
window.set_default_size(420, 500)
box = Gtk.VBox()
for _ in range(4):
    box.pack_start(Gtk.Entry(), True, True, 0)
scrolled = Gtk.ScrolledWindow()
scrolled.add(Gtk.TextView())
box.pack_start(scrolled, True, True, 0)
window.add(box)
window.show_all()
window.move(10, 30)
Gtk.main()
"""
QT = """
import sys
from PyQt5.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget
app = QApplication(sys.argv)
window = QWidget()
layout = QVBoxLayout(window)
for _ in range(4):
    layout.addWidget(QLineEdit())
layout.addWidget(QPlainTextEdit())
window.setGeometry(520, 30, 420, 500)
window.show()
app.exec_()
"""
XORG = """
Section "ServerFlags"
    Option "AutoAddDevices" "false"
    Option "AllowEmptyInput" "true"
EndSection
Section "Device"
    Identifier "dummy"
    Driver "dummy"
    VideoRam 16384
EndSection
Section "Screen"
    Identifier "screen"
    Device "dummy"
    DefaultDepth 24
    SubSection "Display"
        Depth 24
        Modes "1280x1024"
    EndSubSection
EndSection
"""
KEYS = [*"abcdefghijklmnopqrstuvwxyz0123456789", "space", "F5", "F6", "F7", "Left", "Right", "Home", "End",
        "Shift_L", "Tab", "BackSpace", "comma", "period"]


class Server:
    """An X server with the programs of a small desktop."""

    def __init__(self, kind, folder):
        read, write = os.pipe()
        config = folder / "xorg.conf"
        config.write_text(XORG)
        command = {
            "Xvfb": ["Xvfb", "-screen", "0", "1280x1024x24"],
            "Xorg": ["Xorg", "-config", str(config), "-configdir", "/nonexistent", "-logfile",
                     str(folder / "xorg.log"), "-novtswitch", "-sharevts", "vt7"],
            "Xvnc": ["Xvnc", "-geometry", "1280x1024", "-depth", "24", "-SecurityTypes", "None",
                     "-rfbport", "-1", "-rfbunixpath", str(folder / "rfb")],
        }[kind] + ["-noreset", "-nolisten", "tcp", "-ac", "-displayfd", str(write)]
        self.processes = [subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)]
        os.close(write)
        number = b""
        while not number.endswith(b"\n"):
            part = os.read(read, 16)
            if not part:
                sys.exit(f"{kind} does not start")
            number += part
        os.close(read)
        self.display = ":" + number.decode().strip()
        self.connection = display.Display(self.display)
        environment = {"PATH": "/usr/bin:/bin", "DISPLAY": self.display, "HOME": str(folder),
                       "XDG_RUNTIME_DIR": str(folder), "NO_AT_BRIDGE": "1", "QT_QPA_PLATFORM": "xcb"}
        for program in (["openbox"], ["/usr/bin/python3", "-c", GTK], ["/usr/bin/python3", "-c", QT]):
            self.processes.append(subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL,
                                                   stderr=subprocess.DEVNULL))
        end = time.monotonic() + 60
        while self.managed() < 2:
            if time.monotonic() > end:
                sys.exit("the windows do not come up")
            time.sleep(0.2)
        time.sleep(1)

    def managed(self):
        """How many windows the manager shows."""
        state = self.connection.get_atom("WM_STATE")
        count, level = 0, [self.connection.screen().root]
        for _ in range(3):
            level = [child for window in level for child in window.query_tree().children]
            count += sum(1 for window in level if window.get_full_property(state, X.AnyPropertyType)
                         and window.get_attributes().map_state == X.IsViewable)
        return count

    def type(self, *names):
        for name in names:
            code = self.connection.keysym_to_keycode(XK.string_to_keysym(name))
            for kind in (X.KeyPress, X.KeyRelease):
                xtest.fake_input(self.connection, kind, code)
        self.connection.sync()

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Witness(threading.Thread):
    """Takes down every event of a device that the server reports, in order."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.asking = display.Display(server.display)
        self.reading = display.Display(server.display)
        self.events, self.times = [], []
        self.context = self.asking.record_create_context(
            0, [record.AllClients],
            [{"core_requests": (0, 0), "core_replies": (0, 0), "ext_requests": (0, 0, 0, 0),
              "ext_replies": (0, 0, 0, 0), "delivered_events": (0, 0), "device_events": (X.KeyPress, X.MotionNotify),
              "errors": (0, 0), "client_started": False, "client_died": False}])
        self.asking.sync()
        self.start()
        time.sleep(0.5)

    def run(self):
        self.reading.record_enable_context(self.context, self.take)

    def take(self, reply):
        data = reply.data
        while reply.category == record.FromServer and data:
            event, data = rq.EventField(None).parse_binary_value(data, self.reading.display, None, None)
            self.events.append((event.type, event.detail, event.root_x, event.root_y))
            self.times.append(event.time)

    def stop(self):
        time.sleep(1)
        self.asking.record_disable_context(self.context)
        self.asking.flush()
        self.join(10)


def work(server, count, rate, seed):
    """A hand's mixed events; waits by the clock, so that a busy machine makes it slower and not denser."""
    hand, dice = server.connection, random.Random(seed)
    fields = [(x, 70 + 45 * n) for x in (200, 700) for n in range(5)]
    begin, done = time.monotonic(), 0

    def send(kind, detail=0, **place):
        nonlocal done
        done += 1
        late = begin + done / rate - time.monotonic()
        if late > 0:
            hand.flush()
            time.sleep(late)
        xtest.fake_input(hand, kind, detail, **place)

    while done < count:
        choice = dice.random()
        if choice < 0.7:
            code = hand.keysym_to_keycode(XK.string_to_keysym(dice.choice(KEYS)))
            send(X.KeyPress, code)
            send(X.KeyRelease, code)
        elif choice < 0.8:
            x, y = dice.choice(fields)
            send(X.MotionNotify, x=x + dice.randrange(40), y=y + dice.randrange(10))
            send(X.ButtonPress, 1)
            send(X.ButtonRelease, 1)
        elif choice < 0.9:
            button = dice.choice([4, 5])
            send(X.ButtonPress, button)
            send(X.ButtonRelease, button)
        else:
            x, y = dice.choice(fields)
            send(X.MotionNotify, x=x + dice.randrange(40), y=y + dice.randrange(10))
    hand.sync()


def name(code, server):
    return XK.keysym_to_string(server.connection.keycode_to_keysym(code, 0)) or {
        XK.XK_space: "space", XK.XK_comma: "comma", XK.XK_period: "period",
    }.get(server.connection.keycode_to_keysym(code, 0), "?")


def compare(server, events, lines):
    """What the witness and the export tell differently."""
    told = collections.Counter()
    for kind, detail, _, _ in events:
        if kind in (X.KeyPress, X.KeyRelease):
            symbol = server.connection.keycode_to_keysym(detail, 0)
            told["key", symbol, "down" if kind == X.KeyPress else "up"] += 1
        elif kind in (X.ButtonPress, X.ButtonRelease) and detail not in (4, 5):
            told["button", detail, "down" if kind == X.ButtonPress else "up"] += 1
        elif kind == X.ButtonPress:
            told["notch", detail, ""] += 1
    stored = collections.Counter()
    for line in lines:
        if line["type"] == "key":
            symbol = XK.string_to_keysym(line.get("keysym", ""))
            stored["key", symbol, line["state"]] += 1
        elif line["type"] == "button":
            stored["button", line["button"], line["state"]] += 1
        elif line["type"] == "scroll":
            stored["notch", 4 if line["dy"] < 0 else 5, ""] += abs(round(line["dy"]))
    missing, doubled = told - stored, stored - told
    witnessed = [(d, k, x, y) for k, d, x, y in events if k in (X.ButtonPress, X.ButtonRelease) and d not in (4, 5)]
    clicks = [line for line in lines if line["type"] == "button"]
    wrong = sum(1 for (_, _, x, y), line in zip(witnessed, clicks) if "x" in line and (line["x"], line["y"]) != (x, y))
    exact = sum(1 for line in clicks if "x" in line)

    def of(counter, kind):
        return sum(count for (what, _, _), count in counter.items() if what == kind)

    return {kind: (of(told, kind), of(missing, kind), of(doubled, kind)) for kind in ("key", "button", "notch")} | {
        "pixels": (len(clicks), exact, wrong)}


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def quality(server, home, count):
    """`quality.json` against the witness: the minutes of two pauses, clicks and notches without a pixel, and
    every key that the witness saw and mcid has not lies in a gap or a typing run."""
    home.mcictl("set", "key-detail", "shortcuts")
    home.call("Flush")
    home.mcictl("forget", "--all", "--yes")
    witness, paused = Witness(server), 0.0
    for part in range(3):
        work(server, count // 3, 300, seed=part)
        if part == 2:
            break
        home.mcictl("pause", "1h")
        begin = time.monotonic()
        work(server, 200, 100, seed=9)
        # What was done is in the server's queue until it is handled.
        time.sleep(0.3)
        home.mcictl("resume")
        paused += time.monotonic() - begin
        if not home.settle():
            sys.exit("mcid does not go on")
    witness.stop()
    time.sleep(8)
    out = home.base / "run" / "quality.jsonl"
    home.mcictl("export", "--out", str(out))
    found = json.loads(out.with_name("quality.quality.json").read_text())
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    gaps = [(milliseconds(g["from"]), milliseconds(g["to"]), g["reason"]) for g in lines if g["type"] == "gap"]
    # The server's clock, from a movement that both have; the witness's is of 32 bits.
    presses = [(t, d, x, y) for t, (k, d, x, y) in zip(witness.times, witness.events) if k == X.ButtonPress]
    stored = [line for line in lines if line["type"] == "button" and line["state"] == "down"]
    apart = collections.Counter(milliseconds(line["time"]) - t for line in stored[:50] for t, d, *_ in presses if d == 1)
    offset = apart.most_common(1)[0][0]

    def isLeftOut(at, margin):
        return any(begin - margin <= at <= end + margin for begin, end, _ in gaps)

    faults = []
    for buttons, kind, figures in (((1, 2, 3), "button", found["clicks"]), ((4, 5), "scroll", found["scrolls"])):
        seen = [(t + offset, (x, y)) for t, d, x, y in presses if d in buttons]
        mine = [line for line in lines if line["type"] == kind and line.get("state", "down") == "down"]
        # A click that ends a typing run has the time of the run's end: pixels say which is which.
        places = collections.Counter(place for at, place in seen if not isLeftOut(at, -100))
        exact = (collections.Counter((line["x"], line["y"]) for line in mine if "x" in line) & places).total()
        if (len(mine), len(mine) - exact) != (figures["all"], figures["withoutPixel"]):
            faults.append(f"{kind}: {len(mine)}, {len(mine) - exact} without the witness's pixel, quality {figures}")
        # At the edge of a gap nobody can say which came first.
        least = sum(1 for at, _ in seen if not isLeftOut(at, 100))
        most = sum(1 for at, _ in seen if not isLeftOut(at, -100))
        if not least <= len(mine) <= most:
            faults.append(f"{kind}: the witness saw {least} to {most} outside of gaps, mcid has {len(mine)}")
    minutes = {(time_["reason"], time_.get("stream")): time_["minutes"] for time_ in found["times"]}
    if abs(minutes[("paused", None)] * 60 - paused) > 0.5:
        faults.append(f"paused {minutes[('paused', None)] * 60:.1f} s, the witness {paused:.1f} s")
    covered = [(begin, end) for begin, end, _ in gaps] + [
        (milliseconds(line["time"]), milliseconds(line["time"]) + line["seconds"] * 1000)
        for line in lines if line["type"] == "typing"]
    keys = {(line["keysym"], milliseconds(line["time"])) for line in lines
            if line["type"] == "key" and line["state"] == "down" and "keysym" in line}
    left = total = 0
    for t, (kind, detail, _, _) in zip(witness.times, witness.events):
        if kind != X.KeyPress:
            continue
        total += 1
        symbol = name(detail, server) if detail else "?"
        if any((symbol, t + offset + n) in keys for n in range(-2, 5001)):
            continue
        if not any(begin - 100 <= t + offset <= end + 100 for begin, end in covered):
            left += 1
    if left:
        faults.append(f"{left} of {total} keys lie in no gap and no run")
    print(f"quality: {total} keys, {found['clicks']} clicks, {found['scrolls']} scrolls, paused "
          f"{minutes[('paused', None)] * 60:.1f} s ({paused:.1f} by the witness), {len(faults)} faults", flush=True)
    for fault in faults:
        print("  ", fault)
    return not faults


def run(kind, programs, slow, fast, mixed):
    isGood = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        server = Server(kind, folder)
        home = desk.Home(folder / "home", server, programs)
        home.reset()
        try:
            home.mcictl("consent", "--accept")
            home.mcictl(*desk.SYNTHETIC_KEYS)
            home.options = []
            if home.start() is not None:
                sys.exit(f"mcid does not start: {(home.base / 'log').read_text()}")
            answer = home.mcictl("set", "key-detail", "full", "--yes")
            if answer.returncode:
                sys.exit(answer.stderr)
            server.connection.screen().root.warp_pointer(200, 80)
            for button in (X.ButtonPress, X.ButtonRelease):
                xtest.fake_input(server.connection, button, 1)
            if not home.settle():
                sys.exit("mcid does not record")
            for count, rate in ((slow, 40), (fast, 1000)):
                time.sleep(1)
                home.call("Flush")
                home.mcictl("forget", "--all", "--yes")
                witness = Witness(server)
                work(server, count, rate, seed=rate)
                witness.stop()
                time.sleep(1)
                exported = home.mcictl("export")
                lines = [json.loads(line) for line in exported.stdout.splitlines()]
                found = compare(server, witness.events, lines)
                keys, keysMissing, keysDoubled = found["key"]
                share = 100 * (1 - keysMissing / max(1, keys))
                gaps = collections.Counter(line["reason"] for line in lines if line["type"] == "gap")
                words = [f"{what} {found[one][0]}, {found[one][1]} missing, {found[one][2]} too many"
                         for one, what in (("button", "buttons"), ("notch", "notches"))]
                words.append("clicks {}, {} with a pixel, {} wrong".format(*found["pixels"]))
                words += [f"gaps {dict(gaps)}"] if gaps else []
                print(f"{kind} {count} at {rate}/s: keys {keys}, {keysMissing} missing ({share:.2f} %), "
                      f"{keysDoubled} too many; " + "; ".join(words), flush=True)
                others = [found[what][n] for what in ("button", "notch") for n in (1, 2)] + [keysDoubled, found["pixels"][2]]
                isGood &= not any(others) and (keysMissing == 0 if rate == 40 else share >= 99.9) and keys > count / 4
            isGood &= quality(server, home, mixed)
        finally:
            home.stop()
            server.close()
    return isGood


parser = argparse.ArgumentParser()
parser.add_argument("programs")
parser.add_argument("servers", nargs="*", default=[])
parser.add_argument("--slow", type=int, default=3000)
parser.add_argument("--fast", type=int, default=6000)
parser.add_argument("--quality", type=int, default=6000)
arguments = parser.parse_args()
kinds = arguments.servers or ["Xvfb", "Xorg", "Xvnc"]
if len(kinds) == 1:
    sys.exit(0 if run(kinds[0], arguments.programs, arguments.slow, arguments.fast, arguments.quality) else 1)
# python-xlib keeps the numbers of a server's extensions for the whole process.
sys.exit(max([subprocess.run([sys.executable, __file__, arguments.programs, kind, "--slow", str(arguments.slow),
                              "--fast", str(arguments.fast), "--quality", str(arguments.quality)]).returncode for kind in kinds]))
