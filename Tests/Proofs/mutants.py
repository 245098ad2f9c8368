#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever is changed in the gate, a test of the gate notices.

A mutant is Sources/Gate with one small change: a comparison or a boolean turned round, a limit moved by
one, a condition always or never true (so a guard is gone, or nothing passes it), a default without what
it stands in for, a statement or an entry of a list left out. Each is compiled and the tests in
Tests/MciTests/Gate run; it is killed when one fails, crashes, does not end, or when it does not compile.

    mutants.py                       every mutant: some ten minutes
    mutants.py --list                what would be changed
    mutants.py --only Lane.swift:80  those of a file, or of a line; --every 20 is a sample
    mutants.py --module Storage      the decisions of the ring instead: about two hours; --every 20 is six minutes

The gate is a shared library here, so that the tests are compiled once and a mutant costs one file of
the gate, a link and a run. The storage is one too, loaded by the program of all tests as SwiftPM has
built it, of which the fast ones about the ring run. Exit code 1 when a mutant survives.
"""
import argparse
import collections
import concurrent.futures
import os
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULE = "Storage" if "Storage" in sys.argv else "Gate"
# As they are when we begin; they may be edited meanwhile.
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "Sources" / MODULE).glob("*.swift"))}
# The words of 30 languages are data, which no test repeats.
DATA = {"PrivateTitles.swift"}
# What nothing outside can tell from the original, and why.
EQUIVALENT = {} if MODULE == "Storage" else {
    ("Gate.swift", "isOpen -> true", "guard isOpen, let from = pointer.clearFrom, surroundings.areTold(run.device),"):
        "A closed gate has no window in front: a second lock.",
    ("Gate.swift", "conditions.keyDetail.hasRuns -> true",
     "if isChord, conditions.keyDetail.hasRuns { time = endRun(for: raw.time, &sink) }"):
        "Where there are no runs, none is open and no modifier waits: nothing ends.",
    ("Gate.swift", "conditions.keyDetail.hasRuns -> true",
     "if conditions.keyDetail.hasRuns { time = endRun(for: raw.time, &sink) }"):
        "Where there are no runs, none is open and no modifier waits: nothing ends.",
    ("Lane.swift", "0 -> 1", "private(set) var since = EventTime(0)"):
        "It is the beginning of a verdict that drops no device; only a drop asks for it.",
    ("HeldKeys.swift", "< -> <=", "(left.keycode, left.device) < (right.keycode, right.device)"):
        "No two keys that are held have one place.",
    ("WeekHours.swift", "< -> <=", "if from < to { return isOn(day) && from..<to ~= time }"):
        "Hours that end at the minute at which they begin are refused.",
}

FLAGS = ["-package-name", "mci", "-swift-version", "6", "-parse-as-library", "-Onone",
         "-enable-testing", "-suppress-warnings"]
for feature in ["ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault"]:
    FLAGS += ["-enable-upcoming-feature", feature]
RUNNER = """import Testing
@main struct Runner { static func main() async { await Testing.__swiftPMEntryPoint() as Never } }
"""
# The tests over many random cases come last, for most mutants never.
LONG = "random|histories|naive|oracle|stricter"
# Of the processor's time, so that a busy machine kills no mutant: most tests take 0.1 s together.
LIMITS = {"--skip": 5, "--filter": 30}

SWAPS = {
    "==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="],
    ">=": [">", "<"], "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "&": ["|"],
    "+=": ["-="], "|=": ["^="], "..<": ["..."], "...": ["..<"], "true": ["false"],
    "false": ["true"], "min": ["max"], "max": ["min"], "!": [""],
}
SWAP = re.compile(r"(?<!func )(?<=\s)(?:[!=<>]=|<|>|&&|\|\||\+|-|&|\+=|\|=)(?=\s[^~])"
                  r"|(?<=[\w)\"])\.\.[.<](?=[\w\"])|\b(?:true|false)\b|(?<![\w.])(?:min|max)(?=\()"
                  r"|(?<!\w)!(?=[\w(])")
NUMBER = re.compile(r"(?<![\w.$<])(?:0x[0-9A-F]+|\d[\d_]*)(?![\w.]*[a-z])")
TRUTH = re.compile(
    r"(?<![!\w.\]])(?<!(?:func|.let|.var|case) )(?:[\w$]+(?:\[[^]\n]*\])?[?.]+)*(?:(?:is|has)[A-Z]\w*|matches"
    r"|contains|allSatisfy|drops|writesText|storesTitles|tellsSyntheticKeys|mayBeInjected|mayAskForSecret|atSecretPrompts|needsTitle)"
    r"\b(?!:| = |\)\s*\.)")
STATEMENT = re.compile(
    r"^ +(?P<case>case [^\n]*?: )?(?P<it>"
    r"(?!(?:return|guard|if|else|for|while|let|var|case|switch|package|private|init|func|static)\b)"
    r"(?:defer \{|\([a-z, ]+\) = |[a-z_]\w*(?:[.?]+\w+|\[[^]\n]*\])*(?: [+|-]?= |\(| \{)))", re.M)
ENTRY = re.compile(r'(?<=[\[ ])(?<!: )"[^"\n]*"(?=,)|DefaultExclusion(?=\((?:"|\n))')
Mutant = collections.namedtuple("Mutant", "name start end new title")


def code(text):
    """The text with comments and strings blanked, so that places stay the same."""
    def blank(match):
        return '"' + " " * (len(match[0]) - 2) + '"' if match[0][0] == '"' else " " * len(match[0])
    return re.sub(r'//[^\n]*|"(?:\\\((?:[^()]|\([^()]*\))*\)|[^"\n])*"', blank, text)


def until(text, place, *signs):
    """Where one of the signs follows, or the brackets around the place end."""
    depth = 0
    while depth > 0 or not text.startswith(signs, place):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth < 0:
            break
        place += 1
    return place


def operand(text, end, looser):
    """Where the operand begins that ends before `end`: after an operator of the looser ones."""
    end = len(text[:end].rstrip())
    line = text[text.rindex("\n", 0, end):end]
    while (flat := re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", lambda m: "_" * len(m[0]), line)) != line:
        line = flat
    ends = re.finditer(rf" (?:{looser}) |[,:] |\b(?:return|in) |\n +|[(\[{{] ?", line)
    return end - len(line) + max(match.end() for match in ends)


def changes(text):
    """All changes to a file: begin, end, new text."""
    for match in SWAP.finditer(text):
        yield from ((*match.span(), new) for new in SWAPS[match[0]])
    for match in NUMBER.finditer(text):
        yield *match.span(), str(int(match[0].replace("_", ""), 0) + 1)
    for match in TRUTH.finditer(text):
        yield match.start(), match.start(), "!"
    for match in re.finditer(r" \?\? ", text):
        yield operand(text, match.start(), r"=|==|!=|<=|&&|\|\|"), match.end(), ""
    for match in re.finditer(r"\s\? ", text):
        for new in ["true", "false"]:
            yield operand(text, match.start(), "="), match.start(), new
    for match in re.finditer(r"\b(if|guard|while|where)\b ", text):
        place = match.end() - 1
        while text[place] in " ,":
            end = until(text, place + 1, ",", "else" if match[1] == "guard" else "{")
            first = end - len(text[place + 1:end].lstrip())
            last = len(text[:end].rstrip())
            if re.match(r"(let|var|case)\b", text[first:last]):
                yield last, last, ", false"
            else:
                yield from ((first, last, new) for new in ["true", "false"])
            place = end
    for match in re.finditer(r"\bfor [^\n]*? in ", text):
        end = until(text, match.end(), " {", " where ")
        if text.startswith(" {", end):
            yield end, end, " where false"
    for match in STATEMENT.finditer(text):
        yield match.start("it"), until(text, match.start("it"), "\n"), "break" if match["case"] else ""
    for match in ENTRY.finditer(text):
        yield match.start(), until(text, match.end(), ",") + 1, ""


def mutants():
    equivalent = set()
    for name in sorted(TEXTS.keys() - DATA):
        text = TEXTS[name]
        for start, end, new in sorted(set(changes(code(text)))):
            line = text.count("\n", 0, start) + 1
            old, into = (" ".join(part.split()) or "nothing" for part in [text[start:end], new])
            within = text.splitlines()[line - 1].strip()
            if (key := (name, f"{old} -> {into}", within)) in EQUIVALENT:
                equivalent.add(key)
            elif old != into:
                yield Mutant(name, start, end, new, f"{name}:{line}: {old} -> {into}    in: {within}")
    if gone := EQUIVALENT.keys() - equivalent:
        sys.exit(f"No mutants any more: {gone}")


def tests():
    """The tests of the gate and what they use: files that import the gate and nothing above it."""
    for path in sorted(ROOT.glob("Tests/MciTests/*/*.swift")):
        names = set(re.findall(r"^(?:@testable )?import (\w+)$", path.read_text(), re.M))
        if "Gate" in names and names <= {"Events", "Gate", "Testing"}:
            yield path


class Workshop:
    """A folder with the gate as a shared library, and its tests as a program that loads it."""

    def __init__(self, folder):
        self.folder, self.objects = folder, {name: folder / f"{name[:-6]}.o" for name in TEXTS}
        self.swiftc = shutil.which("swiftc") or sys.exit("swiftc is not on the PATH.")
        plugins = pathlib.Path(os.path.realpath(self.swiftc)).parents[1] / "lib/swift/host/plugins"
        for name, text in {**TEXTS, "runner.swift": RUNNER}.items():
            (folder / name).write_text(text)
        self.build("-module-name", "Events", "-emit-module", "-emit-library", "-o", "libEvents.so",
                   *sorted((ROOT / "Sources/Events").glob("*.swift")))
        self.build("-module-name", "Gate", "-emit-module", "-emit-module-path", "Gate.swiftmodule",
                   "-c", *TEXTS)
        self.link(folder, self.objects)
        self.build("-module-name", "GateTests", "-plugin-path", plugins, "-lEvents", "-lGate",
                   "-lTesting", "-o", "tests", "runner.swift", *tests())

    def build(self, *arguments):
        subprocess.run([self.swiftc, *FLAGS, "-I.", "-L.", *arguments], cwd=self.folder, check=True)

    def link(self, folder, objects):
        subprocess.run([self.swiftc, "-emit-library", "-o", folder / "libGate.so", *objects.values(),
                        f"-L{self.folder}", "-lEvents"], check=True)

    def compile(self, mutant, folder):
        """Whether the mutant compiles, as a library in the folder."""
        text, source = TEXTS[mutant.name], folder / mutant.name
        source.write_text(text[:mutant.start] + mutant.new + text[mutant.end:])
        others = [self.folder / name for name in TEXTS if name != mutant.name]
        made = subprocess.run(
            [self.swiftc, "-frontend", "-c", *FLAGS, "-module-name", "Gate", "-I", self.folder,
             "-primary-file", source, *others, "-o", folder / "mutant.o"], capture_output=True)
        if made.returncode == 0:
            self.link(folder, {**self.objects, mutant.name: folder / "mutant.o"})
        return made.returncode == 0

    def passes(self, folder, choice):
        """Whether the tests pass with the library in the folder; the first failure ends them."""
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (LIMITS[choice], LIMITS[choice]))
            resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        run = subprocess.Popen(
            [self.folder / "tests", choice, LONG], text=True, cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=limit,
            # A crash is told by the exit alone: who prints a backtrace holds the pipe open.
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no",
                 "LD_LIBRARY_PATH": f"{folder}:{self.folder}"})
        for line in run.stdout:
            if " recorded an issue " in line:
                run.kill()
        return run.wait() == 0

    def verdict(self, mutant):
        """What kills the mutant; nothing where it survives."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            if not self.compile(mutant, folder):
                return "compiler"
            return None if all(self.passes(folder, choice) for choice in LIMITS) else "test"


class RingWorkshop(Workshop):
    """A folder with the storage as a shared library, and all tests as a program that loads it."""

    CHOSEN = "AgeClockTests|SlotTableTests|DamageTests|EarlierRingTests|RingTests|BitTests"

    def __init__(self, folder):
        self.folder, self.objects = folder, {name: folder / f"{name[:-6]}.o" for name in TEXTS}
        self.swiftc = shutil.which("swiftc") or sys.exit("swiftc is not on the PATH.")
        subprocess.run(["swift", "build", "--build-tests"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        plan = (ROOT / ".build/debug.yaml").read_text()
        commands = [json.loads(found) for found in re.findall(r"args: (\[.*\])$", plan, re.M)]
        compiling = next(c for c in commands if "-c" in c and c[1:3] == ["-module-name", "Storage"])
        linking = next(c for c in commands if any("mciPackageTests.xctest" in a for a in c)
                       and any("LinkFileList" in a for a in c))
        self.flags = self.imports(compiling)
        for name, text in TEXTS.items():
            (folder / name).write_text(text)
        for name in TEXTS:
            others = [folder / other for other in TEXTS if other != name]
            subprocess.run([self.swiftc, "-frontend", "-c", *self.flags, "-primary-file", folder / name, *others,
                            "-o", self.objects[name]], check=True)
        self.link(folder, self.objects)
        listing = next(a[1:] for a in linking if "LinkFileList" in a)
        kept = [line for line in pathlib.Path(listing).read_text().splitlines() if "/Storage.build/" not in line]
        (folder / "objects").write_text("\n".join(kept))
        # Where the tests look for what else was built.
        program = ROOT / ".build/debug/mciMutants.xctest"
        self.program = program.resolve()
        subprocess.run([*linking[:linking.index("-o")], "-o", self.program, "-emit-executable",
                        "-module-name", "mciPackageTests", f"@{folder}/objects", "-Xlinker", "--export-dynamic",
                        f"-L{folder}", "-lStorage", "-Xlinker", "-rpath=$ORIGIN"], check=True)

    @staticmethod
    def imports(command):
        """What a file of the module is compiled with, of the command for all."""
        flags, words = ["-module-name", "Storage", "-parse-as-library", "-suppress-warnings"], iter(command[3:])
        for word in words:
            if word in ("-I", "-Xcc", "-swift-version", "-enable-upcoming-feature", "-package-name",
                        "-module-cache-path", "-target"):
                flags += [word, next(words)]
            elif word in ("-Onone", "-enable-testing", "-strict-memory-safety") or word.startswith("-D"):
                flags.append(word)
        return flags

    def link(self, folder, objects):
        subprocess.run([self.swiftc, "-emit-library", "-o", folder / "libStorage.so", *objects.values()], check=True)

    def compile(self, mutant, folder):
        text, source = TEXTS[mutant.name], folder / mutant.name
        source.write_text(text[:mutant.start] + mutant.new + text[mutant.end:])
        others = [self.folder / name for name in TEXTS if name != mutant.name]
        made = subprocess.run([self.swiftc, "-frontend", "-c", *self.flags, "-primary-file", source, *others,
                               "-o", folder / "mutant.o"], capture_output=True)
        if made.returncode == 0:
            self.link(folder, {**self.objects, mutant.name: folder / "mutant.o"})
        return made.returncode == 0

    def passes(self, folder, choice):
        if choice == "--skip":
            return True
        run = subprocess.Popen(
            [self.program, "--testing-library", "swift-testing", "--filter", self.CHOSEN], text=True, cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (120, 120)),
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no", "LD_LIBRARY_PATH": f"{folder}:{self.folder}"})
        for line in run.stdout:
            if " recorded an issue " in line:
                run.kill()
        return run.wait() == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list the mutants only")
    parser.add_argument("--only", metavar="FILE[:LINE]", default="")
    parser.add_argument("--module", choices=["Gate", "Storage"], default="Gate")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each Nth only")
    options = parser.parse_args()
    only = options.only and options.only + ":"
    chosen = [mutant for mutant in mutants() if mutant.title.startswith(only)][::options.every]
    if options.list:
        print(*(mutant.title for mutant in chosen), sep="\n")
        return
    begin, killed = time.monotonic(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="mci-mutants-") as folder:
        shop = (RingWorkshop if MODULE == "Storage" else Workshop)(pathlib.Path(folder))
        if not all(shop.passes(shop.folder, choice) for choice in LIMITS):
            sys.exit("The tests fail without any change.")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for mutant, verdict in zip(chosen, pool.map(shop.verdict, chosen)):
                killed[verdict] += 1
                if verdict is None:
                    print("survives:", mutant.title, flush=True)
    print(f"{len(chosen)} mutants, {killed['test'] + killed['compiler']} killed "
          f"({killed['compiler']} by the compiler) in {time.monotonic() - begin:.0f} s")
    sys.exit(killed[None] > 0)


if __name__ == "__main__":
    main()
