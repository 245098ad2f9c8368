#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every scenario fails once what it is about is broken.

Each of the changes below is made to a copy of one file of Sources, which is compiled and linked in the place
of the file's own object. Then the scenarios of Tests/Scenarios are played with the scripted X server. Exactly
the scenarios named beside a change must fail: more would show that they are about something else, fewer that
they prove nothing. Every scenario is named by one change at least.

    scenarios.py               all changes: some ten minutes
    scenarios.py --list        what is changed, and which scenarios are named
    scenarios.py --only 3,4    those of these numbers

A star stands for any end of a name. ANY: others fail as well, for nearly all of them use what is broken.
Exit code 1 when a change is not noticed as it says.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALL = sorted(path.stem for path in (ROOT / "Tests/Scenarios").glob("*.txt"))
ANY = "ANY"

# The file, what stands there, what stands there instead, and which scenarios fail.
CHANGES = [
    # Pause and consent.
    ("Recording/Recorder.swift", "conditions.isPaused = controls.pause != nil", "conditions.isPaused = false",
     "pause*"),
    ("Person/TimeLimit.swift", "return boottimeEnd.map { $0 <= now.boottime } ?? false", "return false",
     "pause-ends exempt-for-two-hours exempt-everything-asks-at-its-end"),
    ("Gate/Gate.swift", "releaseAll(at: time, &sink)\n        dropRuns()\n        announcedFocus = nil",
     "dropRuns()\n        announcedFocus = nil", "pause-and-a-held-key"),
    ("Recording/Recorder+Control.swift", "try change { $0.withdraw(at: environment.clock().wall) }",
     "try change { _ in }", f"consent* {ANY}"),
    # Exemptions and exclusions.
    ("Gate/RuleBook.swift", "in rules where rule.matches(window) {", "in rules where rule.matches(window) && Bool(false) {",
     "exempt* excluded* gap-says-nothing titles-of-exempt-windows pause-and-exemption policy-exclusion"
     " policy-and-exemption"),
    ("Gate/Rule.swift", "during?.contains(minute) ?? true", "true", "exempt-hours*"),
    ("Gate/Rule.swift", "!texts.contains(where: { title.matches($0) })", "texts.count > 9",
     "exempt-title* exempt-twice excluded-private-window excluded-unmarked-browser"),
    ("Gate/RuleBook.swift", "verdict.drop(device, devices, for: reason)", "_ = device", "exempt-device"),
    ("Gate/RuleBook.swift", "for other in window.around { verdict.add(ownVerdict(on: other)) }",
     "verdict.add(Verdict())", "exempt-window* excluded-inside-another"),
    ("Recording/Recorder.swift", "conditions.leftOutBy = rules.leftOutBy", "conditions.leftOutBy = nil",
     "exempt-everything* exempt-hours-of-everything"),
    ("Gate/Exemption.swift", "state = .expired", "state = .ended", "exempt-everything-asks-at-its-end"),
    ("Person/Controls+Rules.swift", "where !removedExclusions.contains(exclusion.name) {",
     "where exclusion.name.isEmpty {",
     "excluded-password* excluded-private-window excluded-unmarked-browser excluded-screen-keyboard"
     " excluded-nested-screen excluded-inside-another excluded-terminal-prompt"),
    ("Person/Controls+Rules.swift", "for scope in exclusions { result.exclusions.insert(try scope.rule()) }", "",
     "excluded-by-the-person"),
    ("Gate/RuleBook.swift", "restrictions.allowlists.allSatisfy { $0.contains(where: window.isSurelyOf) }", "true",
     "only-some-applications policy-applications*"),
    # Policy.
    ("Person/Consent.swift", "&& receipt.policyHash == policy?.hash\n"
     "            && receipt.noticeHash == noticeHash(under: policy)", "", "policy*"),
    ("Recording/Recorder+Rules.swift", "policy.map { person.stricter($0.restrictions) } ?? person", "person",
     "policy-applications* policy-key-detail policy-exclusion policy-titles policy-programs-keys"),
    # Key detail.
    ("Recording/Recorder.swift", "min(settings.keyDetail(at: now.wall), restrictions.keyDetail)",
     "min(.shortcuts, restrictions.keyDetail)",
     "detail-off detail-activity detail-classes detail-full* detail-looks-forward-only programs-keys-at-off"
     " programs-keys-as-others programs-keys-beside-hands policy-key-detail-and-the-persons"),
    ("Person/SettingsFile.swift", "now < until,", "now < until || true,", "detail-full-ends"),
    ("Gate/KeyDetail.swift", "if self == .activity { return .text }", "", "detail-activity policy-key-detail"),
    # Typing.
    ("Gate/Gate.swift", "case .editing where typing.isOpen(at: raw.time): return", "case .editing: return",
     "run-names-what-edits-alone"),
    ("Gate/Gate.swift", "case .editing where typing.isOpen(at: raw.time): return",
     "case .editing where Bool(false): return", "run-keeps-what-edits detail-shortcuts detail-default"),
    ("Gate/Gate.swift", "typing.end()\n        let stored = ", "let stored = ",
     "run-ends-at-a-named-key run-ends-at-a-chord run-ends-at-a-click"),
    ("Gate/Gate.swift", "isAnother(context) || verdict.refusal != nil { dropRuns() }",
     "verdict.refusal != nil { dropRuns() }", "run-ends-at-another-window titles-stored"),
    ("Gate/Typing.swift", "last.map { time.milliseconds - $0.milliseconds <= TypingRun.patience } ?? false",
     "last != nil", "run-ends-at-a-rest"),
    ("Gate/Typing.swift", "let continues = isOpen(at: time) || step == before", "let continues = false",
     f"run-goes-on-over-a-short-rest {ANY}"),
    ("Gate/KeyDetail.swift", "return .modifier(Self.reduced(key, key.keysym))", "return .named(Self.reduced(key, key.keysym))",
     "run-keeps-its-shift run-keeps-what-edits detail-default detail-shortcuts"),
    ("Gate/Typing.swift", "guard !modifier.isOfRun else", "guard Bool(false), !modifier.isOfRun else",
     "run-and-a-modifier-alone"),
    ("Gate/Gate.swift", "let isChord = typing.servesWheel || heldKeys.hasModifier", "let isChord = true",
     "run-and-the-wheel"),
    # Keys of programs.
    ("Gate/Announcements.swift", "{ !ownDevices.contains(device) }", "{ false }",
     "programs-keys programs-keys-beside-hands policy-programs-keys"),
    ("Gate/Gate.swift", "return !book.recordsSyntheticKeys\n", "return true\n", "programs-keys-as-others"),
    ("Gate/Gate.swift", "guard key.isDown, min(conditions.keyDetail, .activity) != .off,", "guard key.isDown,",
     "programs-keys-at-off"),
    # Gaps.
    ("Gate/StreamState.swift", "case .unknown: return .because(.unknownContext)", "case .unknown: return nil",
     "gap-unknown-focus"),
    ("Gate/Gate.swift", "if stream == .keyboard { leaveOut(.keyboardGrabbed, stream, at: time, &sink) }", "break",
     "gap-keyboard-grabbed"),
    ("Recording/Recorder.swift", "stopped.map(monotonic) ?? now.monotonic", "now.monotonic",
     "gap-not-running gap-kill pause-outlasts-a-kill exempt-outlasts-a-kill"),
    ("Recording/Recorder.swift", "let slept = slept\n", "let slept: Int64 = 0\n", "gap-sleep"),
    ("Recording/Recorder.swift", "conditions.isMarked = change.isSeen", "conditions.isMarked = true", "mark-hidden"),
    ("Recording/Recorder+Session.swift", "attendance.reason(isDemanded: isDemanded)", "nil",
     "session-locked session-away session-unattended"),
    ("Recording/Attendance.swift", "!isAttended && (wasAttended || isDemanded) ? .unattended : nil", "nil",
     "session-unattended"),
    # Titles and forgetting.
    ("Recording/Recorder+Rules.swift", "settings.title ?? false", "true", f"titles-not-stored {ANY}"),
    ("Gate/Gate.swift", "title: book.storesTitles ? window.title : nil", "title: nil", "titles-stored"),
    ("Recording/Recorder+Control.swift", "pipeline.openBatch.store.erase(selection)", "_ = selection",
     f"forget-everything forget-while-typing {ANY}"),
    ("Recording/Recorder+Control.swift", "pipeline.beginRunsAnew()", "", "forget-while-typing"),
    ("Recording/Recorder.swift", "        stayAsleep(at: now)\n        update", "        update", "gap-sleep"),
]


def named(text):
    """The scenarios that a change names."""
    found = set()
    for word in text.replace(ANY, "").split():
        matches = fnmatch.filter(ALL, word)
        if not matches:
            sys.exit(f"There is no scenario {word}.")
        found.update(matches)
    return found


class Workshop:
    """The program of all tests as SwiftPM has built it, with one file in another form."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["swift", "build", "--build-tests"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        plan = (ROOT / ".build/debug.yaml").read_text()
        self.commands = [json.loads(found) for found in re.findall(r"args: (\[.*\])$", plan, re.M)]
        self.linking = next(c for c in self.commands if any("mciPackageTests.xctest" in a for a in c)
                            and any("LinkFileList" in a for a in c))
        listing = next(a[1:] for a in self.linking if "LinkFileList" in a)
        self.objects = pathlib.Path(listing).read_text().splitlines()
        # Where the tests look for what else was built.
        self.program = (ROOT / ".build/debug").resolve() / "mciScenarios.xctest"

    def compile(self, file, text):
        """The object of a file that holds another text."""
        module, name = file.split("/", 1)
        command = next(c for c in self.commands if "-c" in c and c[1:3] == ["-module-name", module])
        flags, words = ["-module-name", module, "-parse-as-library", "-suppress-warnings"], iter(command[3:])
        for word in words:
            if word in ("-I", "-Xcc", "-swift-version", "-enable-upcoming-feature", "-package-name",
                        "-module-cache-path", "-target"):
                flags += [word, next(words)]
            elif word in ("-Onone", "-enable-testing", "-strict-memory-safety") or word.startswith("-D"):
                flags.append(word)
        source, made = self.folder / pathlib.Path(name).name, self.folder / "changed.o"
        source.write_text(text)
        others = [path for path in (ROOT / "Sources" / module).rglob("*.swift") if path.name != source.name]
        subprocess.run([command[0], "-frontend", "-c", *flags, "-primary-file", source, *others, "-o", made],
                       check=True)
        return made

    def link(self, file, made):
        module, name = file.split("/", 1)
        ending = f"/{module}.build/{name}.o"
        kept = [line for line in self.objects if not line.strip("'\"").endswith(ending)]
        if len(kept) != len(self.objects) - 1:
            sys.exit(f"SwiftPM links no object of {file}.")
        (self.folder / "objects").write_text("\n".join([*kept, str(made)]))
        begin = self.linking[:self.linking.index("-o")]
        subprocess.run([*begin, "-o", self.program, "-emit-executable", "-module-name", "mciPackageTests",
                        f"@{self.folder}/objects", "-Xlinker", "-rpath=$ORIGIN"], check=True)

    def failing(self):
        """The scenarios that fail, and whether the program came to its end."""
        run = subprocess.run(
            [self.program, "--testing-library", "swift-testing", "--filter", "MciTests.ScenarioTests"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (300, 300)),
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        found = set(re.findall(r"Tests/Scenarios/([\w-]+)\.txt", run.stdout.decode(errors="replace")))
        return found & set(ALL), b"Test run with" in run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list the changes only")
    parser.add_argument("--only", metavar="N,N", default="")
    options = parser.parse_args()
    numbers = [int(word) for word in options.only.split(",") if word] or range(1, len(CHANGES) + 1)
    covered = set().union(*(named(change[3]) for change in CHANGES))
    if missing := set(ALL) - covered:
        sys.exit(f"No change is about: {', '.join(sorted(missing))}")
    for file, old, new, _ in CHANGES:
        if (ROOT / "Sources" / file).read_text().count(old) != 1:
            sys.exit(f"{file} does not have this once: {old}")
    if options.list:
        for number, (file, old, new, names) in enumerate(CHANGES, 1):
            print(f"{number}. {file}: {' '.join(old.split())} -> {' '.join(new.split()) or 'nothing'}\n   {names}")
        return
    begin, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="mci-scenarios-") as folder:
        shop = Workshop(pathlib.Path(folder))
        try:
            for number in numbers:
                file, old, new, names = CHANGES[number - 1]
                text = (ROOT / "Sources" / file).read_text().replace(old, new)
                shop.link(file, shop.compile(file, text))
                expected, (found, has_ended) = named(names), shop.failing()
                more = found - expected if ANY not in names else set()
                verdict = "as it says" if expected <= found and not more and has_ended else "OTHERWISE"
                wrong += verdict == "OTHERWISE"
                print(f"{number:2} {file}: {len(found)} fail, {verdict}"
                      + ("" if has_ended else "; it did not come to its end")
                      + (f"; not: {' '.join(sorted(expected - found))}" if expected - found else "")
                      + (f"; also: {' '.join(sorted(more))}" if more else ""), flush=True)
        finally:
            shop.program.unlink(missing_ok=True)
    print(f"{len(numbers)} changes, {wrong} not noticed as they say, in {time.monotonic() - begin:.0f} s")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
