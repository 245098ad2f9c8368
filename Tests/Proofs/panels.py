#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The companion's icon and menu in real panels, used with a mouse: xfce4-panel and lxqt-panel.

    panels.py BUILD [--panel NAME] [--pictures FOLDER]

For each panel it finds the icon on the screen, opens the menu with a click, and chooses every item with
the mouse. What the panel sent is read from the bus, and what became of it from mcid. It ends with 1 if
an item did not arrive, or did not do what it says."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".build-python"))
import Xlib.display  # noqa: E402
from Xlib import X, XK  # noqa: E402
from Xlib.ext import xtest  # noqa: E402

WIDTH, HEIGHT = 1024, 768
STATE, PAUSES, RESUME, EXEMPT, FORGETS, SETTINGS, LEAVE = 1, (4, 5, 6, 7), 8, 9, (11, 12), 14, 15
XFCE = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=512;y=750"/>
      <property name="length" type="uint" value="60"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
"""
LXQT = """[General]
__userfile__=true
panels=panel1

[panel1]
plugins=statusnotifier
position=Bottom
panelSize=32
width=60
width-percent=true

[statusnotifier]
type=statusnotifier
alignment=Right
"""
# Where a panel's settings are, what they are, and the button that opens a menu.
PANELS = {
    "xfce4-panel": (".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", XFCE, 1),
    "lxqt-panel": (".config/lxqt/panel.conf", LXQT, 3),
}


def until(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    return None


class Session:
    """A desktop with one panel, mcid and the companion."""

    def __init__(self, panel, programs, base):
        self.programs, self.started, self.home = pathlib.Path(programs), [], pathlib.Path(base)
        runtime = self.home / "run"
        runtime.mkdir(mode=0o700)
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-noreset",
                    "-nolisten", "tcp", "-ac"], dict(os.environ), pass_fds=[write])
        os.close(write)
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(read, 16)
        self.environment = dict(
            os.environ, DISPLAY=":" + text.decode().strip(), HOME=str(self.home), XDG_RUNTIME_DIR=str(runtime),
            XDG_CONFIG_HOME=str(self.home / ".config"), XDG_STATE_HOME=str(self.home / ".local/state"),
            XDG_SESSION_TYPE="x11", NO_AT_BRIDGE="1", GTK_THEME="Adwaita",
            PATH=f"{self.programs}:{os.environ['PATH']}",
            DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        bus = self.start(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE)
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        name, text, self.button = PANELS[panel]
        (self.home / name).parent.mkdir(parents=True)
        (self.home / name).write_text(text)
        self.display = Xlib.display.Display(self.environment["DISPLAY"])
        self.display.set_error_handler(lambda *_: None)
        self.root = self.display.screen().root
        for program in ("openbox", "dunst", panel):
            self.start([program])
        self.monitor = self.start(["dbus-monitor", "--session", "interface=com.canonical.dbusmenu"],
                                  stdout=subprocess.PIPE)
        os.set_blocking(self.monitor.stdout.fileno(), False)
        self.heard = b""
        for words in (("set", "synthetic-keys", "on", "--yes"), ("consent", "--accept")):
            assert self.mcictl(*words).returncode == 0
        self.start([str(self.programs / "mcid")])
        self.window = self.root.create_window(100, 100, 300, 200, 0, self.display.screen().root_depth,
                                              background_pixel=0x88AA88)
        self.window.set_wm_class("editor", "Editor")
        self.window.map()
        self.display.sync()
        assert until(lambda: self.status().get("state") == "recording"), self.status()
        self.companion = self.start([str(self.programs / "mci-companion")])

    def start(self, command, environment=None, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen(command, env=environment or self.environment, stderr=subprocess.DEVNULL,
                                   **options)
        self.started.append(process)
        return process

    def end(self):
        for process in reversed(self.started):
            process.kill()
            process.wait()

    def mcictl(self, *words):
        return subprocess.run([str(self.programs / "mcictl"), *words], env=self.environment,
                              capture_output=True, text=True)

    def status(self):
        try:
            return json.loads(self.mcictl("status", "--json").stdout)
        except ValueError:
            return {}

    # The screen and the mouse

    def picture(self, x=0, y=0, width=WIDTH, height=HEIGHT):
        """The screen as rows of (red, green, blue)."""
        data = self.root.get_image(x, y, width, height, X.ZPixmap, 0xFFFFFFFF).data
        return [[(data[at + 2], data[at + 1], data[at]) for at in range(4 * width * row, 4 * width * (row + 1), 4)]
                for row in range(height)]

    def save(self, path):
        rows = self.picture()
        with open(path, "wb") as file:
            file.write(f"P6 {WIDTH} {HEIGHT} 255\n".encode())
            file.write(bytes(value for row in rows for pixel in row for value in pixel))

    def icon(self, red=True):
        """The middle of the icon on the panel; None if it is not there."""
        def fits(pixel):
            r, g, b = pixel
            return (r > 190 and g < 70 and b < 70) if red else (abs(r - 128) < 8 and r == g == b)
        points = [(x, y) for y, row in enumerate(self.picture(0, HEIGHT - 40, WIDTH, 40))
                  for x, pixel in enumerate(row) if fits(pixel)]
        if len(points) < 40:
            return None
        return (sum(x for x, _ in points) // len(points), HEIGHT - 40 + sum(y for _, y in points) // len(points))

    def move(self, x, y):
        xtest.fake_input(self.display, X.MotionNotify, x=int(x), y=int(y))
        self.display.sync()

    def click(self, x, y, button=1):
        self.move(x, y)
        time.sleep(0.1)
        for kind in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(self.display, kind, button)
            self.display.sync()
            time.sleep(0.05)

    def press(self, name):
        code = self.display.keysym_to_keycode(XK.string_to_keysym(name))
        for kind in (X.KeyPress, X.KeyRelease):
            xtest.fake_input(self.display, kind, code)
        self.display.sync()

    def menus(self):
        """The mapped menus, (x, y, width, height), the first one first."""
        found = []
        for window in self.root.query_tree().children:
            try:
                if window.get_attributes().map_state != X.IsViewable or not window.get_attributes().override_redirect:
                    continue
                box = window.get_geometry()
            except Exception:
                continue
            if box.width > 60 and box.height > 40 and box.y + box.height <= HEIGHT + 8 and box.width < 500:
                found.append((box.x, box.y, box.width, box.height))
        return found

    def events(self):
        """The ids of the items that the panel said were clicked since the last call."""
        time.sleep(0.25)
        self.heard += self.monitor.stdout.read() or b""
        text, self.heard = self.heard.decode(errors="replace"), b""
        return [int(number) for number in re.findall(r'int32 (\d+)\s+string "clicked"', text)]


def open_menu(session, place):
    """Opens the menu; returns its box."""
    for _ in range(5):
        before = session.menus()
        session.click(*place, session.button)
        opened = until(lambda: [box for box in session.menus() if box not in before], 2)
        if opened:
            time.sleep(0.2)
            return opened[-1]
        session.press("Escape")
    raise SystemExit("The menu did not open.")


def close_menus(session):
    for _ in range(3):
        session.press("Escape")
        time.sleep(0.1)


def rows(session, place):
    """The middle of the row of each item that can be clicked, found by clicking down the menu, and
    the height of a row."""
    found, y = {}, 4
    height = open_menu(session, place)[3]
    close_menus(session)
    session.events()
    while y < height - 30:
        box = open_menu(session, place)
        session.click(box[0] + 40, box[1] + y)
        for number in session.events():
            found.setdefault(number, []).append(y)
        close_menus(session)
        y += 5
    return {number: (min(ys) + max(ys)) // 2 for number, ys in found.items()}, \
        max(found[EXEMPT]) - min(found[EXEMPT]) + 5


def choose_below(session, place, y, index, count):
    """Opens the submenu of a row, and clicks one of its rows."""
    for _ in range(4):
        box = open_menu(session, place)
        before = session.menus()
        # A menu opens what is below a row when the pointer rests on it.
        for x in range(30, 46, 4):
            session.move(box[0] + x, box[1] + y)
            time.sleep(0.05)
        below = until(lambda: [one for one in session.menus() if one not in before], 3)
        if below:
            break
        close_menus(session)
    else:
        raise SystemExit("The submenu did not open.")
    time.sleep(0.3)
    inner = below[-1]
    session.move(inner[0] + 20, box[1] + y)
    session.click(inner[0] + 30, inner[1] + inner[3] * (index + 0.5) / count)
    numbers = session.events()
    close_menus(session)
    return numbers


def prove(panel, programs, pictures):
    with tempfile.TemporaryDirectory() as base:
        session = Session(panel, programs, base)
        try:
            return use(panel, session, pictures)
        finally:
            session.end()


def use(panel, session, pictures):
    place = until(session.icon)
    if not place:
        raise SystemExit(f"{panel}: no icon is on the screen.")
    failed = []

    def check(words, holds):
        print(f"{panel}: {words}: {'ok' if holds else 'FAILED'}", flush=True)
        if not holds:
            failed.append(words)

    if pictures:
        open_menu(session, place)
        session.save(f"{pictures}/{panel}.ppm")
        close_menus(session)
    session.mcictl("pause", "1h")
    check("the icon turns grey", bool(until(lambda: session.icon(red=False))))
    y, step = rows(session, place)
    check("resume, exempt and settings are chosen", all(number in y for number in (RESUME, EXEMPT, SETTINGS)))
    # Resume is chosen once, for afterwards it is grey.
    y[RESUME] = y[EXEMPT] - step
    session.mcictl("resume")
    until(lambda: session.status().get("state") == "recording")
    for index, (number, seconds) in enumerate(zip(PAUSES, (900, 1800, 3600, None))):
        arrived = choose_below(session, place, y[RESUME] - step, index, 4)
        paused = until(lambda: session.status().get("state") == "paused", 3)
        check(f"pause {seconds or 'until tomorrow'}", arrived == [number] and bool(paused))
        box = open_menu(session, place)
        session.click(box[0] + 40, box[1] + y[RESUME])
        check("resume", session.events() == [RESUME]
              and bool(until(lambda: session.status().get("state") == "recording", 3)))
    session.window.set_input_focus(X.RevertToParent, X.CurrentTime)
    session.press("F5")
    time.sleep(1.5)
    for record in json.loads(session.mcictl("exempt", "list", "--json").stdout)["exemptions"]:
        session.mcictl("exempt", "remove", str(record["id"]))
    box = open_menu(session, place)
    session.click(box[0] + 40, box[1] + y[EXEMPT])
    check("exempt the application in front", session.events() == [EXEMPT]
          and bool(until(lambda: session.status()["exemptions"] == 1, 3)))
    listed = session.mcictl("exempt", "list", "--json").stdout
    check("it was the window in front", '"Editor"' in listed)
    for index, number in enumerate(FORGETS):
        arrived = choose_below(session, place, y[EXEMPT] + step, index, 2)
        check(f"forget {5 + 10 * index} minutes", arrived == [number])
    box = open_menu(session, place)
    session.click(box[0] + 40, box[1] + y[SETTINGS] + step)
    check("go on without the icon", session.events() == [LEAVE] and session.companion.wait(5) == 77
          and session.status()["session"]["isRequired"] is False)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--panel", choices=list(PANELS))
    parser.add_argument("--pictures")
    options = parser.parse_args()
    failed = []
    for panel in [options.panel] if options.panel else PANELS:
        failed += prove(panel, options.build, options.pictures)
    sys.exit(1 if failed else 0)


main()
