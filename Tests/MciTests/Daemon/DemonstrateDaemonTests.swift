// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import System
import Testing

/// Demonstrations as a person makes them: with the real programs.
extension DaemonTests {
    /// The colours of the mark from its top to its bottom.
    private func markPicture() throws -> [UInt] {
        let mark = try #require(hand.windows(named: "mci").first)
        return (0..<24).map { hand.colour(at: (mark.x + 12, mark.y + $0)) }
    }

    @Test func `a demonstration is begun, shown, written, ended and erased by its name`() throws {
        let daemon = try Daemon(desktop, detail: .shortcuts, syntheticKeys: true)
        try daemon.useSmallRing()
        #expect(try daemon.command("demonstrate", "x", "--goal", "y").code == 69)
        try daemon.record(hand, app: "Editor")
        hand.type(["F5"])
        try daemon.settled()
        let begun = try daemon.command(
            "demonstrate",
            "book a flight",
            "--goal",
            "Find the cheapest",
            "--for",
            "1h",
            "--key-detail",
            "full",
            "--yes"
        )
        #expect(begun.code == 0, "\(begun.errors)")
        #expect(begun.output.hasPrefix("Demonstration “book a flight” since "))
        #expect(
            begun.output.contains("key detail full") && begun.output.contains("Find the cheapest")
        )
        #expect(try daemon.command("status").output.contains("Demonstration “book a flight”"))
        #expect(try daemon.command("demonstrate", "--json").json["schema"] as? Int == 1)
        #expect(try daemon.command("demonstrate", "b", "--goal", "c").code == 77)
        hand.type(["F6"])
        hand.type(text: "q")
        try daemon.settled()
        let ended = try daemon.command("demonstrate", "--end", "done")
        #expect(ended.output == "The demonstration “book a flight” has ended: done.\n")
        #expect(ended.errors.contains("mcictl export --demonstration='book a flight'"))
        hand.type(["F7"])
        hand.type(text: "w")
        try daemon.settled()

        let log = try daemon.command("log")
        #expect(log.output.contains("demonstration “book a flight” begins: Find the cheapest"))
        #expect(log.output.contains("demonstration “book a flight” ends: done"))
        let part = try daemon.command("export", "--demonstration", "book a flight")
        let keys = part.objects.compactMap { $0["keysym"] as? String }
        #expect(Set(keys) == ["F6", "q"], "\(keys)")
        #expect(
            part.objects.contains {
                $0["type"] as? String == "demonstration" && $0["outcome"] as? String == "done"
            }
        )
        #expect(
            try daemon.command("export", "--demonstration", "none").errors.contains(
                "There is no demonstration"
            )
        )
        let sql = try daemon.command(
            "query",
            "--json",
            "SELECT name, goal, outcome, (SELECT count(*) FROM events WHERE ms BETWEEN from_ms AND to_ms AND keysym = 'F6') AS n FROM demonstrations"
        )
        #expect(
            sql.output
                == #"{"name":"book a flight","goal":"Find the cheapest","outcome":"done","n":2}"#
                + "\n"
        )
        #expect(try daemon.command("report", "--out", "-").output.contains("Find the cheapest"))

        let erased = try daemon.command("forget", "--demonstration", "book a flight", "--yes")
        #expect(erased.code == 0 && erased.output.hasPrefix("Erased "))
        let rest = Set(try daemon.export().compactMap { $0["keysym"] as? String })
        #expect(rest.contains("F5") && rest.contains("F7") && !rest.contains("F6"), "\(rest)")

        // What is discarded is erased, whether or not mcid runs.
        #expect(try daemon.command("demonstrate", "draft", "--goal", "x").code == 0)
        hand.type(["F8"])
        try daemon.settled()
        #expect(try daemon.command("demonstrate", "--discard").code == 77)
        #expect(try daemon.command("demonstrate", "--discard", "--yes").output.contains("Erased "))
        #expect(try daemon.command("demonstrate", "late", "--goal", "x").code == 0)
        hand.type(["F9"])
        try daemon.settled()
        _ = try daemon.call(.flush)
        daemon.kill()
        #expect(try daemon.command("demonstrate", "--end", "failed").code == 0)
        try daemon.start()
        #expect(eventually { daemon.status?.state == .recording })
        #expect(daemon.status?.demonstration == nil)
        try daemon.settled()
        #expect(try daemon.command("demonstrate", "gone", "--goal", "x").code == 0)
        daemon.kill()
        #expect(try daemon.command("demonstrate", "--discard", "--yes").code == 0)
        try daemon.start()
        #expect(eventually { daemon.status?.state == .recording })
        try daemon.settled()
        let names = try daemon.command(
            "query",
            "--format",
            "csv",
            "SELECT name, outcome FROM demonstrations"
        )
        #expect(names.lines == ["name,outcome", "late,failed"], "\(names.lines)")
        #expect(try !daemon.export().contains { $0["keysym"] as? String == "F8" })
    }

    @Test func `the mark has a shape of its own while a demonstration goes on`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, app: "Editor")
        let before = try markPicture()
        try daemon.command("demonstrate", "x", "--goal", "y")
        try daemon.settled()
        #expect(eventually { (try? markPicture()) != before })
        #expect(daemon.status?.state == .recording)
        let target = try markPicture()
        try daemon.command("exempt", "add", "--app", "Editor")
        try daemon.settled()
        #expect(eventually { (try? markPicture()) != target })
        try daemon.command("exempt", "withdraw", "1")
        try daemon.command("demonstrate", "--end", "done")
        try daemon.settled()
        #expect(eventually { (try? markPicture()) == before })
    }
}
