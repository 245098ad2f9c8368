// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Notes
import Person
import Recording
import System
import Testing
import Timeline

@testable import Holder
@testable import Reader
@testable import Release

/// The whole story with the real programs.
///
/// A recording, a grant, a release, a job, its trace, and the end; the holder is a process of its own.
final class ReleaseStory {
    static let marker = "MARKER"

    let session: ScriptedSession
    let folder: TemporaryFolder
    let office: ReleaseOffice
    /// The organisation's folder, as on another machine.
    let desk: String
    private(set) var number = 1

    init(markers: Int = 1) throws {
        session = try ScriptedSession(detail: .full)
        folder = session.folder
        for number in 0..<markers {
            session.focus("\(Self.marker)\(number)")
            session.type("zebrafish")
            session.key(0x63, down: true, modifiers: .control)
            session.key(0x63, down: false, modifiers: .control)
            session.pass(30_000)
        }
        session.recorder.stop()
        office = try ReleaseOffice()
        desk = folder.path + "/desk"
        try Disk.makeFolder(desk)
        try Disk.write(office.purpose.bytes, to: desk + "/p.purpose")
        try Disk.write(try office.certificate().bytes, to: desk + "/job.certificate")
        try Disk.write(Array(office.reader.file.utf8), to: desk + "/job.key")
    }

    var files: ReleaseFiles {
        let paths = folder.paths
        return ReleaseFiles(
            grants: paths.grants,
            purposes: paths.purposes,
            releases: paths.releases,
            outbox: paths.outbox
        )
    }

    func mcictl(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment, input: input)
    }

    /// Imports and grants, and drafts the whole recording; the scripted clock is ahead of the real one.
    func grant() throws {
        var result = try mcictl("release", "purposes", "import", desk + "/p.purpose")
        #expect(result.code == 0, "\(result.errors)")
        result = try mcictl("release", "grant", "model", "--yes")
        #expect(result.code == 0, "\(result.errors)")
        try draft()
    }

    func draft() throws {
        let grant = try #require(files.grants().last)
        let recipe = Recipe(
            grant: grant.id,
            span: .init(from: 0, to: session.now.wall.milliseconds + 60_000)
        )
        number = (files.drafts.last ?? 0) + 1
        try files.store(recipe, as: number)
    }

    func digest() throws -> String {
        try #require(try mcictl("release", "review", "--json").json["digest"] as? String)
    }

    func approve() throws {
        let result = try mcictl("release", "approve", try digest())
        #expect(result.code == 0, "\(result.errors)")
    }

    /// Copies the outbox, as anything may that carries it.
    func copyOutbox() throws -> String {
        let copy = desk + "/copy-\(UInt32.random(in: 0...(.max)))"
        try FileManager.default.copyItem(atPath: folder.paths.outbox, toPath: copy)
        return copy
    }

    /// Runs a job on a copy of the outbox, with a holder beside it.
    func job(_ store: String, out: String, _ command: [String]) throws -> Program.Result {
        let holder = try Daemon.start("mci-holder", environment: folder.environment)
        defer {
            holder.terminate()
            holder.waitUntilExit()
        }
        return try Program.run(
            "mci-read",
            [
                "run", "--store", store, "--holder", folder.paths.holder + "/program",
                "--purpose", desk + "/p.purpose", "--key", desk + "/job.key",
                "--certificate", desk + "/job.certificate", "--reason", "train the model",
                "--out", out, "--",
            ] + command,
            environment: folder.environment
        )
    }
}

extension Daemon {
    /// Starts a program that is ended by the caller.
    static func start(_ name: String, environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path(name)))
        process.environment = environment
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}

@Suite struct ReleaseCommandTests {
    @Test func `a release is granted, reviewed, approved, opened with a trace, and taken back`()
        throws
    {
        let story = try ReleaseStory()
        try story.grant()
        let review = try story.mcictl("release", "review", "--no-open")
        #expect(review.output.contains("MARKER0") && review.output.contains("Digest: "))
        #expect(!review.output.contains("zebrafish"))
        let page = try story.mcictl("release", "review", "--out", "-")
        #expect(page.output.contains("What this release would contain"))
        #expect(page.output.contains("mcictl release cut --draft=1"))
        let lines = try story.mcictl("release", "review", "--events")
        #expect(lines.output.contains("\"type\":\"typing\"") && !lines.output.contains("zebrafish"))
        try story.approve()
        let copy = try story.copyOutbox()
        let out = story.desk + "/out"
        let job = try story.job(copy, out: out, ["sh", "-c", "cat > $MCI_OUT/events.jsonl"])
        #expect(job.code == 0, "\(job.errors)")
        let opened = try String(contentsOfFile: out + "/events.jsonl", encoding: .utf8)
        #expect(opened.contains("\"app\":\"MARKER0\"") && opened.hasPrefix("{\"type\":\"release\""))
        #expect(
            opened.split(separator: "\n").dropFirst().joined(separator: "\n") + "\n" == lines.output
        )
        let trace = try story.mcictl("release", "trace")
        #expect(trace.output.contains("R. Reader") && trace.output.contains("train the model"))
        #expect(try story.mcictl("status").output.contains("1 release to model; 1 opening"))
        #expect(try story.mcictl("report", "--out", "-").output.contains("<h2>Releases</h2>"))
        let records = story.folder.names(below: "desk/out.run").sorted()
        #expect(records.count == 2 && records[1].hasSuffix(".openings.json"))
        let croissant = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: out + ".run/" + records[0]))
        )
        #expect((croissant as? [String: Any])?["@type"] as? String == "sc:Dataset")
        let withdrawn = try story.mcictl("release", "withdraw", "model", "--yes")
        #expect(withdrawn.code == 0, "\(withdrawn.errors)")
        let again = try story.job(copy, out: story.desk + "/again", ["cat"])
        #expect(again.code == 77 && again.output.isEmpty)
        #expect(again.errors.contains("its secret was destroyed"))
        let nothing = story.folder.files(below: "desk/again.run")
            .filter { $0.key.hasSuffix(".openings.json") }
        let record = try JSONSerialization.jsonObject(with: try #require(nothing.values.first))
        let fields = try #require(record as? [String: Any])
        #expect((fields["opened"] as? [Any])?.isEmpty == true && fields["refused"] as? Int == 1)
        let after = try story.mcictl("release", "trace", "--json")
        let grants = after.json["grants"] as? [[String: Any]]
        #expect((grants?.first?["ended"] as? String)?.hasPrefix("withdrawn") == true)
        #expect((grants?.first?["openings"] as? [Any])?.count == 1)
        #expect(
            story.folder.names(below: "state/mci/outbox").filter { $0.hasSuffix(".age") }.isEmpty
        )
    }

    @Test func `before an opening no planted word is in any file but the recording's own`() throws {
        let story = try ReleaseStory(markers: 64)
        try story.grant()
        try story.approve()
        _ = try story.copyOutbox()
        let words =
            (0..<64).map { Data("\(ReleaseStory.marker)\($0)".utf8) } + [Data("zebrafish".utf8)]
        for place in [
            "state/mci/outbox", "state/mci/holder", "desk", "config/mci", "state/mci/releases",
        ] {
            for (name, bytes) in story.folder.files(below: place) {
                for word in words { #expect(bytes.range(of: word) == nil, "\(place)/\(name)") }
            }
        }
    }

    @Test func `what goes is what was reviewed, or nothing`() throws {
        let story = try ReleaseStory(markers: 2)
        try story.grant()
        let digest = try story.digest()
        #expect(try story.mcictl("release", "cut", "--app", "MARKER1").code == 0)
        let refused = try story.mcictl("release", "approve", digest)
        #expect(refused.code == 77 && refused.errors.contains("not what you reviewed"))
        #expect(!FileManager.default.fileExists(atPath: story.folder.paths.outbox))
        #expect(
            try story.mcictl("release", "review", "--no-open").output.contains(
                "cut out the applications MARKER1"
            )
        )
        #expect(try story.mcictl("release", "approve", "abc").code == 64)
        #expect(try story.mcictl("release", "cut", "--undo").code == 0)
        #expect(try story.digest() == digest)
        try story.approve()
        #expect(try story.mcictl("release", "list").output.contains("in the outbox"))
        #expect(try story.mcictl("release", "discard", "1").code == 0)
        #expect(try story.mcictl("release", "list").output.contains("discarded"))
        #expect(try story.mcictl("release", "approve", digest).errors.contains("no draft"))
    }

    @Test func `the job has no network, no other folder, and only a pipe`() throws {
        let story = try ReleaseStory()
        try story.grant()
        try story.approve()
        let script = """
            import os, socket, sys
            failures = []
            import ctypes, fcntl
            libc = ctypes.CDLL(None, use_errno=True)
            attempts = {
                "datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
                "messages": lambda: socket.socketpair()[0].sendmsg([b"x"]),
                "chmod": lambda: os.chmod(os.environ["MCI_OUT"], 0o700),
                "times": lambda: os.utime(os.environ["MCI_OUT"]),
                "xattr": lambda: os.setxattr(os.environ["MCI_OUT"], "user.x", b"x"),
                "typing": lambda: fcntl.ioctl(2, 0x5412, b"x"),
                "a descriptor": lambda: os.fstat(3),
                "a terminal": lambda: open("/dev/tty"),
            }
            for name, attempt in attempts.items():
                try:
                    attempt()
                    failures.append(name)
                except OSError:
                    pass
            one, two = socket.socketpair()
            one.send(b"x")
            if two.recv(1) != b"x":
                failures.append("a pair of streams")
            for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
                try:
                    socket.socket(family)
                    failures.append(f"a socket of family {family}")
                except OSError:
                    pass
            for path in ("/tmp/mci-job", os.path.join(os.environ["MCI_OUT"], "..", "beside")):
                try:
                    open(path, "w")
                    failures.append(path)
                except OSError:
                    pass
            for path in sys.argv[1:]:
                try:
                    os.listdir(path) if os.path.isdir(path) else open(path)
                    failures.append(path)
                except OSError:
                    pass
            events = sum(1 for line in sys.stdin)
            open(os.path.join(os.environ["MCI_OUT"], "result"), "w").write(f"{events} {failures}")
            """
        let paths = story.folder.paths
        let out = story.desk + "/out"
        let job = try story.job(
            try story.copyOutbox(),
            out: out,
            [
                "python3", "-c", script, paths.identity, paths.grants, paths.holder,
                story.desk + "/job.key",
            ]
        )
        #expect(job.code == 0, "\(job.errors)")
        let result = try String(contentsOfFile: out + "/result", encoding: .utf8)
        #expect(result.hasSuffix(" []") && !result.hasPrefix("0 "), "\(result)")
        let failing = try story.job(
            try story.copyOutbox(),
            out: story.desk + "/b",
            ["sh", "-c", "exit 3"]
        )
        #expect(failing.code == 3)
    }

    @Test func `forgetting names what was released, and withdrawing consent ends all grants`()
        throws
    {
        let story = try ReleaseStory()
        try story.grant()
        try story.approve()
        let forgotten = try story.mcictl("forget", "--all", "--yes")
        #expect(forgotten.errors.contains("model 1"), "\(forgotten.errors)")
        #expect(forgotten.errors.contains("mcictl release withdraw model"))
        let consent = try story.mcictl("consent", "--withdraw")
        #expect(
            consent.output.contains("Your grant for model is withdrawn too"),
            "\(consent.errors)"
        )
        #expect(story.files.grants().allSatisfy { $0.erasure != nil && !$0.isUnfinished })
    }

    @Test func `a holder's key cannot become a reader, and grants survive a lost folder`() throws {
        let story = try ReleaseStory()
        try story.grant()
        let holder = try #require(story.files.grants().first?.grant.content.holders.first)
        for recipient in [holder.recipient, holder.rows] {
            let refused = try story.mcictl("key", "recipients", "add", recipient, "--yes")
            #expect(refused.code == 77 && refused.errors.contains("without a trace"))
        }
        let backup = story.folder.path + "/backup"
        let made = try story.mcictl("key", "backup", backup, "--no-protect")
        #expect(made.code == 0 && made.output.contains("1 grant"), "\(made.errors)")
        let sealed = try #require(FileManager.default.contents(atPath: backup + ".grants"))
        #expect(sealed.range(of: Data("MCI-NOTE-KEY".utf8)) == nil)
        try FileManager.default.removeItem(atPath: story.folder.paths.grants)
        let restored = try story.mcictl("key", "restore-grants", backup + ".grants")
        #expect(restored.output.contains("1 grant was put back"), "\(restored.errors)")
        #expect(try story.mcictl("release", "withdraw", "model", "--yes").code == 0)
    }

    @Test func `a policy can limit purposes, and forbid releases, never more`() throws {
        let story = try ReleaseStory()
        func use(_ part: String) throws {
            let text = """
                {"schema": 1, "purpose": "Tests", "controller": "Example", "contact": "office", \(part)}
                """
            try Disk.write(Array(text.utf8), to: story.folder.path + "/policy.json")
        }
        func run(_ arguments: String...) throws -> Program.Result {
            var environment = story.folder.environment
            environment["MCI_POLICY"] = story.folder.path + "/policy.json"
            return try Program.run("mcictl", arguments, environment: environment)
        }
        let file = story.desk + "/p.purpose"
        try use("\"releases\": false")
        #expect(try run("release", "purposes", "import", file).errors.contains("forbids releases"))
        let other = NoteSigner(name: "other").verifier.text
        try use("\"purposes\": [{\"authority\": \"\(other)\", \"steward\": \"\(other)\"}]")
        #expect(try run("release", "purposes", "import", file).errors.contains("does not allow"))
        let (one, two) = (story.office.authority.verifier.text, story.office.steward.verifier.text)
        try use("\"purposes\": [{\"authority\": \"\(one)\", \"steward\": \"\(two)\"}]")
        #expect(try run("release", "purposes", "import", file).code == 0)
        #expect(try run("release", "grant", "model", "--yes").code == 0)
        try use("\"releases\": false")
        try story.draft()
        #expect(try run("release", "review").errors.contains("forbids releases"))
    }

    @Test func `whole days go by themselves only where that was asked for, a day later`() throws {
        let story = try ReleaseStory()
        try story.grant()
        #expect(try story.mcictl("release", "standing", "--run").output.isEmpty)
        #expect(
            try story.mcictl("release", "standing", "model", "--days", "31", "--yes").code == 64
        )
        let begun = try story.mcictl("release", "standing", "model", "--days", "14", "--yes")
        #expect(begun.code == 0, "\(begun.errors)")
        #expect(try story.mcictl("release", "standing", "--run").output.isEmpty)
        let id = try #require(story.files.grants().first?.id)
        var standing = try #require(story.files.standing(of: id))
        // As if it had begun three days ago: two days are over, and one of them for a day.
        standing.doneUntil -= 3 * 86_400_000
        standing.reviewed = "2020-01-01T00:00:00Z"
        try story.files.store(standing, of: id)
        let run = try story.mcictl("release", "standing", "--run")
        #expect(run.lineCount == 2, "\(run.output)\(run.errors)")
        #expect(run.errors.contains("have not reviewed"))
        #expect(try story.mcictl("doctor").output.contains("not reviewed them for a week"))
        #expect(try story.mcictl("release", "standing", "model", "--end").code == 0)
        #expect(story.files.standing(of: id) == nil)
    }

    /// Runs a verb with a system call of a kind failing, or killing it, at its turn.
    private func injected(
        _ story: ReleaseStory,
        _ fault: String,
        when turn: UInt64,
        _ arguments: String...
    ) throws -> Program.Result {
        let calls = fault.contains("ENOSPC") ? "write,fsync,mkdir" : Self.calls
        return try Program.run(
            "strace",
            [
                "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
                "inject=\(calls):\(fault):when=\(turn)", try #require(Program.path("mcictl")),
            ] + arguments,
            environment: story.folder.environment
        )
    }

    private static let calls =
        "write,pwrite64,fsync,fdatasync,rename,renameat2,unlink,openat,ftruncate,flock,mkdir"

    @Test func `a full disk at any step releases nothing, or the whole`() throws {
        let story = try ReleaseStory()
        try story.grant()
        let digest = try story.digest()
        var released = 0
        try Disk.makeFolder(story.folder.paths.outbox)
        for turn in 1...UInt64(24) {
            let result = try injected(
                story,
                "error=ENOSPC",
                when: turn,
                "release",
                "approve",
                digest
            )
            let (found, skipped) = try Store(story.folder.paths.outbox)
                .releases(for: story.office.purpose)
            #expect(skipped.isEmpty, "\(skipped.map(\.reason))")
            for release in found {
                let object = try Disk.read(release.object, limit: 1 << 20)
                #expect(Digest.hex(object) == release.release.content.object)
            }
            if result.code == 0 {
                #expect(found.count == released + 1)
                released = found.count
                try story.draft()
            } else {
                #expect(found.count == released, "turn \(turn): \(result.errors)")
                // Turns count for each call by itself: the first writes may be those of the sentence.
                #expect(turn < 3 || result.errors.contains("error: "), "turn \(turn)")
            }
        }
        #expect(released > 0)
    }

    @Test func `a withdrawal that is killed anywhere is finished by the next one`() throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<3 {
            let story = try ReleaseStory()
            try story.grant()
            try story.approve()
            let copy = try story.copyOutbox()
            for _ in 0..<4 {
                let turn = 1 + random.next() % 60
                _ = try injected(
                    story,
                    "signal=KILL",
                    when: turn,
                    "release",
                    "withdraw",
                    "--all",
                    "--yes"
                )
            }
            let record = try #require(story.files.grants().first)
            if record.erasure == nil || record.isUnfinished {
                let result = try story.mcictl("release", "withdraw", "model", "--yes")
                #expect(result.code == 0, "\(result.errors)")
            }
            #expect(story.files.grants().allSatisfy { $0.erasure != nil && !$0.isUnfinished })
            let job = try story.job(copy, out: story.desk + "/late", ["cat"])
            #expect(job.code == 77 && job.output.isEmpty)
            #expect(try story.mcictl("release", "trace").code == 0)
        }
    }

    @Test func `a holder that is killed anywhere has opened nothing that is not in its log`() throws
    {
        let story = try ReleaseStory()
        try story.grant()
        try story.approve()
        let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil
        let store = Store(story.folder.paths.outbox)
        let releases = try store.releases(for: story.office.purpose).found
        let spool = Spool.ofProgram(story.folder.paths.holder)
        let calls = Self.calls
        var random = SplitMix(seed: 24)
        var (killed, answered, unanswered) = (0, 0, 0)
        for _ in 0..<(isProof ? 10_000 : 25) {
            let run = try story.office.run()
            let (request, asked) = run.request(releases)
            try Disk.write(HolderJSON.write(request), to: "\(spool.folder)/requests/\(run.id).json")
            let when = 1 + random.next() % 120
            let result = try Program.run(
                "strace",
                [
                    "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
                    "inject=\(calls):signal=KILL:when=\(when)",
                    try #require(Program.path("mci-holder")), "--once", "--no-sandbox",
                ],
                environment: story.folder.environment
            )
            if result.code != 0 { killed += 1 }
            let path = "\(spool.folder)/answers/\(run.id).json"
            guard let bytes = try? Disk.read(path, limit: 1 << 20),
                let answer: HolderAnswer = HolderJSON.read(bytes)
            else {
                unanswered += 1
                continue
            }
            var plaintexts = 0
            try run.open(asked, answer) { _, result in
                if case .opened = result { plaintexts += 1 }
            }
            guard plaintexts > 0 else { continue }
            answered += 1
            // Another process reads what is in the file: the leaf of this run must be there.
            let held = try HolderStore(path: story.folder.paths.holder + "/holder.db")
            let grant = try #require(try held.entry(releases[0].grant.content.id))
            let runs = try held.notes(of: grant.number).compactMap {
                try? Signed<Opening>($0).content.run
            }
            #expect(runs.contains(run.id))
        }
        print("killed \(killed), answered \(answered), without an answer \(unanswered)")
        #expect(killed > 5 && answered > 0)
        // Whatever was left lying there is answered now, and the log is whole.
        let trace = try story.mcictl("release", "trace")
        #expect(trace.code == 0, "\(trace.errors)")
    }
}

extension Program.Result {
    fileprivate var lineCount: Int { lines.count }
}
