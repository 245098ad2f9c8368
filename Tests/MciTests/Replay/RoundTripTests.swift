// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Gate
import Testing

/// Record, export, replay, record: two real recorders on two private desktops.
@Suite(.serialized) struct RoundTripTests {
    /// A desktop whose recorder keeps every key.
    private struct DesktopGeometry {
        let desktop = try? Desktop.apart()
        let daemon: Daemon
        let hand: Hand

        init(_ layout: String, _ detail: KeyDetail = .full) throws {
            let desktop = try #require(desktop)
            try desktop.setLayout(LayoutNames(layout))
            daemon = try Daemon(desktop)
            try daemon.useSmallRing()
            try daemon.use(detail)
            hand = try Hand(desktop)
            try daemon.record(hand)
            _ = try daemon.command("forget", "--all", "--yes")
        }

        /// What was recorded, as it can be compared: without times and focus.
        func events() throws -> [[String: Any]] {
            try daemon.settled()
            return try daemon.export().filter {
                ["key", "typing", "button", "motion", "scroll"].contains($0["type"] as? String)
            }
        }

        /// Plays an export into the display of another desk.
        func replay(_ file: String, into display: String, speed: String) throws -> Program.Result {
            let options = ["--display", display, "--speed", speed, "--record-again"]
            return try Program.run(
                "mcictl",
                ["replay", file] + options,
                environment: daemon.environment
            )
        }
    }

    /// An event without what cannot be the same twice.
    private func essence(_ event: [String: Any]) -> String {
        // A movement has its pixel where the recorder happened to look, a click always.
        let isMotion = event["type"] as? String == "motion"
        let fields = event.filter { $0.key != "time" && !(isMotion && "xy".contains($0.key)) }
        let data = try? JSONSerialization.data(withJSONObject: fields, options: .sortedKeys)
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    private func isPointer(_ event: [String: Any]) -> Bool { event["type"] as? String != "key" }

    private func place(_ event: [String: Any]) -> [Int] {
        ["x", "y"].compactMap { event[$0] as? Int }
    }

    private func moments(_ events: [[String: Any]]) -> [Double] {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return events.compactMap { event in
            (event["time"] as? String).flatMap { try? format.parse($0) }?.timeIntervalSince1970
        }
    }

    /// Text with Shift, AltGr and locks, chords, keys held together, a drag and both wheels.
    private func work(_ hand: Hand) throws {
        _ = try hand.press(
            chords: "h i shift+h space q w e r t y ctrl+s alt+tab shift+1 ctrl+shift+z 7 return"
        )
        // AltGr and what a us keyboard lacks; Caps Lock and NumLock, each with a key under it.
        for codes in [[108, 24], [48], [47], [20], [66], [38], [66], [77], [87], [77], [87]] {
            for code in codes { hand.key(code: UInt32(code), down: true) }
            for code in codes.reversed() { hand.key(code: UInt32(code), down: false) }
            hand.flush()
            usleep(2000)
        }
        // Two letters at once, released in the order of their presses.
        for (code, down) in [(38, true), (39, true), (38, false), (39, false)] {
            hand.key(code: UInt32(code), down: down)
        }
        for step in 0..<200 {
            hand.move(dx: Int32(step % 7) - 3, dy: Int32(step % 5) - 2)
            if step == 50 { hand.button(1, down: true) }
            if step == 150 { hand.button(1, down: false) }
            usleep(1000)
        }
        for number: UInt32 in [4, 5, 5, 6, 7, 8, 3] {
            hand.button(number, down: true)
            hand.button(number, down: false)
        }
        hand.flush()
    }

    @Test(arguments: ["us", "de", "ru"], ["1", "max"])
    func `record, export, replay, record gives the same events`(
        layout: String,
        speed: String
    ) throws {
        let first = try DesktopGeometry(layout)
        try work(first.hand)
        let events = try first.events()
        try #require(events.count > 250)
        #expect(Set(events.compactMap { $0["type"] as? String }).count == 4)
        let file = "\(first.daemon.folder.path)/events.jsonl"
        try #require(try first.daemon.command("export", "--out", file).code == 0)

        let second = try DesktopGeometry("us")
        let display = try #require(second.desktop).display
        let result = try first.replay(file, into: display, speed: speed)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output == "Played \(events.count) events into \(display).\n")
        let again = try second.events()
        #expect(again.count == events.count)
        // Order is exact within a stream; between the two it is that of their times.
        for isKey in [true, false] {
            func stream(_ events: [[String: Any]]) -> [String] {
                events.filter { ($0["type"] as? String == "key") == isKey }.map(essence)
            }
            let (before, after) = (stream(events), stream(again))
            let wrong = zip(before, after).first { $0 != $1 }
            let isSame = wrong == nil && before.count == after.count
            #expect(isSame, "\(before.count), \(after.count), \(wrong.map { "\($0) \($1)" } ?? "")")
        }
        let pairs = zip(events.filter(isPointer), again.filter(isPointer)).filter { pair in
            pair.0["x"] != nil && pair.1["x"] != nil
        }
        #expect(pairs.allSatisfy { place($0) == place($1) })
        guard speed == "1" else { return }
        let (before, after) = (moments(events).sorted(), moments(again).sorted())
        let shift = try #require(after.first) - (try #require(before.first))
        let late = zip(before, after).map { abs($1 - $0 - shift) }.sorted()
        #expect(late[late.count / 2] < 0.1, "half of them later than \(late[late.count / 2]) s")
    }

    @Test
    func `at the default it gives the same events but for the text, of which nothing is played`()
        throws
    {
        let first = try DesktopGeometry("us", .shortcuts)
        try work(first.hand)
        let events = try first.events()
        let runs = events.filter { $0["type"] as? String == "typing" }
        #expect(!runs.isEmpty && runs.allSatisfy { $0["seconds"] as? Int ?? 0 > 0 })
        let named = events.filter { $0["type"] as? String == "key" }
        let names = Set(named.compactMap { $0["keysym"] as? String })
        #expect(names.isSuperset(of: ["Control_L", "s", "Alt_L", "Tab", "Return"]))
        #expect(names.isDisjoint(with: ["h", "i", "space", "w", "7", "exclam"]))
        let file = "\(first.daemon.folder.path)/events.jsonl"
        try #require(try first.daemon.command("export", "--out", file).code == 0)

        let second = try DesktopGeometry("us", .shortcuts)
        let display = try #require(second.desktop).display
        let result = try first.replay(file, into: display, speed: "max")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("without the text: left out."))
        let again = try second.events()
        #expect(!again.contains { $0["type"] as? String == "typing" })
        for isKey in [true, false] {
            func stream(_ events: [[String: Any]]) -> [String] {
                events.filter {
                    ($0["type"] as? String == "key") == isKey && $0["type"] as? String != "typing"
                }
                .map(essence)
            }
            #expect(stream(events) == stream(again))
        }
    }
}
