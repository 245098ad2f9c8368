#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the mark away in every way that X offers, with a real mcid: what is typed while it cannot be
seen is not stored.

    mark.py BUILD [--rounds N] [--compositor picom|xfwm4|mutter]

Each round takes the mark away, looks at the screen, presses F9, looks again, and waits for the mark.
An F9 between two looks that both find no mark must not be in the recording; the F11 after the mark is
back must be. Prints a line for each way and ends with 1 where something was stored."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import desk

sys.path.insert(0, str(desk.HERE.parent.parent / ".build-python"))
import Xlib.display  # noqa: E402
from Xlib import X, XK  # noqa: E402
from Xlib.ext import shape, xtest  # noqa: E402

SIZE = 24
DISC = ((12, 12, (0xD9, 0x20, 0x20)), (12, 4, (0xFF, 0xFF, 0xFF)))


class Stage:
    """The screen with mcid's mark on it, as another client of the server sees it."""

    def __init__(self, name):
        self.display = Xlib.display.Display(name)
        self.screen = self.display.screen()
        self.root = self.screen.root
        self.place = (self.screen.width_in_pixels - SIZE - 2, 2)
        self.covers = []
        self.opacity = self.display.intern_atom("_NET_WM_WINDOW_OPACITY")
        # The window may just have been replaced.
        self.display.set_error_handler(lambda *_: None)
        self.cardinal = self.display.intern_atom("CARDINAL")

    def mark(self):
        """The newest window of the mark; None while there is none."""
        for window in reversed(self.root.query_tree().children):
            try:
                if window.get_wm_name() == "mci":
                    return window
            except Xlib.error.BadWindow:
                pass
        return None

    def is_seen(self):
        for x, y, colour in DISC:
            image = self.root.get_image(self.place[0] + x, self.place[1] + y, 1, 1, X.ZPixmap, 0xFFFFFFFF)
            blue, green, red = image.data[:3]
            if (red, green, blue) != colour:
                return False
        return True

    def press(self, name):
        code = self.display.keysym_to_keycode(XK.string_to_keysym(name))
        for kind in (X.KeyPress, X.KeyRelease):
            xtest.fake_input(self.display, kind, code)
        self.display.sync()

    def cover(self, pixels=None, pixel=0x336699):
        x, y = self.place
        window = self.root.create_window(
            x - 20, 0, 70, 60, 0, self.screen.root_depth, X.InputOutput, X.CopyFromParent,
            override_redirect=True, background_pixel=pixel)
        if pixels:
            picture = window.create_pixmap(70, 60, self.screen.root_depth)
            pen = picture.create_gc()
            picture.put_image(pen, 0, 0, 70, 60, X.ZPixmap, self.screen.root_depth, 0, pixels)
            window.change_attributes(background_pixmap=picture)
        window.map()
        window.configure(stack_mode=X.Above)
        self.covers.append(window)
        return window

    def uncover(self):
        for window in self.covers:
            window.destroy()
        self.covers.clear()
        self.display.sync()


def gradient():
    return b"".join(bytes((x * 3 & 255, y * 4 & 255, (x + y) & 255, 0)) for y in range(60) for x in range(70))


def photograph():
    return random.Random(7).randbytes(70 * 60 * 4)


def take_away(stage, way, window):
    if way == "destroyed":
        window.destroy()
    elif way == "unmapped":
        window.unmap()
    elif way == "moved":
        window.configure(x=10, y=200)
    elif way == "reshaped":
        window.shape_rectangles(shape.SO.Set, shape.SK.Bounding, 0, 0, 0, [])
    elif way == "resized":
        window.configure(width=3, height=3)
    elif way == "transparent":
        window.change_property(stage.opacity, stage.cardinal, 32, [0])
    elif way == "repainted":
        window.change_attributes(background_pixel=0x204060)
        window.clear_area(0, 0, 0, 0)
    elif way == "lowered":
        stage.cover()
        window.configure(stack_mode=X.Below)
    elif way == "covered plainly":
        stage.cover()
    elif way == "covered by its own red":
        stage.cover(pixel=0xD92020)
    elif way == "covered by a gradient":
        stage.cover(gradient())
    elif way == "covered by a photograph":
        stage.cover(photograph())
    elif way == "covered by a moving window":
        cover = stage.cover()
        for step in range(3):
            cover.configure(x=stage.place[0] - 20 + step)
    stage.display.sync()


COMPOSITORS = {
    "picom": ["picom", "--backend", "xrender", "--config", "/dev/null"],
    "xfwm4": ["dbus-run-session", "xfwm4", "--compositor=on"],
    "mutter": ["dbus-run-session", "mutter", "--x11"],
}

WAYS = ("destroyed", "unmapped", "moved", "reshaped", "resized", "transparent", "repainted", "lowered",
        "covered plainly", "covered by its own red", "covered by a gradient", "covered by a photograph",
        "covered by a moving window")


def fight(stage, home, rounds):
    """A locker covers the screen: nothing of what is typed is stored, it is not fought for ever, and
    when it has gone, recording goes on. Returns the number of failures."""
    # The rules would leave its window out as well.
    assert home.mcictl("exclude", "remove", "lockers", "--yes").returncode == 0
    before = presses(home, "F9")
    locker = subprocess.Popen(["i3lock", "-n"], env={**os.environ, "DISPLAY": stage.display.get_display_name()},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    marks, begin, most, typed = set(), time.monotonic(), 0, 0
    for second in range(3):
        new = set()
        while time.monotonic() < begin + second + 1:
            if typed < rounds:
                stage.press("F9")
                typed += 1
            window = stage.mark()
            if window and window.id not in marks:
                new.add(window.id)
            time.sleep(0.002)
        marks |= new
        most = max(most, len(new))
    state = home.status()["state"]
    locker.kill()
    locker.wait()
    back = wait(lambda: stage.is_seen() and home.status()["state"] == "recording", 30)
    home.call("Flush")
    stored = presses(home, "F9") - before
    is_recorded = home.settle()
    print(f"i3lock: {typed} keys, {stored} stored, {state}; at most {most} tries a second; "
          f"back after {1000 * (back or 0):.0f} ms, then recorded: {is_recorded}", flush=True)
    return stored + (most > 20) + (back is None) + (not is_recorded)


def wait(condition, seconds):
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            return None
        time.sleep(0.001)
    return time.monotonic() - begin


def existing(stage):
    """The window of the mark, which is a new one after each look that failed."""
    while True:
        window = stage.mark()
        if window:
            return window


def events(home):
    result = home.mcictl("export", "--format", "jsonl")
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines() if line]


def presses(home, name):
    return sum(e.get("keysym") == name and e.get("state") == "down" for e in events(home))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--compositor", choices=list(COMPOSITORS))
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="mci-mark-") as folder:
        table = desk.Desk()
        home = desk.Home(f"{folder}/home", table, options.build)
        home.options = []
        home.reset()
        for words in (("consent", "--accept"), desk.SYNTHETIC_KEYS, ("set", "ring-size", "16M")):
            assert home.mcictl(*words).returncode == 0
        compositor = None
        if options.compositor:
            # Without a graphics card.
            compositor = subprocess.Popen(
                COMPOSITORS[options.compositor],
                env={**os.environ, "DISPLAY": table.display, "LIBGL_ALWAYS_SOFTWARE": "1",
                     "XDG_CONFIG_HOME": f"{folder}/desktop", "HOME": folder},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(1 if options.compositor == "picom" else 5)
            table.focus()
        stage = Stage(table.display)
        assert home.start() is None
        assert wait(lambda: home.status()["state"] == "recording", 5) is not None, "mcid does not record"
        assert home.settle()
        for way in WAYS:
            before, back = (presses(home, "F9"), presses(home, "F11")), []
            hidden = lost = 0
            for _ in range(options.rounds):
                assert wait(lambda: stage.is_seen() and stage.mark(), 30) is not None, f"{way}: no mark"
                take_away(stage, way, existing(stage))
                if way == "transparent" and not options.compositor:
                    continue  # nothing changes on the screen
                # A compositor shows it a little later.
                was_hidden = wait(lambda: not stage.is_seen(), 0.3) is not None
                stage.press("F9")
                hidden += was_hidden and not stage.is_seen()
                if was_hidden and stage.is_seen():
                    lost += 1  # back meanwhile: nothing is known of this one
                took = wait(stage.is_seen, 30)
                if took is None:
                    failures += 1
                    break
                back.append(took)
                stage.uncover()
                time.sleep(0.05 if options.compositor else 0)
                while not (home.call("Flush") and home.status()["state"] == "recording" and stage.is_seen()):
                    time.sleep(0.005)
                home.call("Flush")
                stage.press("F11")
                home.call("Flush")
            home.call("Flush")
            stored, after = presses(home, "F9") - before[0], presses(home, "F11") - before[1]
            bad = max(0, stored - (options.rounds - hidden))
            back.sort()
            middle, worst = (1000 * back[len(back) // 2], 1000 * back[-1]) if back else (0, 0)
            print(f"{way}: {hidden} keys without a mark, {bad} stored; {after} of {len(back)} after it; "
                  f"back after {middle:.0f} ms, at most {worst:.0f} ms", flush=True)
            failures += bad
            # Where the screen shows no change, each round was decided by the notice alone.
            if back and after < len(back):
                failures += 1
        failures += fight(stage, home, options.rounds)
        if compositor:
            compositor.kill()
        assert home.stop() == 0
        table.close()
    print(f"mark: {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
