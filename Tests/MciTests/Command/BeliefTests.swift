// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import Policy
import System
import Testing

/// What a person is told, so that nothing is believed that is not so; without a daemon.
@Suite struct BeliefTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment)
    }

    private func terminal(
        _ arguments: [String],
        _ steps: PseudoTerminal.Step...
    ) throws -> PseudoTerminal.Result {
        try PseudoTerminal.run("mcictl", arguments, environment: folder.environment, steps)
    }

    private func controls() throws -> Controls { try ControlsFile(folder.paths).read() }

    // MARK: Consent

    @Test func `a consent that stands is said first, and again where the answer is no`() throws {
        let first = try terminal(["consent"], .answer("[y/N]", "n\n"))
        #expect(first.code == 77)
        #expect(first.output.contains("Nothing was changed. You have not consented."))
        #expect(first.output.hasPrefix("mci records how you work"))
        #expect(try terminal(["consent"], .answer("Do you consent?", "y\n")).code == 0)
        let before = try controls()
        let again = try terminal(["consent"], .answer("Do you consent again?", "n\n"))
        #expect(again.code == 77)
        let stands = #/Your consent of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d.\d{3} is in force/#
        #expect(again.output.prefixMatch(of: stands) != nil, "\(again.output.prefix(100))")
        let end = again.output.suffix(200)
        #expect(end.contains(stands) && end.contains("mcictl consent --withdraw"))
        #expect(try controls() == before)
        // Without a terminal too, and no way around the question is shown.
        let alone = try command("consent")
        #expect(alone.code == 77 && alone.output.prefixMatch(of: stands) != nil)
        #expect(!alone.errors.contains("--accept") && alone.errors.contains("in a terminal"))
    }

    @Test(arguments: [
        ["consent"], ["key", "rotate"], ["set", "title", "on"], ["set", "key-detail", "full"],
        ["exclude", "remove", "lockers"],
        [
            "key", "recipients", "add",
            "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        ],
    ])
    func `no error shows the way around a question that lets more be recorded`(words: [String])
        throws
    {
        try command("consent", "--accept")
        let before = try controls()
        let result = try Program.run("mcictl", words, environment: folder.environment)
        #expect(result.code == 77, "\(result.errors)")
        #expect(result.errors.contains("Next: the same command in a terminal"))
        #expect(!result.errors.contains("--yes") && !result.errors.contains("--accept"))
        #expect(try controls() == before)
    }

    @Test func `the receipt says how consent was given, and a withdrawal is shown`() throws {
        #expect(try command("consent", "--show").output == "You have not consented.\n")
        #expect(try command("consent", "--show", "--json").output == "{\"schema\":1}\n")
        try command("consent", "--withdraw")
        #expect(try command("consent", "--show").output == "You have not consented.\n")
        try command("consent", "--accept")
        let scripted = try command("consent", "--show").lines
        #expect(scripted.contains("How        mcictl consent --accept, without a question"))
        #expect(try terminal(["consent"], .answer("[y/N]", "y\n")).code == 0)
        let live = try command("consent", "--show").lines
        #expect(live.contains("How        mcictl consent, answered on a terminal"))
        try command("key", "rotate", "--yes")
        #expect(
            try command("consent", "--show").lines.contains("How        mcictl key rotate --yes")
        )
        try command("consent", "--withdraw")
        let shown = try command("consent", "--show")
        #expect(shown.code == 1)
        #expect(shown.output.hasPrefix("You withdrew your consent on 2"), "\(shown.output)")
        let json = try command("consent", "--show", "--json").json
        #expect(json["schema"] as? Int == 1 && json["withdrawnAt"] as? String != nil)
        #expect(try command("status").output.contains("  You withdrew your consent on 2"))
        // Withdrawn again, it is the first time that counts; a new consent ends it.
        let first = try controls().withdrawnAt
        try command("consent", "--withdraw")
        #expect(try controls().withdrawnAt == first)
        try command("consent", "--accept")
        #expect(try controls().withdrawnAt == nil)
    }

    // MARK: Loosened

    @Test func `what is looser than the defaults is shown everywhere, loosest first`() throws {
        try command("consent", "--accept")
        #expect(try !command("status").output.contains("Undo"))
        #expect(try !command("consent", "--show").output.contains("Chosen"))
        for words in [
            ["exclude", "only", "edit*", "mail"], ["set", "free-space", "0"],
            ["set", "ring-size", "128M"], ["set", "retention", "30d"],
            ["set", "title", "on", "--yes"],
            ["exclude", "remove", "lockers", "--yes"], ["set", "key-detail", "full", "--yes"],
            ["exclude", "remove", "password-managers", "--yes"],
        ] {
            let result = try Program.run("mcictl", words, environment: folder.environment)
            #expect(result.code == 0, "\(words): \(result.errors)")
        }
        let lines = [
            "Every key is recorded: what you type can be read back. Undo: mcictl set key-detail shortcuts",
            "Recorded although left out by default: password managers and key rings. Undo: mcictl exclude add password-managers",
            "Recorded although left out by default: screen lockers. Undo: mcictl exclude add lockers",
            "Window titles are stored. Undo: mcictl set title off",
            "The recording is kept for 30d instead of 7d. Undo: mcictl set retention 7d",
            "The recording may use 128M of the disk instead of 64M. Undo: mcictl set ring-size 64M",
            "The recording continues until the disk is full. Undo: mcictl set free-space 500M",
            "Only these applications are recorded: edit*, mail. Undo: mcictl exclude only --all",
        ]
        let shown = try command("status").lines.filter { $0.contains("Undo: ") }
        #expect(shown == lines.map { "  " + $0 })
        let json = try #require(
            try command("status", "--json").json["loosened"] as? [[String: Any]]
        )
        #expect(
            json.map { $0["name"] as? String } == [
                "key-detail", "exclusion", "exclusion", "title", "retention", "ring-size",
                "free-space", "only",
            ]
        )
        let consent = try command("consent", "--show").lines.filter { $0.hasPrefix("Chosen") }
        #expect(consent == lines.map { "Chosen     " + $0 })
    }

    @Test func `what the policy does not allow is not shown as loosened`() throws {
        var settings = PersonSettings()
        (settings.title, settings.retention, settings.keyDetail) = (true, 30 * 86_400, "full")
        settings.keyDetailUntil = WallTime(3_600_000).text
        var policy = ManagedPolicy(purpose: "p", controller: "c", contact: "x", hash: "")
        func names(_ now: Int64 = 0) -> [String] {
            Loosening.all(Controls(), settings, policy, at: WallTime(now)).map(\.name)
        }
        #expect(names() == ["key-detail", "title", "retention"])
        // A confirmation of full that is over counts no longer.
        #expect(names(3_600_000) == ["title", "retention"])
        policy.keyDetail = .shortcuts
        #expect(names() == ["title", "retention"])
        policy.titles = false
        #expect(names() == ["retention"])
        policy.retention = 86_400
        #expect(names() == [])
    }

    // MARK: Rules

    @Test func `asked for twice an exemption is one, and withdrawn it says what else holds`() throws
    {
        #expect(try command("exempt", "add", "--app", "signal").firstLine.hasPrefix("Exempt 1: "))
        for words in [["--app", "signal"], ["--app", "signal", "--for", "2h"]] {
            let result = try Program.run(
                "mcictl",
                ["exempt", "add"] + words,
                environment: folder.environment
            )
            #expect(
                result.firstLine
                    == "Exemption 1 already covers that: windows of class signal. In force, with no end date."
            )
        }
        #expect(try controls().exemptions.map(\.id) == [1])
        // A longer one is another one, and so is a narrower or a wider one.
        try command("exempt", "add", "--title", "*Bank*", "--for", "1h")
        try command("exempt", "add", "--title", "*Bank*", "--for", "2h")
        try command("exempt", "add", "--app", "signal", "--title", "*Bank*")
        try command("exempt", "add", "--app", "sig*")
        #expect(try controls().exemptions.map(\.id) == [1, 2, 3, 4, 5])
        let first = try command("exempt", "withdraw", "1").lines
        #expect(first.contains("It is still left out by exemption 5 (windows of class sig*)."))
        let third = try command("exempt", "withdraw", "3").lines
        #expect(
            third.contains(
                "It is still left out by exemption 2 (windows with the title *Bank*)."
            )
        )
        #expect(try command("exempt", "withdraw", "2").lines.count == 2)
        #expect(try command("exempt", "withdraw", "4").output.contains("by exemption 5"))
        #expect(try !command("exempt", "withdraw", "5").output.contains("still"))
        // What is left out by default is named too.
        try command("exempt", "add", "--app", "keepassxc")
        #expect(try command("exempt", "withdraw", "6").output.contains("by password-managers"))
        try command("exempt", "add", "--everything")
        try command("exempt", "add", "--everything", "--during", "Mon-Sun")
        #expect(try command("exempt", "withdraw", "8").output.contains("by exemption 7"))
    }

    @Test(
        arguments: [
            (["--app", "firefox"], "mcictl forget --app firefox\n"),
            (["--app", "Proton Pass"], "mcictl forget --app 'Proton Pass'\n"),
            (["--app", "-x"], nil), (["--app", "fire*"], nil),
            (["--app", "firefox", "--title", "*Bank*"], nil), (["--title", "*Bank*"], nil),
            (["--app", "firefox", "--during", "Mon-Fri"], nil),
            (["--app", "firefox", "--device", "Pen"], nil), (["--everything"], nil),
        ] as [([String], String?)]
    )
    func `what is suggested to erase is not more than what was named`(
        words: [String],
        suggestion: String?
    ) throws {
        var words = words
        if words[1...].first == "-x" { words = ["--app=-x"] }
        let result = try Program.run(
            "mcictl",
            ["exempt", "add"] + words,
            environment: folder.environment
        )
        #expect(result.code == 0, "\(result.errors)")
        if let suggestion {
            #expect(result.errors.contains(suggestion), "\(result.errors)")
        } else if words == ["--app=-x"] {
            #expect(result.errors.contains("--app '-x'"), "\(result.errors)")
        } else {
            #expect(!result.errors.contains("forget --app"), "\(result.errors)")
            #expect(result.errors.contains("mcictl forget --since TIME --until TIME"))
        }
    }

    @Test func `the rule of a policy that decides is numbered`() throws {
        let policy = """
            {"schema": 1, "purpose": "p", "controller": "c", "contact": "x",
             "exclude": [{"app": "one"}, {"app": "two", "title": "*x*"}]}
            """
        let path = "\(folder.path)/etc/policy.json"
        try Disk.write(Array(policy.utf8), to: path, mode: 0o644)
        var environment = folder.environment
        environment["MCI_POLICY"] = path
        let words = ["explain", "--app", "two", "--instance", "i", "--title", "a x\u{1B} b"]
        let result = try Program.run("mcictl", words, environment: environment)
        #expect(
            result.output == """
                Checked: class two, instance i, title “a x b”, no device given, now.
                Excluded by rule 2 of the policy (windows of class two, windows with the title *x*). Nothing done there is stored.

                """
        )
        let json = try Program.run("mcictl", words + ["--json"], environment: environment).json
        let window = (json["explanation"] as? [String: Any])?["window"] as? [String: Any]
        #expect(window?["app"] as? String == "two" && window?["instance"] as? String == "i")
    }

    // MARK: Pause and erase

    @Test func `on a fresh state the doctor misses nothing that never was`() throws {
        func identity() throws -> String {
            try command("doctor").lines.first { $0.contains(" identity ") } ?? ""
        }
        #expect(try identity() == "[ok]    identity   none yet; your first consent creates it")
        try command("pause", "1m")
        #expect(try identity().hasPrefix("[ok]"))
        try command("consent", "--accept")
        #expect(try identity().hasPrefix("[ok]"))
        Disk.remove(folder.paths.identity)
        #expect(try identity().contains("only a copy of it opens the recording"))
        // A link to a medium that is away is not "none yet".
        let other = try TemporaryFolder()
        try Disk.makeFolder(other.path + "/config/mci")
        symlink("/nowhere/key", other.paths.identity)
        let linked = try Program.run("mcictl", ["doctor"], environment: other.environment)
        #expect(linked.output.contains("[warn]  identity"))
    }

    @Test func `pause --since pauses first, and erases after a question only`() throws {
        let ring = try SyntheticRing()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let minute = (now - SyntheticRing.origin) / 60_000 - 2
        try ring.put(minute: minute, app: "Editor", times: [0, 1000])
        let environment = ring.folder.environment
        func run(_ words: String...) throws -> Program.Result {
            try Program.run("mcictl", words, environment: environment)
        }
        func isPaused() throws -> Bool { try ControlsFile(ring.folder.paths).read().pause != nil }
        func count() throws -> Int { try run("export").objects.filter { $0["dx"] != nil }.count }
        #expect(try count() == 2)
        // Wrong usage changes nothing.
        for words in [
            ["pause", "--since", "soon"], ["pause", "--since", "10"], ["pause", "--yes"],
            ["pause", "--since", "2199-01-01 00:00"],
        ] {
            let result = try Program.run("mcictl", words, environment: environment)
            #expect(try result.code == 64 && !isPaused(), "\(words): \(result.errors)")
        }
        // Without a terminal the pause holds and nothing is erased.
        for json in [[], ["--json"]] {
            let alone = try Program.run(
                "mcictl",
                ["pause", "1h", "--since", "1h"] + json,
                environment: environment
            )
            #expect(try alone.code == 77 && isPaused() && count() == 2, "\(alone.errors)")
            #expect(alone.errors.contains("The pause is in force."))
            #expect(alone.errors.contains("Next: mcictl forget --since 1h --yes"))
            if !json.isEmpty { #expect(alone.json["erasedBatches"] as? Int == 0) }
            #expect(try run("resume").code == 0)
        }
        // The answer no leaves the pause; while it asks, the pause is on disk.
        let no = try PseudoTerminal.run(
            "mcictl",
            ["pause", "--since", "10m"],
            environment: environment,
            [.answer("(1 batch)? [y/N]", "n\n")]
        )
        #expect(no.code == 0 && no.output.contains("Nothing was erased. The pause is in force."))
        #expect(no.output.contains(#/Paused until you resume(?s:.)*Permanently erase/#))
        #expect(try isPaused() && count() == 2)
        #expect(try run("resume").code == 0)
        let killed = try PseudoTerminal.run(
            "mcictl",
            ["pause", "--since", "10m"],
            environment: environment,
            [.signal("[y/N]", SIGKILL)]
        )
        #expect(try killed.code == -SIGKILL && isPaused() && count() == 2)
        // What is older stays; the grammar is that of every other --since.
        let none = try run("pause", "--since", WallTime(now).text, "--yes")
        #expect(try none.code == 0 && count() == 2, "\(none.errors)")
        let erased = try run("pause", "--since", WallTime(now - 600_000).text, "--yes", "--json")
        #expect(try erased.code == 0 && isPaused() && count() == 0, "\(erased.errors)")
        #expect(erased.json["erasedBatches"] as? Int == 1)
    }

    @Test func `a dry run says when, how many events and in which applications`() throws {
        let ring = try SyntheticRing()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let minute = (now - SyntheticRing.origin) / 60_000 - 60
        try ring.put(minute: minute, app: "Editor")
        try ring.put(minute: minute + 1, app: "Mail\u{1B}", times: [0, 1000])
        try ring.put(minute: minute + 30, app: "Late")
        func time(_ more: Int64) -> String {
            WallTime(SyntheticRing.origin + (minute + more) * 60_000).text
        }
        func shown(_ more: Int64) -> String {
            time(more).prefix(16).replacingOccurrences(of: "T", with: " ")
        }
        func run(_ words: String...) throws -> Program.Result {
            try Program.run("mcictl", words, environment: ring.folder.environment)
        }
        let bounds = ["--since", time(-10), "--until", time(10)]
        let dry = try Program.run(
            "mcictl",
            ["forget", "--dry-run"] + bounds,
            environment: ring.folder.environment
        )
        #expect(dry.code == 0)
        #expect(
            dry.output == """
                Would erase 2 batches.
                  From    \(shown(0)) to \(shown(1))
                  Events  5
                  In      Editor (3), Mail (2)

                """
        )
        let json = try Program.run(
            "mcictl",
            ["forget", "--dry-run", "--json"] + bounds,
            environment: ring.folder.environment
        ).json
        #expect(json["events"] as? Int == 5 && json["batches"] as? Int == 2)
        #expect(json["from"] as? String == time(0))
        #expect(json["apps"] as? [String: Int] == ["Editor": 3, "Mail\u{1B}": 2])
        let app = try run("forget", "--app", "late", "--dry-run")
        #expect(app.output.contains("In      Late (3)") && app.output.contains("1 batch."))
        #expect(try run("forget", "--all", "--dry-run").output.contains("Events  8"))
        // It changes nothing, and without the key it still says how much.
        #expect(try run("export").objects.filter { $0["dx"] != nil }.count == 8)
        Disk.remove(ring.folder.paths.identity)
        let closed = try run("forget", "--all", "--dry-run")
        #expect(closed.code == 0 && closed.output == "Would erase 3 batches.\n")
        #expect(closed.errors.contains("cannot be opened here"))
    }

    // MARK: As people type it

    @Test(
        arguments: [
            (["paus", "30m"], "Did you mean pause?"), (["pasue"], "Did you mean pause?"),
            (["Status"], "Did you mean status?"), (["exprot"], "Did you mean export?"),
            (["consnet", "--accept"], "Did you mean consent?"),
            (["exempt", "lsit"], "Did you mean list?"),
            (["exempt", "annul", "1"], nil), (["frobnicate"], nil),
            (["set", "titel", "on"], "Did you mean title?"), (["\u{1B}[31m"], nil),
        ] as [([String], String?)]
    )
    func `a misspelt verb changes nothing and names the likely one`(
        words: [String],
        meant: String?
    ) throws {
        let result = try Program.run("mcictl", words, environment: folder.environment)
        #expect(result.code == 64 && result.output.isEmpty && folder.files().isEmpty)
        #expect(result.errors.hasPrefix("error: There is no verb “"), "\(result.errors)")
        #expect(result.errors.contains("Did you mean") == (meant != nil), "\(result.errors)")
        if let meant { #expect(result.errors.contains(meant), "\(result.errors)") }
        #expect(!result.errors.contains("\u{1B}"))
    }

    @Test func `exempt with options is exempt add, and set and mcictl alone tell the state`() throws
    {
        #expect(
            try command("exempt", "--app", "signal").firstLine.hasPrefix("Exempt 1: windows of")
        )
        #expect(try command("exempt", "--help").output.contains("withdraw"))
        #expect(try controls().exemptions.count == 1)
        let set = try command("set")
        #expect(set.code == 0)
        #expect(
            set.lines.map { $0.split(separator: " ").first.map(String.init) ?? "" } == [
                "SETTING", "key-detail", "retention", "ring-size", "title", "synthetic-keys",
                "free-space", "mark-corner", "mark-look",
            ]
        )
        #expect((try command("set", "--json").json["settings"] as? [Any])?.count == 8)
        let alone = try command()
        #expect(alone.code == 0 && alone.output.hasPrefix("○ not running · nothing is recorded\n"))
        #expect(alone.output.contains("SUBCOMMANDS") && alone.errors.isEmpty)
    }
}
