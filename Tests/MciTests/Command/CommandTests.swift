// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import System
import Testing

/// The command line without a daemon: what it says, and with which exit code.
@Suite struct CommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment)
    }

    @Test(
        arguments: [
            (["pause", "30"], "error: “30” has no unit. Did you mean 30m?\n"),
            (
                ["pause", "soon"],
                "error: “soon” is not a duration. Examples: 90s, 30m, 1h30, 2 hours, 1d.\n"
            ),
            (["pause", "-5m"], nil),
            (
                ["pause", "0m"],
                "error: “0m” is not a duration. Examples: 90s, 30m, 1h30, 2 hours, 1d.\n"
            ),
            (["pause", "9999d"], "error: “9999d” is longer than a year.\n"),
            (
                ["pause", "99999999999999999999h"],
                "error: “99999999999999999999h” is not a duration. Examples: 90s, 30m, 1h30, 2 hours, 1d.\n"
            ),
            (
                ["pause", "5m", "--until", "15:00"],
                "error: Give a duration or --until, not both.\n"
            ),
            (
                ["pause", "--until", "25:00"],
                "error: “25:00” is not a time of day. Examples: 15:00, 09:30, 24:00.\n"
            ),
            (
                ["forget"],
                "error: Say what to erase: --last, --since and --until, --app, --demonstration, or --all.\n  Next: mcictl forget --help\n"
            ),
            (["forget", "--last", "5m", "--all"], nil),
            (
                ["set", "key-detail", "some"],
                "error: “some” is not a key detail. Choose off, activity, shortcuts, classes or full.\n"
            ),
            (
                ["log", "--since", "yesterdayish"],
                "error: “yesterdayish” is not a time. Examples: 10m (ago), 14:05, yesterday 09:00, 2026-11-21 14:05.\n"
            ),
            (
                ["log", "--since", "2026-11-31 10:00"],
                "error: “2026-11-31” is not a date. Write year-month-day.\n"
            ),
            (
                ["forget", "--since", "10:00", "--until", "2026-02-30"],
                "error: “2026-02-30” is not a date. Write year-month-day.\n"
            ),
            (["export", "--since", "2026-02-30T10:00:00Z"], nil),
            (["pause", "--since", "2026-11-31"], nil),
            (
                ["pause", "--until", "2026-11-21 09:00"],
                "error: “2026-11-21 09:00” has already passed.\n"
            ),
            (
                ["pause", "--until", "30m"],
                "error: --until takes a time: 15:00, tomorrow 09:00. For a duration, leave out --until.\n"
            ),
            (
                ["forget", "--since", "2026-11-21 10:00", "--until", "2026-11-21 09:00"],
                "error: --until is earlier than --since.\n"
            ),
            (
                ["exempt", "add"],
                "error: Say what to exempt: --app, --title, --device, --everything, or --front.\n  Next: mcictl exempt add --help\n"
            ),
            (["exempt", "add", "--everything", "--app", "x"], nil),
            (
                ["exempt", "add", "--app", "x", "--for", "30"],
                "error: “30” has no unit. Did you mean 30m?\n"
            ),
            (
                ["exempt", "add", "--everything", "--during", "someday"],
                "error: “someday” is not a span of hours. Examples: Mon-Fri 12:00-13:00, Sat,Sun.\n  Next: mcictl exempt add --help\n"
            ),
            (["exempt", "add", "--app", ""], nil),
            (
                ["exempt", "test"], "error: Describe a window: --app, --title, --device.\n"
            ),
            (["exempt", "withdraw", "one"], nil),
            (
                ["exempt", "answer", "1", "--accept", "--renew"],
                "error: Choose one of --accept and --renew.\n"
            ),
            (["exclude", "only"], "error: Name applications, or give --all.\n"),
            (["exclude", "only", "x", "--all"], nil),
            (
                ["explain", "--at", "never"],
                "error: “never” is not a time of the week. Example: --at \"Mon 12:30\"\n"
            ),
            (["set", "title", "maybe"], "error: “maybe” is not a choice; write on or off.\n"),
            (
                ["steward", "decide", "x", "--key", "k"],
                "error: Choose one of --approve and --deny.\n"
            ),
            (
                ["steward", "decide", "x", "--key", "k", "--deny"],
                "error: A refusal needs a --reason, which the person reads.\n"
            ),
            (["frobnicate"], nil),
            (["status", "--nonsense"], nil),
        ] as [([String], String?)]
    )
    func `wrong usage is one sentence, exit code 64, and changes nothing`(
        arguments: [String],
        message: String?
    ) throws {
        let result = try Program.run("mcictl", arguments, environment: folder.environment)
        #expect(result.code == 64)
        #expect(result.output.isEmpty)
        if let message {
            #expect(result.errors == message)
        } else {
            #expect(!result.errors.isEmpty)
        }
        #expect(folder.files().isEmpty)
    }

    @Test func `without a daemon, status says so with exit code 3`() throws {
        let text = try command("status")
        #expect(text.code == 3)
        #expect(
            text.output
                == "○ not running · nothing is recorded\n  You have not consented: mcictl consent\n  Start: systemctl --user start mcid\n"
        )
        let json = try command("status", "--json")
        #expect(json.code == 3)
        #expect(json.json["state"] as? String == "not-running")
    }

    @Test func `a daemon that does not answer is exit code 4`() throws {
        try FileManager.default.createDirectory(
            atPath: folder.paths.runtime,
            withIntermediateDirectories: true
        )
        try Data().write(to: URL(fileURLWithPath: folder.paths.socket))
        let listener = try Program.run(
            "python3",
            [
                "-c",
                "import os,socket; os.remove('\(folder.paths.socket)'); s=socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.bind('\(folder.paths.socket)')",
            ],
            environment: ProcessInfo.processInfo.environment
        )
        #expect(listener.code == 0)
        // Bound by a dead process: nobody listens.
        #expect(try command("status").code == 3)
        let script = """
            import socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.bind('\(folder.paths.socket).2'); s.listen(4)
            import os; os.rename('\(folder.paths.socket).2', '\(folder.paths.socket)')
            for _ in range(2):
                c, _ = s.accept(); c.recv(100); c.sendall(b'nonsense\\0'); c.close()
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("python3")))
        process.arguments = ["-c", script]
        process.environment = ProcessInfo.processInfo.environment
        try process.run()
        defer { process.end() }
        #expect(try eventually { try command("status").code == 4 })
    }

    @Test func `a pause and a withdrawal hold with no daemon at all`() throws {
        #expect(try command("consent", "--accept").code == 0)
        let pause = try command("pause", "30m")
        #expect(pause.code == 0 && pause.errors.contains("the pause will hold when it starts"))
        let controls = try ControlsFile(folder.paths).read()
        #expect(controls.pause?.until != nil && controls.consent != nil)
        #expect(try command("pause", "--json").json["until"] is NSNull)
        #expect(try command("resume").code == 0)
        #expect(try ControlsFile(folder.paths).read().pause == nil)
        let withdrawn = try command("consent", "--withdraw", "--json")
        #expect(withdrawn.code == 0)
        #expect(withdrawn.output == "{\"daemonRunning\":false,\"schema\":1}\n")
        #expect(try ControlsFile(folder.paths).read().consent == nil)
    }

    @Test func `consent needs an answer, makes one key pair and shows its receipt`() throws {
        let asked = try command("consent")
        #expect(asked.code == 77)
        #expect(asked.output.contains("What is recorded"))
        #expect(folder.files().isEmpty)
        #expect(try command("consent", "--show").code == 1)
        #expect(try command("consent", "--accept").code == 0)
        let key = try Disk.read(folder.paths.identity)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.paths.identity)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try command("consent", "--accept").code == 0)
        #expect(try Disk.read(folder.paths.identity) == key)
        let receipt = try command("consent", "--show", "--json").json
        #expect((receipt["recipients"] as? [String])?.first?.hasPrefix("age1") == true)
        #expect(receipt["noticeHash"] as? String == Consent.noticeHash(under: nil))
        // Debian's age agrees about the pair.
        let public_ = try Program.run("age-keygen", ["-y", folder.paths.identity])
        #expect(public_.lines == (receipt["recipients"] as? [String]))
        // A key that was moved away is not replaced behind the person's back.
        try FileManager.default.removeItem(atPath: folder.paths.identity)
        let again = try command("consent", "--accept")
        #expect(again.code == 0 && again.errors.contains("your identity is not at"))
        #expect(!FileManager.default.fileExists(atPath: folder.paths.identity))
    }

    @Test func `damaged controls do not stop a pause, and are kept`() throws {
        try Disk.write(Array("{".utf8), to: folder.paths.controls)
        #expect(try command("consent", "--show").code == 1)
        let result = try command("pause", "1h")
        #expect(result.code == 0 && result.errors.contains("kept as"))
        #expect(try ControlsFile(folder.paths).read().pause != nil)
        #expect(try Disk.read(folder.paths.controls + ".damaged") == Array("{".utf8))
    }

    @Test func `a folder that cannot be written is a sentence and not a pretence`() throws {
        var environment = folder.environment
        environment["XDG_STATE_HOME"] = "/proc/nowhere"
        let result = try Program.run("mcictl", ["pause", "1h"], environment: environment)
        #expect(result.code == 1)
        #expect(result.errors.hasPrefix("error: The controls file cannot be written."))
        #expect(result.output.isEmpty)
    }

    @Test(arguments: [
        "", "consent", "status", "pause", "resume", "log", "query", "export", "verify", "forget",
        "set",
        "set key-detail", "set ring-size", "set retention", "set free-space", "key", "key show",
        "key backup", "key protect", "key unprotect",
        "key recipients", "key recipients list", "key recipients add", "key recipients remove",
        "key rotate", "exempt", "exempt add", "exempt list", "exempt remove", "exempt answer",
        "exempt test", "exempt export", "exempt import", "exclude", "exclude list", "exclude add",
        "exclude remove", "exclude only", "explain",
        "policy show", "policy check", "policy diff", "steward", "steward keygen",
        "steward decide", "set title",
    ])
    func `help has examples and fits the screen`(verb: String) throws {
        let words = verb.split(separator: " ").map(String.init)
        let result = try Program.run("mcictl", words + ["--help"], environment: folder.environment)
        #expect(result.code == 0)
        #expect(result.output.contains("EXAMPLES") || verb == "set key-detail")
        #expect(result.lines.allSatisfy { $0.count <= 110 })
    }
}
