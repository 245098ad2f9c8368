// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The command line as people type it.
@Suite struct AsTypedTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func command(_ arguments: String...) throws -> Program.Result {
        try Program.run("mcictl", arguments, environment: folder.environment)
    }

    @Test func `one pair of words adds and removes, and the words of before still work`() throws {
        for (add, remove) in [
            (["exclude", "add", "--app", "gnucash"], ["exclude", "remove", "--app", "gnucash"]),
            (["exclude", "add", "--app", "gnucash"], ["exclude", "drop", "--app", "gnucash"]),
            (["exempt", "add", "--app", "x"], ["exempt", "remove", "1"]),
            (["exempt", "add", "--app", "y"], ["exempt", "withdraw", "2"]),
            (
                ["exclude", "remove", "private-browsing", "--yes"],
                ["exclude", "add", "private-browsing"]
            ),
            (
                ["exclude", "remove", "private-browsing", "--yes"],
                ["exclude", "restore", "private-browsing"]
            ),
        ] {
            for words in [add, remove] {
                let result = try Program.run("mcictl", words, environment: folder.environment)
                #expect(result.code == 0, "\(words): \(result.errors)")
            }
        }
        #expect(try command("exclude", "list").output.contains("private-browsing   windows"))
        let both = try command("exclude", "add", "private-browsing", "--app", "x")
        #expect(both.code == 64 && both.errors.contains("not both"))
        let help = try command("exclude", "--help").output
        #expect(!help.contains("drop") && !help.contains("restore"))
    }

    @Test func `exempt alone offers the windows that were in front before this terminal`() throws {
        let ring = try SyntheticRing()
        for (minute, app) in ["Mail", "Notes", "Bank*", "Editor", "XTerm"].enumerated() {
            try ring.put(minute: Int64(minute), app: app)
        }
        var environment = ring.folder.environment
        // A minute after the last of them.
        environment["LD_PRELOAD"] = try Program.faketime()
        environment["FAKETIME"] = "@2027-01-15 08:06:00"
        environment["DONT_FAKE_MONOTONIC"] = "1"
        // Through another program: the first one that libfaketime is loaded into loses its arguments.
        let words = [try #require(Program.path("mcictl")), "exempt"]
        let asked = try PseudoTerminal.run(
            "/usr/bin/env",
            words,
            environment: environment,
            [.answer("Enter: none] ", "2\n")]
        )
        #expect(asked.code == 0, "\(asked.output)")
        #expect(asked.output.contains("1  Editor, last at 08:03"))
        #expect(asked.output.contains("2  Bank*, last at 08:02"))
        #expect(asked.output.contains("3  Notes, last at 08:01"))
        #expect(!asked.output.contains("Mail") && !asked.output.contains("XTerm"))
        let listed = try Program.run("env", words + ["list"], environment: environment)
        #expect(listed.output.contains("Bank?"))
        let none = try PseudoTerminal.run(
            "/usr/bin/env",
            words,
            environment: environment,
            [.answer("Enter: none] ", "\n")]
        )
        #expect(none.code == 0 && none.output.contains("Nothing was changed"))
        // A script gets the help.
        let help = try Program.run("env", words, environment: environment)
        #expect(help.code == 0 && help.output.hasPrefix("OVERVIEW"))
    }

    @Test func `every answer in JSON names its schema`() throws {
        let secret = "\(folder.path)/steward"
        for words in [
            "status", "pause 1h", "pause 1h --since 5m --yes", "resume", "consent --show",
            "consent --accept", "consent --show", "exempt add --app x", "exempt list",
            "exempt remove 1", "exempt test --app x", "exclude list", "exclude add --app x",
            "exclude remove --app x", "explain --app x", "policy show", "policy check", "key show",
            "set retention 3d", "set title off", "set key-detail shortcuts", "set ring-size 32M",
            "set free-space 1G", "doctor", "steward keygen --out \(secret)",
            "consent --withdraw", "consent --show", "log --summary", "forget --all --yes",
        ] {
            let line = words.split(separator: " ").map(String.init) + ["--json"]
            let result = try Program.run("mcictl", line, environment: folder.environment)
            if result.output.isEmpty { continue }
            #expect(result.json["schema"] as? Int == 1, "\(words): \(result.output)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions offer values`(shell: String) throws {
        let script = try command("--generate-completion-script", shell).output
        for value in [
            "shortcuts", "parquet", "private-browsing", "unmarked-browsers", "table", "json",
        ] {
            #expect(script.contains(value), "\(value)")
        }
    }
}
