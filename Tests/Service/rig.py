#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mcid under a real `systemd --user`, as an ordinary user, with the units as they are shipped.

    rig.py PROGRAMS [--userns]   the whole life of the service; PROGRAMS is the folder of mcid and mcictl
    rig.py PROGRAMS --soak N     N seconds of a thousand motions a second
    rig.py --probe               can it run here? exit code 77 and the reason where it cannot

Nothing outside is touched: everything happens in a mount namespace with a /home, a /run and a control
group of its own. Needs root for that, and systemd, dbus-daemon and Xvfb. PID 1 need not be systemd.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "Proofs"))
USER, HOME, RUN = 4242, pathlib.Path("/home/rig"), pathlib.Path("/run/user/4242")
# Its process id would not do: it is 1 in each namespace.
GROUP = f"mci-rig-{os.urandom(4).hex()}"
SYSTEMD = "/lib/systemd/systemd"


def reason():
    """Why it cannot run here; None where it can."""
    if os.geteuid() != 0:
        return "it needs root, for mount namespaces of its own"
    for program in ("dbus-daemon", "systemctl", "Xvfb", "setpriv", "unshare"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not pathlib.Path(SYSTEMD).exists():
        return "systemd is not installed"
    readable = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "test", "-r", __file__]
    if subprocess.run(readable).returncode:
        return f"an ordinary user cannot read {ROOT}"
    tried = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/mci-probe"
         " && rmdir /sys/fs/cgroup/mci-probe"], capture_output=True, text=True)
    return f"no control groups can be made here ({tried.stderr.strip()})" if tried.returncode else None


def sh(command):
    subprocess.run(command, shell=True, check=True)


def prepare(arguments):
    """As root, in the new mount namespace: the stage, then the play as the user."""
    sh("mount --make-rprivate / && mount -t tmpfs none /run && mount -t tmpfs none /home")
    sh("mkdir -p /run/systemd/system /run/systemd/unit-root && mount -t cgroup2 none /sys/fs/cgroup")
    people = pathlib.Path("/run/passwd")
    people.write_text(pathlib.Path("/etc/passwd").read_text() + f"rig:x:{USER}:{USER}::{HOME}:/bin/sh\n")
    sh(f"mount --bind {people} /etc/passwd && mkdir -p {HOME} {RUN} && chmod 700 {HOME} {RUN}")
    sh(f"chown {USER}:{USER} {HOME} {RUN}")
    group = pathlib.Path("/sys/fs/cgroup") / GROUP
    group.mkdir()
    sh(f"chown -R {USER}:{USER} {group}")
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        return subprocess.run(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all",
             "--reset-env", sys.executable, __file__, "--play", *arguments]).returncode
    finally:
        (pathlib.Path("/sys/fs/cgroup") / "cgroup.procs").write_text(str(os.getpid()))
        for _ in range(100):
            try:
                for folder, _, _ in os.walk(group, topdown=False):
                    os.rmdir(folder)
                break
            except OSError:
                time.sleep(0.05)


class Play:
    def __init__(self, programs, userns):
        from desk import Desk
        self.programs, self.userns, self.children = pathlib.Path(programs).resolve(), userns, []
        os.environ.update(HOME=str(HOME), XDG_RUNTIME_DIR=str(RUN), TZ="UTC", XDG_SESSION_TYPE="x11",
                          PATH="/usr/bin:/bin", DBUS_SESSION_BUS_ADDRESS=f"unix:path={RUN}/bus",
                          SWIFT_BACKTRACE="enable=no", XDG_CONFIG_DIRS="/nonexistent")
        os.chdir(HOME)
        self.desk = Desk()
        os.environ["DISPLAY"] = self.desk.display
        units = HOME / ".config/systemd/user"
        units.mkdir(parents=True)
        text = (ROOT / "systemd/mcid.service").read_text()
        text = text.replace("ExecStart=mcid", f"ExecStart={self.programs}/mcid")
        (units / "mcid.service").write_text(text)
        # No journal here. Programs with the rights of mcid tell what they can write to, and ask the clock.
        extra = units / "mcid.service.d"
        extra.mkdir()
        files = "%t/bus %h/.config/mci/public/marks %h/.config/mci/public/recipients"
        look = f"/bin/sh -c 'for file in {files}; do test -w $$file && echo writable || echo closed; done'"
        ask = "/usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(None).adjtimex(bytes(512)))'"
        (extra / "99-rig.conf").write_text(
            f"[Service]\nStandardError=append:{HOME}/mcid.log\nWatchdogSec=4\n"
            f"ExecStartPre={look}\nExecStartPre={ask}\nStandardOutput=append:{HOME}/seen\n")
        # No display manager here: the target that sessions reach.
        shutil.copy(ROOT / "systemd/mci-session.target", units)
        if userns:
            shutil.copy(ROOT / "systemd/mcid.service.d/50-userns.conf", extra)
        self.spawn("dbus-daemon", "--session", f"--address=unix:path={RUN}/bus", "--nofork", "--nopidfile")
        self.wait(lambda: (RUN / "bus").exists(), "dbus-daemon")
        self.log = open(HOME / "manager.log", "wb")
        self.spawn(SYSTEMD, "--user", "--log-target=console", stderr=self.log, stdout=self.log)
        self.wait(lambda: self.systemctl("is-system-running").stdout.strip() in ("running", "degraded"), "systemd")

    def spawn(self, *words, **options):
        self.children.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, **options))

    def systemctl(self, *words):
        return subprocess.run(["systemctl", "--user", *words], capture_output=True, text=True, timeout=60)

    def mcictl(self, *words):
        return subprocess.run([self.programs / "mcictl", *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def show(self, name, unit="mcid"):
        return self.systemctl("show", unit, "-P", name).stdout.strip()

    def said(self):
        """The last line that mcid wrote."""
        return (HOME / "mcid.log").read_text().splitlines()[-1]

    def status(self):
        try:
            return json.loads(self.mcictl("status", "--json").stdout)
        except ValueError:
            return {}

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError(f"{what}: not within {seconds} s")

    def done(self, text):
        print(f"ok: {text}", flush=True)

    def settle(self):
        """Types until something is admitted."""
        before = self.status()["events"]["admitted"]

        def admitted():
            self.desk.type("F12")
            return self.status()["events"]["admitted"] > before
        self.wait(admitted, "an event is recorded")

    def call_while_away(self):
        """A call made when nobody runs; the socket of the one before still takes it."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(15)
        client.connect(str(RUN / "mci/control"))
        client.sendall(b'{"method":"io.mci.Control.GetStatus"}\0')
        return client

    def run(self):
        self.systemctl("import-environment", "DISPLAY", "XDG_SESSION_TYPE")
        self.systemctl("set-environment", "LD_PRELOAD=/nonexistent/listener.so")
        assert self.systemctl("enable", "mcid").returncode == 0
        self.done("enabled")

        assert self.systemctl("start", "mcid").returncode != 0
        assert (self.show("ActiveState"), self.show("ExecMainStatus"), self.show("NRestarts")) == ("failed", "78", "0")
        assert "Next: mcictl consent" in self.said(), self.said()
        self.done("without a key it stays down, exit 78, no restart")

        assert self.mcictl("consent", "--accept").returncode == 0
        assert self.mcictl("consent", "--withdraw").returncode == 0
        assert self.systemctl("start", "mcid").returncode != 0
        assert (self.show("ActiveState"), self.show("ExecMainStatus"), self.show("NRestarts")) == ("failed", "77", "0")
        assert "You have not consented" in self.said(), self.said()
        self.done("without a consent it stays down, exit 77, no restart")

        assert self.mcictl("consent", "--accept").returncode == 0
        assert self.mcictl("set", "ring-size", "4M").returncode == 0
        # The keys come through XTEST.
        assert self.mcictl("set", "synthetic-keys", "on", "--yes").returncode == 0
        (HOME / ".config/mci/public/marks").touch(0o600)
        # The session reaches its target before it names its display.
        self.systemctl("unset-environment", "DISPLAY")
        session = subprocess.Popen([str(ROOT / "packaging/mci-session"), "sh", "-c", "read line"], stdin=subprocess.PIPE,
                                   env={**os.environ, "DISPLAY": ":4242"})
        self.wait(lambda: self.show("ExecMainStatus") == "69", "the display is not there yet")
        self.systemctl("import-environment", "DISPLAY")
        self.wait(lambda: self.show("ActiveState") == "active", "active with the session")
        assert self.show("StatusText") == "recording", self.show("StatusText")
        self.done("started with an X session, once its display is named; ready, records")

        assert "LD_PRELOAD" not in (HOME / "mcid.log").read_text(), "the linker was told what to load"
        *seen, clock = (HOME / "seen").read_text().split()[-4:]
        assert seen == (["closed", "writable", "closed"] if self.userns else ["writable"] * 3), seen
        assert int(clock) >= 0, "the clock cannot be asked"
        self.systemctl("unset-environment", "LD_PRELOAD")
        self.done("nothing of the session's is loaded into it; behind the drop-in the session bus is closed, and one file of "
                  "the settings open")

        reloaded = self.systemctl("reload", "mcid")
        assert reloaded.returncode == 0, reloaded.stderr
        self.done("read its settings anew at a reload")

        layers = self.status()["sandbox"]
        assert any(l.startswith("landlock-") for l in layers), layers
        assert int(next(l for l in layers if l.startswith("filter-"))[7:]) > 3, f"the unit's filters: {layers}"
        assert ("user-namespace" in layers) == self.userns, layers
        self.settle()
        self.done(f"recorded from the X server, behind {' '.join(layers)}")

        first = self.show("MainPID")
        assert self.mcictl("pause", "30m").returncode == 0
        self.wait(lambda: self.show("StatusText").startswith("paused until"), "told that it is paused")
        os.kill(int(first), signal.SIGKILL)
        client = self.call_while_away()
        answer = json.loads(client.recv(65536).split(b"\0")[0])["parameters"]["status"]
        assert answer["state"] == "paused", answer
        second = self.show("MainPID")
        assert second not in (first, "0"), second
        self.done("kill -9: started again, still paused, and a call made meanwhile was answered")

        assert self.mcictl("resume").returncode == 0
        self.settle()
        os.kill(int(second), signal.SIGSTOP)
        self.wait(lambda: self.show("MainPID") not in (second, "0"), "the watchdog")
        self.wait(lambda: self.status().get("state") == "recording", "records again")
        self.settle()
        self.done("a process that hangs is ended by the watchdog and started again")

        (RUN / "mci/control").unlink()
        assert self.mcictl("status").returncode == 4, "it runs and cannot be asked"
        assert self.systemctl("restart", "mcid").returncode == 0
        assert self.status()["state"] == "recording"
        os.kill(int(self.show("MainPID")), signal.SIGKILL)
        self.wait(lambda: self.show("NRestarts") != "0" and self.show("ActiveState") == "active", "started again")
        self.wait(lambda: self.status().get("state") == "recording", "the second socket is the one that is kept", 10)
        self.settle()
        self.done("a socket that was removed: the next start makes another, which outlasts a kill")

        assert self.mcictl("verify").returncode == 0
        assert self.systemctl("stop", "mcid").returncode == 0
        assert self.show("ActiveState") == "inactive", self.show("ActiveState")
        assert self.mcictl("status").returncode == 3
        time.sleep(0.5)
        assert self.show("ActiveState") == "inactive", "a stop is a stop: no call starts it"
        assert not (RUN / "mci/control").exists()
        self.done("stopped, and no call starts it again")

        self.systemctl("start", "mcid")
        assert self.status()["state"] == "recording"
        other = subprocess.run([str(ROOT / "packaging/mci-session"), "true"], env={**os.environ, "DISPLAY": ":4243"})
        assert other.returncode == 0 and self.status()["state"] == "recording"
        self.done("a second session of the same person changes nothing")

        from desk import Desk
        old, self.desk = self.desk, Desk()
        assert old.display != self.desk.display
        old.close()
        self.wait(lambda: self.status().get("state") != "recording", "the X server is missed")
        self.systemctl("set-environment", f"DISPLAY={self.desk.display}")
        self.wait(lambda: self.status().get("state") == "recording", "records on the new X server")
        self.settle()
        self.done("an X server that ended: records on the next one, which has another name")

        self.companion()
        self.holder()
        session.communicate(b"\n", timeout=10)
        self.wait(lambda: self.show("ActiveState") == "inactive", "stopped with the session")
        self.done("log-out stops it")
        if (self.programs / "mci-companion").exists():
            self.wait(lambda: self.show("ActiveState", "mci-companion") == "inactive", "the companion stops too")
            self.done("and the companion with it")

    def companion(self):
        """The companion as a service: mcid's unit wants it, and systemd starts it again."""
        if not (self.programs / "mci-companion").exists():
            return
        text = (ROOT / "systemd/mci-companion.service").read_text()
        text = text.replace("ExecStart=mci-companion", f"ExecStart={self.programs}/mci-companion")
        (HOME / ".config/systemd/user/mci-companion.service").write_text(text)
        assert self.systemctl("daemon-reload").returncode == 0
        assert self.systemctl("restart", "mcid").returncode == 0
        self.wait(lambda: self.status().get("session", {}).get("isAttended"), "the companion vouches")
        self.wait(lambda: self.status().get("state") == "recording", "and mcid records")
        first = self.show("MainPID", "mci-companion")
        os.kill(int(first), signal.SIGKILL)
        self.wait(lambda: self.status().get("reason") == "unattended", "its end closes", 5)
        self.wait(lambda: self.status().get("state") == "recording", "it was started again", 10)
        assert self.show("MainPID", "mci-companion") not in (first, "0")
        os.kill(int(self.show("MainPID")), signal.SIGKILL)
        self.wait(lambda: self.status().get("state") == "recording", "mcid and it found each other again", 20)
        self.settle()
        self.done("the companion comes with mcid, its end closes at once, and both find each other again")

    def holder(self):
        """The holder as a service: confined, answers a request, and systemd starts it again."""
        if not (self.programs / "mci-holder").exists():
            return
        text = (ROOT / "systemd/mci-holder.service").read_text()
        text = text.replace("ExecStart=mci-holder", f"ExecStart={self.programs}/mci-holder")
        (HOME / ".config/systemd/user/mci-holder.service").write_text(text)
        assert self.systemctl("daemon-reload").returncode == 0
        assert self.systemctl("start", "mci-holder").returncode == 0
        holder = HOME / ".local/state/mci/holder"

        def offered():
            name = os.urandom(16).hex()
            (holder / "person/requests" / f"{name}.new").write_text(
                json.dumps({"schema": 1, "kind": "offer", "id": os.urandom(16).hex()}))
            (holder / "person/requests" / f"{name}.new").rename(holder / "person/requests" / f"{name}.json")
            answer = holder / "person/answers" / f"{name}.json"
            self.wait(answer.exists, "the holder answers", 10)
            return json.loads(answer.read_text())["holder"]["key"]

        self.wait((holder / "person/requests").exists, "the holder makes its folders", 10)
        key = offered()
        first = self.show("MainPID", "mci-holder")
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{first}/status").read_text().splitlines()
                      if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
        os.kill(int(first), signal.SIGKILL)
        self.wait(lambda: self.show("MainPID", "mci-holder") not in (first, "0"), "it is started again", 20)
        assert offered() == key
        assert self.systemctl("stop", "mci-holder").returncode == 0
        assert self.show("ExecMainStatus", "mci-holder") == "0"
        self.done("the holder answers under its unit, confined, and again after a kill")

    def soak(self, seconds):
        """A thousand motions a second: memory and descriptors stay, and nothing is started again."""
        assert self.mcictl("consent", "--accept").returncode == 0
        assert self.mcictl("set", "ring-size", "4M").returncode == 0
        # The keys come through XTEST.
        assert self.mcictl("set", "synthetic-keys", "on", "--yes").returncode == 0
        self.systemctl("import-environment", "DISPLAY", "XDG_SESSION_TYPE")
        assert self.systemctl("start", "mcid").returncode == 0
        self.settle()
        process, marks, begin = self.show("MainPID"), [], time.monotonic()
        while time.monotonic() < begin + seconds:
            for i in range(20):
                self.desk.xtst.XTestFakeRelativeMotionEvent(self.desk.connection, 1 - i % 2 * 2, 1, 0)
            self.desk.x.XSync(self.desk.connection, 0)
            time.sleep(max(0, 0.02 * (1 + int((time.monotonic() - begin) / 0.02)) - (time.monotonic() - begin)))
            if time.monotonic() > begin + seconds * len(marks) / 10:
                facts = pathlib.Path(f"/proc/{process}/status").read_text()
                marks.append({n: int(v) for n, v in re.findall(r"^(VmRSS|FDSize):\s+(\d+)", facts, re.M)})
        status = self.status()
        print(f"{seconds} s: {status['events']}; kB resident and descriptor slots: "
              f"{[(m['VmRSS'], m['FDSize']) for m in marks]}")
        assert (self.show("MainPID"), self.show("NRestarts")) == (process, "0"), "it was started again"
        assert status["events"]["lost"] == 0
        half = marks[len(marks) // 2:]
        assert half[-1]["VmRSS"] < half[0]["VmRSS"] * 1.05 and half[-1]["FDSize"] == half[0]["FDSize"], "it grows"
        self.done("soaked")

    def close(self):
        for child in reversed(self.children):
            child.terminate()
        for child in reversed(self.children):
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        self.desk.close()


def play(arguments):
    stage = Play(arguments[0], "--userns" in arguments)
    try:
        if "--soak" in arguments:
            stage.soak(int(arguments[arguments.index("--soak") + 1]))
        else:
            stage.run()
        return 0
    except BaseException:
        import traceback
        traceback.print_exc()
        print(stage.systemctl("status", "mcid").stdout)
        for name in ("mcid.log", "manager.log"):
            print(name, (HOME / name).read_text()[-3000:])
        return 1
    finally:
        stage.close()


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["--play"]:
        sys.exit(play(words[1:]))
    if words[:1] == ["--stage"]:
        sys.exit(prepare(words[1:]))
    why = reason()
    if why:
        print(f"cannot run here: {why}")
        sys.exit(77)
    if words[:1] == ["--probe"]:
        sys.exit(0)
    # A process of its own session, so that what is left of it can be ended as a whole.
    sys.exit(subprocess.run(["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", sys.executable,
                             __file__, "--stage", *words]).returncode)
