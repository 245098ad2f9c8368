# SPDX-License-Identifier: Apache-2.0
"""What both proofs work with: a private X server with a hand, a throw-away home with mcid and mcictl
in it, and the ring's pages read without SQLite."""
import atexit
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PAGE, SEALED, PROOF, ORIGIN = 4096, 3973, 64, 1 << 40
APP = "Quuxophone"  # the application's name is the plaintext that must be in no file


class Desk:
    """One X server with one focused window, and a hand that types into it."""

    def __init__(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-noreset", "-nolisten", "tcp", "-ac"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        os.close(write)
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(read, 16)
        self.display = ":" + text.decode().strip()
        x, xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        pointer, ulong = ctypes.c_void_p, ctypes.c_ulong
        x.XOpenDisplay.restype = pointer
        x.XDefaultRootWindow.restype = x.XCreateSimpleWindow.restype = x.XStringToKeysym.restype = ulong
        self.x, self.xtst = x, xtst
        self.connection = pointer(x.XOpenDisplay(self.display.encode()))
        root = ulong(x.XDefaultRootWindow(self.connection))
        window = ulong(x.XCreateSimpleWindow(self.connection, root, 0, 0, 99, 99, 0, ulong(0), ulong(0)))
        hint = (ctypes.c_char_p * 2)(APP.encode(), APP.encode())
        x.XSetClassHint(self.connection, window, hint)
        x.XMapWindow(self.connection, window)
        x.XSync(self.connection, 0)
        self.window = window
        self.focus()

    def focus(self):
        """Gives the window the keyboard; a window manager that starts may take it away."""
        self.x.XSetInputFocus(self.connection, self.window, 1, ctypes.c_ulong(0))
        self.x.XSync(self.connection, 0)

    def type(self, *names):
        for name in names:
            keysym = ctypes.c_ulong(self.x.XStringToKeysym(name.encode()))
            code = self.x.XKeysymToKeycode(self.connection, keysym) & 255
            for down in (1, 0):
                self.xtst.XTestFakeKeyEvent(self.connection, code, down, ctypes.c_ulong(0))
        self.x.XSync(self.connection, 0)

    def close(self):
        self.server.kill()
        self.server.wait()


class Home:
    """A throw-away home: `files` has the state and the configuration, `run` the socket."""

    def __init__(self, base, desk, programs):
        self.base, self.desk, self.programs = pathlib.Path(base), desk, pathlib.Path(programs)
        self.files, self.run = self.base / "files", self.base / "run"
        self.state, self.config = self.files / "state/mci", self.files / "config/mci"
        self.ring = self.state / "ring.db"
        self.process = None
        self.wrapper = []  # such as strace
        # What watches or breaks the calls of mcid writes where the sandbox lets nothing write.
        self.options = ["--no-sandbox"]

    def reset(self, template=None):
        """Makes the home as the template is, or empty."""
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir(parents=True)
        self.run.mkdir(mode=0o700)
        if template:
            shutil.copytree(template, self.files, symlinks=True)
        else:
            self.files.mkdir()

    def environment(self, extra):
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.base), "DISPLAY": self.desk.display,
            "XDG_STATE_HOME": str(self.files / "state"), "XDG_CONFIG_HOME": str(self.files / "config"),
            "XDG_RUNTIME_DIR": str(self.run), "XDG_SESSION_TYPE": "x11", "TZ": "UTC",
            "SWIFT_BACKTRACE": "enable=no", **(extra or {})}

    def mcictl(self, *arguments, extra=None):
        return subprocess.run(
            [*self.wrapper, self.programs / "mcictl", *arguments], env=self.environment(extra), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def start(self, extra=None):
        """Starts mcid; nil when it answers, otherwise its exit code or "hangs"."""
        wrapper, extra = self.wrapper, extra or {}
        if not wrapper and "MCI_TRACE" in os.environ:  # make trace
            trace = f"{os.environ['MCI_TRACE']}/{os.urandom(8).hex()}"
            # What is preloaded is for mcid and not for strace.
            wrapper = ["strace", "-D", "-f", "-y", "-qq", "-o", trace,
                       *(word for name, value in extra.items() for word in ("-E", f"{name}={value}"))]
            extra = {}
        with open(self.base / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, self.programs / "mcid", *self.options], env=self.environment(extra),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return self.process.returncode
            if self.status():
                return None
            time.sleep(0.004)
        return "hangs"

    def call(self, method, **parameters):
        """One varlink call; None when nobody answers."""
        message = {"method": f"io.mci.Control.{method}", "parameters": parameters}
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(self.run / "mci/control"))
                client.sendall(json.dumps(message).encode() + b"\0")
                answer = b""
                while not answer.endswith(b"\0"):
                    part = client.recv(1 << 16)
                    if not part:
                        return None
                    answer += part
        except OSError:
            return None
        return json.loads(answer[:-1])

    def status(self):
        answer = self.call("GetStatus")
        return answer and answer.get("parameters", {}).get("status")

    def settle(self):
        """Types a function key until one is admitted: the focus is known from then on."""
        status = self.status()
        if not status or status["state"] != "recording":
            return False
        before, end = status["events"]["admitted"], time.monotonic() + 5
        while time.monotonic() < end:
            self.desk.type("F12")
            time.sleep(0.03)
            status = self.status()
            if not status:
                return False
            if status["events"]["admitted"] > before:
                return True
        return False

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, number=signal.SIGTERM):
        """Ends mcid; its exit code, or "hangs"."""
        if self.process is None:
            return None
        if self.is_alive():
            if self.wrapper:
                os.kill(int((self.state / "mcid.pid").read_text()), int(number))
            else:
                self.process.send_signal(number)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "hangs"
        self.process = None
        return code

    def controls(self):
        """Pause and consent as they are on disk; None when they cannot be read."""
        path = self.state / "controls.json"
        try:
            found = json.loads(path.read_text())["content"] if path.exists() else {}
        except (ValueError, KeyError):
            return None
        return {name: found.get(name) is not None for name in ("pause", "consent")}

    def size(self):
        """Bytes of all files of the ring."""
        return sum(f.stat().st_size for f in self.state.glob("ring.db*")) if self.state.exists() else 0

    def cap(self):
        """What these may be at most: 64 MiB until another size was chosen."""
        settings = self.config / "public/settings.json"
        return json.loads(settings.read_text()).get("ringSize", 64 << 20) if settings.exists() else 64 << 20


def numbers(page):
    """The sequence number and the end in a page that holds a row; None for another page."""
    start = PAGE - PROOF - SEALED - 12
    if len(page) != PAGE or page[start - 8:start - 4] != b"\x08\x00\x05\x05":
        return None
    return (int.from_bytes(page[start:start + 6], "big") - ORIGIN,
            int.from_bytes(page[start + 6:start + 12], "big") - ORIGIN)


def batches(path):
    """All sealed batches in a file, in the pages and in the log's frames: (number, bytes)."""
    data = path.read_bytes() if path.exists() else b""
    is_log = path.name.endswith("-wal")
    found = set()
    for place in range(32 + 24 if is_log else 0, len(data) - PAGE + 1, PAGE + (24 if is_log else 0)):
        page = data[place:place + PAGE]
        row = numbers(page)
        sealed = page[-SEALED - PROOF:-PROOF]
        if row and row[0] > 0 and sealed.startswith(b"age-encryption.org/v1"):
            found.add((row[0], sealed))
    return found


def traces(sealed, files):
    """The files in which a part of a sealed batch stands."""
    parts = [sealed[start:start + 48] for start in range(400, SEALED - 48, 512)]
    return [name for name, data in files.items() if any(part in data for part in parts)]


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def build_shim(folder):
    shim = pathlib.Path(folder) / "faults.so"
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", shim, HERE / "faults.c", "-ldl"], check=True)
    return str(shim)


def copy_programs(programs, folder):
    """The programs as they are now, whatever is built while the proof runs."""
    target = pathlib.Path(folder) / "bin"
    target.mkdir()
    for name in ("mcid", "mcictl"):
        shutil.copy(pathlib.Path(programs) / name, target)
    return target


# The hand types through XTEST: without this only that there were keys would be stored.
SYNTHETIC_KEYS = ("set", "synthetic-keys", "on", "--yes")


def make_template(home, target, slots=None):
    """A consented home whose ring is full of batches that are two hours old, made by mcid itself."""
    clock = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    past = {"LD_PRELOAD": str(clock), "FAKETIME": "-2h", "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1"}
    home.reset()
    for arguments in (("consent", "--accept"), ("set", "ring-size", "3M"), SYNTHETIC_KEYS):
        assert home.mcictl(*arguments).returncode == 0
    assert home.start(past) is None and home.settle()
    while True:
        home.desk.type("F11")
        # Reading the settings anew ends a batch.
        home.call("Flush")
        home.call("Reload")
        stored = max((n for n, _ in batches(home.ring) | batches(home.ring.with_name("ring.db-wal"))), default=0)
        if stored >= (slots or 317) + 3:
            break
    assert home.stop() == 0
    shutil.copytree(home.files, target)


def work_folder():
    """Memory where there is room, so that syncing costs nothing."""
    return tempfile.mkdtemp(prefix="mci-proof-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
