// SPDX-License-Identifier: Apache-2.0

import Foundation
import Gate
import Testing

/// What programs type and click through a real X server.
@Suite(.serialized) struct InjectedDaemonTests {
    @Test func `what a program types at full is typing, flagged, and in no human's export`() throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop, detail: .full, syntheticKeys: false)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        hand.type(text: "correct horse")
        hand.type(["Return", "F5"])
        hand.button(1, down: true)
        hand.button(1, down: false)
        hand.move(dx: 5, dy: 5)
        try daemon.settled()

        let doctor = try daemon.command("doctor")
        #expect(doctor.output.contains("mcictl set synthetic-keys on"), "\(doctor.output)")
        func input(_ events: [[String: Any]]) -> [[String: Any]] {
            events.filter {
                !["focus", "gap", "device", "monitors"].contains($0["type"] as? String)
            }
        }
        let events = input(try daemon.export())
        let types = Set(events.compactMap { $0["type"] as? String })
        #expect(types == ["typing", "button", "motion"])
        #expect(events.allSatisfy { $0["injected"] as? Bool == true })

        let human = try daemon.command("export", "--human-only")
        #expect(human.code == 0 && input(human.objects).isEmpty)
        #expect(human.errors.contains("events made by programs: left out."), "\(human.errors)")
        let rows = try daemon.command(
            "query",
            "--format",
            "csv",
            "SELECT injected, count(*) > 3, group_concat(DISTINCT type) FROM events GROUP BY 1"
        )
        #expect(rows.lines.dropFirst().first == "0,0,focus", "\(rows.output)")
        #expect(rows.lines.last?.hasPrefix("1,1,") == true, "\(rows.output)")

        #expect(try daemon.command("set", "synthetic-keys", "on", "--yes").code == 0)
        try daemon.settle(hand)
        hand.type(text: "ab")
        try daemon.settled()
        let keys = try daemon.export().filter { $0["type"] as? String == "key" }
        #expect(keys.contains { $0["keysym"] as? String == "a" })
        #expect(keys.allSatisfy { $0["injected"] as? Bool == true })
        #expect(try daemon.command("log", "--keys").output.contains("(injected)"))
        #expect(try daemon.command("status").output.contains("synthetic-keys off"))
        #expect(daemon.stop() == 0)
    }
}
