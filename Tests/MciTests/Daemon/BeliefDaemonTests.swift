// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Gate
import System
import Testing

/// What a running mcid says of itself, and a pause that also erases.
extension DaemonTests {
    @Test func `status says who else can read, and what is loosened, first`() throws {
        let daemon = try Daemon(desktop, detail: .shortcuts, syntheticKeys: false)
        try daemon.useSmallRing()
        try daemon.start()
        let before = try daemon.command("status")
        #expect(before.lines.contains("  Readable   with your identity only"))
        #expect(!before.output.contains("Chosen"))
        let other = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
        #expect(try daemon.command("key", "recipients", "add", other, "--yes").code == 0)
        #expect(try daemon.command("set", "title", "on", "--yes").code == 0)
        #expect(try daemon.command("exclude", "remove", "lockers", "--yes").code == 0)
        let lines = try daemon.command("status").lines
        #expect(
            lines.contains(
                "  Readable   with your identity and with 1 key that is not yours (age1zvkyg2lq…) · mcictl key show"
            ),
            "\(lines)"
        )
        // Behind the answer, before all else.
        try #require(lines.count > 3)
        #expect(lines[1].hasPrefix("  Chosen     Recorded although left out"), "\(lines)")
        #expect(lines[2].hasPrefix("  Chosen     Window titles"), "\(lines)")
        let json = try daemon.command("status", "--json").json
        #expect((json["recipients"] as? [String])?.last == other)
        let loosened = json["loosened"] as? [[String: String]]
        #expect(loosened?.map { $0["value"] } == ["lockers", "on"])
        // Behind a passphrase nobody can say whose a key is, so it is not said.
        let word = "\(daemon.folder.path)/word"
        try Disk.write(Array("correct horse\n".utf8), to: word)
        #expect(try daemon.command("key", "recipients", "remove", other, "--yes").code == 0)
        #expect(try daemon.command("key", "protect", "--passphrase-file", word).code == 0)
        let closed = try daemon.command("status").output
        #expect(closed.contains("Readable   with 1 key (age1"), "\(closed)")
        #expect(!closed.contains("identity only"))
    }

    @Test func `a pause that erases is in force while it asks, and answered no it stays`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(text: "ab")
        try daemon.settled()
        func letters() throws -> Int {
            try daemon.export().count { $0["class"] as? String == "letter" }
        }
        let alone = try daemon.command("pause", "--since", "10m")
        #expect(alone.code == 77 && alone.errors.contains("The pause is in force."))
        #expect(try daemon.status?.state == .paused && letters() == 4)
        #expect(try daemon.command("resume").code == 0)
        let killed = try PseudoTerminal.run(
            "mcictl",
            ["pause", "--since", "10m"],
            environment: daemon.environment,
            [.signal("Permanently erase", SIGKILL)]
        )
        #expect(killed.code == -SIGKILL && daemon.status?.state == .paused)
        hand.type(text: "secret")
        let no = try PseudoTerminal.run(
            "mcictl",
            ["pause", "--since", "10m"],
            environment: daemon.environment,
            [.answer("[y/N]", "n\n")]
        )
        #expect(no.code == 0 && no.output.contains("Nothing was erased. The pause is in force."))
        #expect(try daemon.status?.state == .paused && letters() == 4)
        let yes = try PseudoTerminal.run(
            "mcictl",
            ["pause", "1h", "--since", "10m"],
            environment: daemon.environment,
            [.answer("[y/N]", "y\n")]
        )
        #expect(yes.code == 0 && yes.output.contains("Erased "), "\(yes.output)")
        #expect(try daemon.status?.state == .paused && letters() == 0)
    }
}
