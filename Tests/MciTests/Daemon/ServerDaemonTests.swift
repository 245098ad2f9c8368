// SPDX-License-Identifier: Apache-2.0

import CX11
import Control
import Events
import Foundation
import Person
import Testing

/// What the server changes between a raw event and a program, through mcid, exports and replay.
@Suite(.serialized) struct ServerDaemonTests {
    private func buttons(_ events: [[String: Any]]) -> [String] {
        events.filter { $0["type"] as? String == "button" }
            .map { "\($0["button"] ?? "") \($0["state"] ?? "")" }
    }

    private func setMap(_ numbers: [UInt8], _ desktop: Desktop) throws {
        let words = ["-display", desktop.display, "-e"]
        let map = "pointer = " + numbers.map(String.init).joined(separator: " ")
        let result = try Program.run("xmodmap", words + [map])
        try #require(result.code == 0, "\(result.errors)")
    }

    private func click(_ hand: Hand, _ numbers: [UInt32]) {
        for number in numbers {
            hand.button(number, down: true)
            hand.button(number, down: false)
        }
        hand.flush()
    }

    @Test func `a left-handed mouse is recorded, exported and played as programs were told`() throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        try setMap([3, 2, 1, 5, 4], desktop)
        try daemon.settled()
        let witness = try ClickWitness(desktop)
        hand.move(dx: 3, dy: 3)
        try daemon.settled()
        click(hand, [1, 3, 2, 4, 5, 5])
        try daemon.settled()
        let told = witness.heard().map(\.click)
        let events = try daemon.export()
        let wanted = told.filter { $0.number < 4 }
            .map { "\($0.number) \($0.isDown ? "down" : "up")" }
        #expect(wanted.first == "3 down")
        #expect(buttons(events) == wanted)
        let turns = events.filter { $0["type"] as? String == "scroll" }.map { $0["dy"] as? Double }
        #expect(turns == [1, -1, -1], "button 4 counts as 5 and 5 as 4")
        let map = events.compactMap { $0["buttonMap"] as? [Int] }.last
        #expect(map?.prefix(5) == [3, 2, 1, 5, 4])
        let duck = try daemon.command("export", "--format", "ducktrack")
        let first = duck.objects.first { $0["action"] as? String == "click" }
        #expect(first?["button"] as? String == "right")

        // Played where the buttons are others again.
        let file = "\(daemon.folder.path)/events.jsonl"
        try #require(try daemon.command("export", "--out", file).code == 0)
        for numbers: [UInt8] in [[1, 2, 3], [2, 3, 1, 5, 4]] {
            let target = try Desktop.apart()
            try setMap(numbers, target)
            let witness = try ClickWitness(target)
            let result = try daemon.command(
                "replay",
                file,
                "--display",
                target.display,
                "--speed",
                "max"
            )
            #expect(result.code == 0, "\(result.errors)")
            let again = witness.heard().map { "\($0.click.number) \($0.click.isDown)" }
            let before = told.map { "\($0.number) \($0.isDown)" }
            #expect(again == before)
        }
        #expect(daemon.stop() == 0)
    }

    @Test func `status says why keys are left out, and the gap has the reason`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        func notices() -> String { (daemon.status?.notices ?? []).joined(separator: " ") }
        #expect(!notices().contains("SlowKeys"))
        let bounce = UInt32(XkbBounceKeysMask)
        _ = XkbChangeEnabledControls(hand.display, UInt32(XkbUseCoreKbd), bounce, bounce)
        hand.flush()
        hand.type(["F1", "F2"])
        #expect(eventually { notices().contains("SlowKeys") })
        try daemon.settled()
        #expect(try daemon.command("status").output.contains("BounceKeys"))
        _ = XkbChangeEnabledControls(hand.display, UInt32(XkbUseCoreKbd), bounce, 0)
        hand.flush()
        hand.type(["F3"])
        #expect(eventually { !notices().contains("SlowKeys") })
        // The focus nowhere, and where no window is under the pointer.
        hand.focus(0)
        hand.type(["F4"])
        #expect(eventually { notices().contains("no window has the focus") })
        hand.focus(UInt(PointerRoot))
        hand.move(toX: 1000, y: 1000)
        hand.type(["F5"])
        #expect(eventually { notices().contains("follows the pointer") })
        hand.move(toX: 50, y: 50)
        hand.type(["F6"])
        #expect(eventually { !notices().contains("follows the pointer") })
        hand.type(["F7"])
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        let keys = events.filter { $0["state"] as? String == "down" }
            .compactMap { $0["keysym"] as? String }.filter { $0 != "F12" }
        for key in ["F1", "F2", "F4", "F5"] { #expect(!keys.contains(key)) }
        for key in ["F3", "F7"] { #expect(keys.contains(key)) }
        let gaps = events.filter { $0["reason"] as? String == "unknown-context" }
        // Before F3 and before F7; where nothing is stored between two they are one.
        #expect(gaps.count >= 2)
    }

    @Test func `a desktop of a remote viewer is recorded at exact pixels`() throws {
        let server = try VNCServer()
        let viewer = try server.viewer()
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        let witness = try ClickWitness(server)
        try viewer.move(toX: 500, y: 400)
        try viewer.synchronize()
        try daemon.settled()
        var random = SplitMix(seed: 98)
        var heard: [ClickWitness.Heard] = []
        for _ in 0..<60 {
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                try viewer.move(
                    toX: .random(in: 0..<1024, using: &random),
                    y: .random(in: 0..<768, using: &random)
                )
            }
            try viewer.click(Int.random(in: 1...3, using: &random))
            try viewer.synchronize()
            heard += witness.heard()
            usleep(.random(in: 0...20_000, using: &random))
        }
        try daemon.settled()
        let offset = SystemClock.now().wallOffset
        #expect(daemon.stop() == 0)
        let verdict = ClickVerdict(heard, try daemon.export(), offset: offset)
        print("VNC: \(verdict)")
        #expect(verdict.told == 120 && verdict.isTrue, "\(verdict)")
        #expect(verdict.unknown <= 6, "\(verdict)")
    }
}
