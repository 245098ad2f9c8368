// SPDX-License-Identifier: Apache-2.0

import Foundation
import System
import Testing

/// What the command says, kept in `Tests/Fixtures`, so that a change of words is a visible change.
///
/// `MCI_WORDS=write` before the tests writes the files anew.
@Suite struct WordsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Help: Decodable {
        struct Command: Decodable {
            var commandName: String
            var subcommands: [Command]?
        }
        var command: Command
    }

    @Test func `every help text is the one that is kept`() throws {
        let dump = try Program.run("mcictl", ["--experimental-dump-help"])
        let root = try JSONDecoder().decode(Help.self, from: Data(dump.output.utf8)).command
        var texts: [String] = []
        func add(_ command: Help.Command, _ path: [String]) throws {
            let help = try Program.run(
                "mcictl",
                path + ["--help"],
                environment: folder.environment
            )
            #expect(help.code == 0)
            texts.append("$ mcictl \((path + ["--help"]).joined(separator: " "))\n\(help.output)")
            for verb in command.subcommands ?? [] where verb.commandName != "help" {
                try add(verb, path + [verb.commandName])
            }
        }
        try add(root, [])
        try compare(texts.joined(separator: "\n"), "help.txt")
    }

    @Test func `every sentence of an error or an answer is the one that is kept`() throws {
        var environment = folder.environment
        // No time, no name and no path of a machine is in what is kept.
        environment["TZ"] = "UTC"
        var texts: [String] = []
        for line in Self.commands {
            let words = line.split(separator: " ").map(String.init)
            let result = try Program.run("mcictl", words, environment: environment)
            texts.append(
                "$ mcictl \(line)    # exit \(result.code)\n"
                    + neutral(result.output) + neutral(result.errors)
            )
        }
        try compare(texts.joined(separator: "\n"), "answers.txt")
    }

    /// A text without what differs from run to run and from machine to machine.
    private func neutral(_ text: String) -> String {
        var text = text.replacing(folder.path, with: "~")
        text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/, with: { _ in "TIME" })
        text.replace(/(\d{4}-\d\d-\d\d )?\b\d\d:\d\d(:\d\d)?(\.\d{3})?\b/, with: { _ in "TIME" })
        text.replace(/\d{4}-\d\d-\d\d/, with: { _ in "DAY" })
        text.replace(/age1[a-z0-9]+/, with: { _ in "age1…" })
        text.replace(/\b[0-9a-f]{64}\b/, with: { _ in "HASH" })
        text.replace(Host.current().localizedName ?? "\u{0}", with: "HOST")
        text.replace(CurrentProcess.hostName, with: "HOST")
        return text
    }

    private func compare(_ text: String, _ name: String) throws {
        let path = "\(Program.root)/Tests/Fixtures/words/\(name)"
        if ProcessInfo.processInfo.environment["MCI_WORDS"] == "write" {
            try Disk.write(Array(text.utf8), to: path)
        }
        let kept = try String(contentsOfFile: path, encoding: .utf8)
        guard kept != text else { return }
        let (new, old) = (text.split(separator: "\n"), Set(kept.split(separator: "\n")))
        let changed = new.filter { !old.contains($0) }.prefix(12).joined(separator: "\n")
        Issue.record(
            """
            \(name) is not what the command says; new lines:
            \(changed)
            If they are meant so: MCI_WORDS=write swift test --filter WordsTests
            """
        )
    }

    /// Command lines without a daemon, in order: each says something of its own.
    private static let commands = [
        "status", "status --json", "pause 30", "pause soon", "pause 9999d",
        "pause 5m --until 15:00",
        "pause --until 25:00", "resume", "log", "log -n 0", "log --summary --keys",
        "log --since yesterdayish", "export", "export --format x", "query", "verify", "forget",
        "forget --last 5m", "forget --app x --all", "forget --since 10m --until 20m",
        "consent --show", "consent", "exempt", "exempt add", "exempt add --app x --for 30",
        "exempt add --everything --during x", "exempt remove 7", "exempt list", "exempt answer 1",
        "exclude list", "exclude add", "exclude remove --app x", "exclude remove 3",
        "exclude add x --app y", "exclude add --asker", "exclude add --asker a/b",
        "exclude add --asker a*b", "exclude add --asker a --app b", "exempt withdraw 7",
        "explain --app xterm",
        "set", "set retention", "set retention x", "set ring-size 1", "set ring-size x",
        "set free-space x", "set key-detail x", "set key-detail full", "set title on",
        "key show", "key backup", "key protect", "key recipients list", "key recipients add x",
        "key rotate", "policy show", "policy check", "policy check /nowhere.json",
        "policy diff /nowhere.json", "steward keygen", "replay", "replay /nowhere.jsonl", "paus",
        "exmpt", "--nothing",
    ]
}
