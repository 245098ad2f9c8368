// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import System
import Testing

/// Exemptions and exclusions on the command line, with no daemon: they hold at its next start.
@Suite struct ExemptCommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment)
    }

    /// The rows of a table, one blank between columns, with dates and times left open.
    private func rows(_ result: Program.Result) -> [String] {
        result.lines.map {
            $0.replacing(#/(\d{4}-\d\d-\d\d )?\d\d:\d\d/#, with: "TIME")
                .replacing(#/\d{4}-\d\d-\d\d/#, with: "DATE")
                .replacing(#/ +/#, with: " ")
        }
    }

    @Test func `an exemption holds with no daemon at all, and is listed, tested and withdrawn`()
        throws
    {
        let added = try command("exempt", "add", "--app", "org.keepassxc.KeePassXC")
        #expect(
            added.lines == [
                "Exempt 1: windows of class org.keepassxc.KeePassXC. In force now, with no end date.",
                "Undo: mcictl exempt remove 1",
            ]
        )
        #expect(
            added.errors == """
                What was already recorded there is kept. Erase it: mcictl forget --app org.keepassxc.KeePassXC
                mcid is not running; this takes effect when it starts.

                """
        )
        #expect(
            try command("exempt", "add", "--title", "*Bank*", "--during", "Mon-Fri").code == 0
        )
        #expect(try command("exempt", "add", "--everything", "--for", "2h").code == 0)
        #expect(
            rows(try command("exempt", "list")) == [
                "ID KIND MATCHES SINCE ENDS STATE",
                "1 app windows of class org.keepassxc.KeePassXC DATE never in force",
                "2 title windows with the title *Bank*, Mon-Fri DATE never in force",
                "3 all everything DATE TIME in force",
            ]
        )
        #expect(
            try command("exempt", "test", "--title", "My Bank", "--at", "Mon 12:30").output
                == "Checked: a window without a class, title “My Bank”, no device given, Mon 12:30.\nExempt by exemption 2 (windows with the title *Bank*, Mon-Fri). Nothing done there is stored.\n"
        )
        let json = try command("exempt", "list", "--json").json
        #expect(json["schema"] as? Int == 1)
        let records = try #require(json["exemptions"] as? [[String: Any]])
        #expect(records.map { $0["state"] as? String } == ["requested", "requested", "requested"])
        #expect(try command("exempt", "withdraw", "3").code == 0)
        #expect(try command("exempt", "withdraw", "3").code == 77)
        #expect(
            try command("exempt", "test", "--app", "Editor", "--at", "Sun 12:00").output
                == "Checked: class Editor, no title given, no device given, Sun 12:00.\nRecorded: no rule leaves it out.\n"
        )
        #expect(try command("exempt", "answer", "1").code == 1)
        let kept = try ControlsFile(folder.paths).read()
        #expect(kept.exemptions.map(\.id) == [1, 2] && kept.lastExemption == 3)
    }

    /// Latin-1 and other bytes that are no UTF-8, where texts go.
    @Test(
        arguments: [
            "exempt add --title", "exempt add --app", "exempt add --reason", "exempt test --title",
            "exclude add --title", "forget --yes --app", "explain --app", "pause", "replay",
            "policy check",
        ]
    )
    func `an argument that is not UTF-8 is refused, and nothing changes`(verb: String) throws {
        let mcictl = try #require(Program.path("mcictl"))
        for bytes in ["*M\\374ller*", "\\355\\240\\200", "\\300\\257", "a\\342\\202"] {
            let line = "exec \(mcictl) \(verb) \"$(printf '\(bytes)')\""
            let result = try Program.run("/bin/sh", ["-c", line], environment: folder.environment)
            #expect(result.code == 64, "\(result)")
            #expect(result.errors.contains("An argument is not valid UTF-8"), "\(result.errors)")
            #expect(result.output == "")
        }
        #expect(try ControlsFile(folder.paths).read().exemptions.isEmpty)
        #expect(try command("exempt", "add", "--title", "*Müller*").code == 0)
    }

    @Test func `what is excluded by default is listed, removed after a question, and restored`()
        throws
    {
        let list = try command("exclude", "list")
        #expect(
            list.lines.first?.split(separator: " ") == ["NAME", "LEFT", "OUT", "STATE"]
        )
        for name in [
            "password-managers", "askpass", "lockers", "screen-keyboards", "private-browsing",
            "unmarked-browsers", "nested-screens", "terminal-prompts",
        ] {
            #expect(list.lines.contains { $0.hasPrefix(name) && $0.hasSuffix("in force") })
        }
        #expect(try command("exclude", "list", "--patterns").output.contains("keepass*"))
        func explained(_ app: String) throws -> String {
            let text = try command("explain", "--app", app).output
            let judged = "Checked: class \(app), no title given, no device given, now.\n"
            #expect(text.hasPrefix(judged))
            return String(text.dropFirst(judged.count))
        }
        #expect(try explained("i3lock") == "Excluded by lockers. Nothing done there is stored.\n")
        #expect(try command("exclude", "remove", "lockers").code == 77, "without a terminal")
        #expect(try command("exclude", "remove", "lockers", "--yes").code == 0)
        #expect(try explained("i3lock") == "Recorded: no rule leaves it out.\n")
        #expect(try command("exclude", "restore", "lockers").code == 0)
        #expect(try command("exclude", "remove", "nothing", "--yes").code == 77)
        #expect(try command("exclude", "add", "--app", "gnucash").code == 0)
        #expect(try command("exclude", "add").code == 77)
        #expect(
            try explained("GnuCash")
                == "Excluded by your exclusions (windows of class gnucash). Nothing done there is stored.\n"
        )
        #expect(try command("exclude", "drop", "--app", "gnucash").code == 0)
        #expect(try command("exclude", "only", "edit*").code == 0)
        #expect(
            try explained("mail")
                == "Not recorded: it is not on your list of applications. Nothing done there is stored.\n"
        )
        let json = try command("exclude", "list", "--json").json
        #expect(json["only"] as? [String] == ["edit*"] && json["schema"] as? Int == 1)
        #expect(try command("exclude", "only", "--all").code == 0)
        #expect(try explained("mail").hasPrefix("Recorded"))
    }

    @Test func `an asker is added, shown in every list, and removed; the policy's stays`() throws {
        let policy = """
            {"schema": 1, "purpose": "p", "controller": "c", "contact": "k",
             "exclude": [{"asker": "theirs"}]}
            """
        let path = "\(folder.path)/etc/policy.json"
        try Disk.write(Array(policy.utf8), to: path, mode: 0o644)
        var environment = folder.environment
        environment["MCI_POLICY"] = path
        func exclude(_ words: String...) throws -> Program.Result {
            try Program.run("mcictl", ["exclude"] + words, environment: environment)
        }
        let added = try exclude("add", "--asker", "mylogin")
        #expect(
            added.output
                == "Left out from now on: what is typed at prompts of the program mylogin. Undo: mcictl exclude remove with the same options\n"
        )
        let long = try exclude("add", "--asker", "abcdefghijklmnop")
        #expect(
            long.errors.contains(
                "The kernel keeps only 15 bytes of a name, so every program whose name begins with them counts.\n"
            )
        )
        let list = try exclude("list", "--patterns").lines
        for (whose, name) in [("yours", "mylogin"), ("policy", "theirs")] {
            let row = list.first { $0.hasPrefix(whose) && $0.contains(" \(name) ") } ?? ""
            #expect(row.hasSuffix("in force"), "\(list)")
            #expect(list.contains("  program: \(name) (\(whose))"))
        }
        #expect(list.contains("  program: sudo*"))
        let json = try exclude("list", "--json").json
        #expect(
            json["own"] as? [[String: String]]
                == [["asker": "mylogin"], ["asker": "abcdefghijklmnop"]]
        )
        #expect(json["policy"] as? [[String: String]] == [["asker": "theirs"]])
        // What a policy demands is said where the person takes back the same.
        #expect(try exclude("add", "--asker", "theirs").code == 0)
        let demanded = try exclude("remove", "--asker", "theirs")
        #expect(
            demanded.errors.contains("It is still left out: the policy requires it.\n")
        )
        let removed = try exclude("remove", "--asker", "mylogin")
        #expect(
            removed.output
                == "You no longer exclude what is typed at prompts of the program mylogin.\n"
        )
        #expect(removed.code == 0 && !removed.errors.contains("demands"))
        #expect(try exclude("list").lines.contains { $0.contains("theirs") })
        let wrong = try exclude("add", "--asker", "/opt/tools/login")
        #expect(
            wrong.code == 64 && wrong.errors.contains("must not contain a slash"),
            "\(wrong.errors)"
        )
        #expect(try exclude("add", "--asker", "x", "--app", "y").code == 64)
        #expect(try exclude("remove", "--asker", "mylogin").code == 77)
    }

    @Test func `damaged controls are set aside, and it is said that exemptions were in them`()
        throws
    {
        #expect(try command("exempt", "add", "--app", "signal").code == 0)
        var bytes = try Disk.read(folder.paths.controls)
        let text = String(decoding: bytes, as: UTF8.self)
        bytes = Array(text.replacingOccurrences(of: "signal", with: "sagnil").utf8)
        try Disk.write(bytes, to: folder.paths.controls)
        let list = try command("exempt", "list")
        #expect(list.code == 1 && list.errors.contains("The controls file is damaged in line"))
        let added = try command("exempt", "add", "--app", "mail")
        #expect(added.code == 0)
        #expect(added.errors.contains("Exemptions in it no longer hold"))
        #expect(try Disk.read(folder.paths.controls + ".damaged") == bytes)
        #expect(try ControlsFile(folder.paths).read().consent == nil)
    }
}
