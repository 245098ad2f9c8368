// SPDX-License-Identifier: Apache-2.0

import Foundation
import Person
import System
import Testing

extension DaemonTests {
    /// The verdicts of `doctor` by subject, with its exit code.
    private func doctor(_ daemon: Daemon, _ words: String...) throws -> ([String: String], Int32) {
        let arguments = ["doctor", "--json"] + words
        let result = try Program.run("mcictl", arguments, environment: daemon.environment)
        let rows = result.json["findings"] as? [[String: Any]] ?? []
        var verdicts: [String: String] = [:]
        for row in rows {
            if let subject = row["subject"] as? String {
                verdicts[subject] = row["verdict"] as? String
            }
        }
        return (verdicts, result.code)
    }

    @Test func `the doctor finds each fault by name, and says what to do`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        daemon.environment["XDG_SESSION_TYPE"] = "x11"
        let (down, downCode) = try doctor(daemon)
        #expect(down["service"] == "fail" && downCode == 1)
        try daemon.record(hand)
        let (well, code) = try doctor(daemon)
        #expect(code == 0)
        #expect(well.count == 14 && well.values.allSatisfy { $0 == "ok" }, "\(well)")
        let text = try daemon.command("doctor").output
        #expect(text.contains("[ok]    service    recording") && text.contains("All is well."))

        let paths = daemon.folder.paths
        chmod(paths.identity, 0o644)
        #expect(try doctor(daemon).0["identity"] == "fail")
        #expect(try daemon.command("doctor").output.contains("→ chmod 600 "))
        chmod(paths.identity, 0o600)
        chmod(paths.socket, 0o666)
        #expect(try doctor(daemon).0["socket"] == "fail")
        chmod(paths.socket, 0o600)
        #expect(try daemon.command("set", "free-space", "100T").code == 0)
        #expect(try doctor(daemon).0["space"] == "fail")
        #expect(try daemon.command("set", "free-space", "1M").code == 0)
        #expect(try daemon.command("consent", "--withdraw").code == 0)
        #expect(try doctor(daemon).0["consent"] == "warn")
        daemon.environment["XDG_SESSION_TYPE"] = "wayland"
        #expect(try doctor(daemon).0["display"] == "fail")
        daemon.stop()

        daemon.environment["XDG_SESSION_TYPE"] = "x11"
        daemon.options = ["--no-sandbox"]
        try daemon.start()
        #expect(try doctor(daemon).0["sandbox"] == "fail")
    }

    @Test func `a bundle for a bug report holds nothing recorded`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, app: "Quuxophone")
        hand.type(["a", "F1"])
        try daemon.settled()
        let file = "\(daemon.folder.path)/bundle.json"
        _ = try daemon.command("doctor", "--bundle", file)
        let bytes = try #require(FileManager.default.contents(atPath: file))
        let text = String(decoding: bytes, as: UTF8.self)
        let rows = try #require(
            JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        )["findings"]
        #expect((rows as? [Any])?.count == 14)
        #expect(!text.contains("Quuxophone") && !text.contains("F12"))
        let key = try String(contentsOfFile: daemon.folder.paths.identity, encoding: .utf8)
        let secret = try #require(key.split(separator: "\n").first { $0.hasPrefix("AGE-SECRET") })
        #expect(!text.contains(secret))
        #expect(try SecretFile.facts(file).mode == 0o600)
    }
}
