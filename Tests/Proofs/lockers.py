#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real lockers, with mcid and the companion: nothing typed while the screen is locked is stored.

    lockers.py BUILD [--keys N]

xss-lock with i3lock says so to logind, mate-screensaver on the session's bus: both close the gate.
xscreensaver says nothing on a bus; its grab of the keyboard alone keeps the keys out. The rule that
leaves lockers' windows out is removed first. Prints a line for each and ends with 1 where a key was
stored, a locker that speaks did not close, or recording did not go on."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import desk
from mark import Stage, presses, wait

BUSES = desk.HERE.parent / "MciTests/Companion/desk.py"


class Buses:
    """The buses of a desktop; the tests drive the same program."""

    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", str(BUSES)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.session, self.system = self.ask("addresses")
        self.ask("admit_lockers")

    def ask(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run(environment, *words):
    return subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def lock_i3lock(environment):
    run(environment, "xset", "s", "activate")


def unlock_i3lock(environment):
    run(environment, "pkill", "-x", "i3lock")
    run(environment, "xset", "s", "reset")


# What is started, how it is locked, and how it is unlocked without a password.
LOCKERS = {
    "xss-lock with i3lock": (["xss-lock", "--", "i3lock", "-n"], lock_i3lock, unlock_i3lock),
    "mate-screensaver": (
        ["mate-screensaver", "--no-daemon"],
        lambda environment: run(environment, "mate-screensaver-command", "--lock"),
        lambda environment: run(environment, "mate-screensaver-command", "--deactivate")),
    # It unlocks for a password alone, so it is ended.
    "xscreensaver": (
        ["xscreensaver", "--no-splash"],
        lambda environment: run(environment, "xscreensaver-command", "-lock"),
        lambda environment: run(environment, "pkill", "-x", "xscreensaver.*")),
}


def use(name, home, stage, environment, keys):
    """Locks once; returns the number of failures."""
    command, lock, unlock = LOCKERS[name]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        before = presses(home, "F9")
        lock(environment)
        closed = wait(lambda: home.status()["state"] == "closed", 15)
        reason = home.status().get("reason")
        for _ in range(keys):
            stage.press("F9")
            time.sleep(0.002)
        time.sleep(1)
        is_closed = home.status()["state"] == "closed"
        unlock(environment)
        back = wait(lambda: home.status()["state"] == "recording" and stage.is_seen(), 30)
        home.call("Flush")
        stored = presses(home, "F9") - before
        home.desk.focus()
        is_recorded = home.settle()
    finally:
        process.kill()
        process.wait()
    print(f"{name}: closed: {closed is not None} ({reason}), {keys} keys, {stored} stored; back after "
          f"{1000 * (back or 0):.0f} ms, then recorded: {is_recorded}", flush=True)
    is_known = name != "xscreensaver"
    return stored + (is_known and not is_closed) + (back is None) + (not is_recorded)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--keys", type=int, default=200)
    options = parser.parse_args()
    if os.getuid() == 0:
        # Lockers refuse to lock for root.
        os.execvp("setpriv", ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env",
                              "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3", *sys.argv])
    failures, buses = 0, Buses()
    with tempfile.TemporaryDirectory(prefix="mci-lockers-") as folder:
        table = desk.Desk()
        home = desk.Home(f"{folder}/home", table, options.build)
        home.options = []
        home.reset()
        for words in (("consent", "--accept"), desk.SYNTHETIC_KEYS, ("exclude", "remove", "lockers", "--yes")):
            assert home.mcictl(*words).returncode == 0
        environment = {
            **os.environ, "DISPLAY": table.display, "HOME": folder, "XDG_SESSION_ID": "c1",
            "XDG_RUNTIME_DIR": str(home.run), "DBUS_SESSION_BUS_ADDRESS": buses.session,
            "DBUS_SYSTEM_BUS_ADDRESS": buses.system}
        stage = Stage(table.display)
        assert home.start() is None
        companion = subprocess.Popen([f"{options.build}/mci-companion"], env=environment)
        assert wait(lambda: home.status()["session"]["isAttended"], 5) is not None
        assert home.settle()
        for name in LOCKERS:
            failures += use(name, home, stage, environment, options.keys)
        companion.kill()
        companion.wait()
        assert home.stop() == 0
        table.close()
    buses.close()
    print(f"lockers: {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
