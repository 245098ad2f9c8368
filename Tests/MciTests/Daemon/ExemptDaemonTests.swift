// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import System
import Testing

/// Exemptions, exclusions and policies as a person meets them.
extension DaemonTests {
    private func letters(_ daemon: Daemon) throws -> Int {
        try daemon.export().count {
            $0["class"] as? String == "letter" && $0["state"] as? String == "down"
        }
    }

    @Test func `nothing of an exempt window is stored, from the answer on`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, app: "Signal")
        hand.type(text: "abc")
        try daemon.settled()
        let result = try daemon.command("exempt", "add", "--app", "sig*")
        #expect(
            result.code == 0
                && result.lines.first
                    == "Exempt 1: windows of class sig*. In force now, with no end date."
        )
        hand.type(text: "secret")
        try daemon.settled()
        #expect(
            try daemon.command("explain").output
                == "Checked: class Signal, in front now.\nExempt by exemption 1 (windows of class sig*). Nothing done there is stored.\n"
        )
        let editor = hand.openWindow(app: "Editor")
        try daemon.settle(hand)
        hand.type(text: "de")
        try daemon.settled()
        #expect(
            try daemon.command("explain").output
                == "Checked: class Editor, in front now.\nRecorded: no rule leaves it out.\n"
        )
        // A restart forgets nothing.
        _ = try daemon.call(.flush)
        daemon.kill()
        hand.close(editor)
        try daemon.start()
        let signal = hand.openWindow(app: "Signal")
        hand.type(text: "secret")
        try daemon.settled()
        #expect(try daemon.command("exempt", "withdraw", "1").code == 0)
        #expect(
            eventually { (try? daemon.command("explain").output.contains("Recorded")) == true }
        )
        hand.type(text: "f")
        try daemon.settled()
        hand.close(signal)
        daemon.stop()
        #expect(try letters(daemon) == 6)
        #expect(try daemon.export().contains { $0["reason"] as? String == "exempt" })
    }

    @Test
    func `another policy stops the recording within a second, and nothing but consent goes on`()
        throws
    {
        let daemon = try Daemon(desktop, consents: false)
        let path = "\(daemon.folder.path)/etc/policy.json"
        func write(_ purpose: String) throws {
            let text = """
                {"schema": 1, "purpose": "\(purpose)", "controller": "ACME", "contact": "x",
                 "pauseCap": "30m"}
                """
            try Disk.write(Array(text.utf8), to: path, mode: 0o644)
        }
        try write("a study")
        daemon.environment["MCI_POLICY"] = path
        let consent = try daemon.command("consent", "--accept")
        try daemon.use(.classes)

        #expect(consent.code == 0 && consent.output.contains("a study"), "\(consent.errors)")
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(text: "ab")
        try daemon.settled()
        // Nobody calls and nothing is typed: the kernel tells mcid of the change.
        var reasons: [String?] = []
        let began = Date()
        try write("another study")
        try ControlClient(path: daemon.folder.paths.socket).monitor { status in
            reasons.append(status.reason)
            return status.state != .closed
        }
        #expect(Date().timeIntervalSince(began) < 1)
        #expect(reasons.last == "consent-outdated")
        hand.type(text: "secret")
        let pause = try daemon.command("pause", "2h")
        #expect(pause.code == 0 && pause.errors.contains("the longest pause the policy allows"))
        #expect(try daemon.command("resume").code == 0)
        let status = try daemon.command("status")
        #expect(status.lines.first == "○ closed: what you consented to has changed")
        #expect(try daemon.command("consent", "--accept").code == 0)
        try daemon.use(.classes)
        _ = try daemon.call(.reload)
        try daemon.settle(hand)
        hand.type(text: "c")
        try daemon.settled()
        try Disk.write(Array("{".utf8), to: path, mode: 0o644)
        #expect(eventually { daemon.status?.state == .closed })
        #expect(daemon.status?.reason?.contains("line 1") == true)
        daemon.stop()
        #expect(try letters(daemon) == 3)
    }

    @Test func `a steward keeps or refuses, and a refusal waits for the person`() throws {
        let daemon = try Daemon(desktop, consents: false)
        let home = daemon.folder.path
        try daemon.appointSteward()
        try daemon.useSmallRing()
        try daemon.record(hand, app: "Signal")
        #expect(
            try daemon.command("exempt", "add", "--app", "Signal", "--reason", "private").code == 0
        )
        let request = try daemon.command("exempt", "export", "1")
        #expect(request.json["reason"] as? String == "private")
        try Data(request.output.utf8).write(to: URL(fileURLWithPath: "\(home)/request.json"))
        let decision = try daemon.command(
            "steward",
            "decide",
            "\(home)/request.json",
            "--key",
            "\(home)/steward.key",
            "--deny",
            "--reason",
            "needed"
        )
        #expect(decision.code == 0, "\(decision.errors)")
        try Data(decision.output.utf8).write(to: URL(fileURLWithPath: "\(home)/decision.json"))
        let taken = try daemon.command("exempt", "import", "\(home)/decision.json")
        #expect(
            taken.lines == [
                "Exemption 1 was refused by Works council: “needed”",
                "  It stays in force until you answer: mcictl exempt answer 1",
            ],
            "\(taken.errors)"
        )
        #expect(try daemon.command("exempt", "import", "\(home)/decision.json").code == 77)
        hand.type(text: "secret")
        try daemon.settled()
        #expect(daemon.status?.questions == [1])
        #expect(try daemon.command("status").output.contains("needs your answer"))
        #expect(try daemon.command("exempt", "answer", "1").code == 77, "without a terminal")
        #expect(try daemon.command("exempt", "answer", "1", "--accept").code == 0)
        #expect(try daemon.command("exempt", "list").output == "You have no exemptions.\n")
        try daemon.use(.classes)
        _ = try daemon.call(.reload)
        try daemon.settle(hand)
        hand.type(text: "a")
        try daemon.settled()
        daemon.stop()
        #expect(try letters(daemon) == 1)
    }
}
