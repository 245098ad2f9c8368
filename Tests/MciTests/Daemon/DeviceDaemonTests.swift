// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Person
import Testing

/// Devices that come, go and change hands while mcid records.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct DeviceDaemonTests {
    private let server: XorgServer
    private let hand: Hand
    private let daemon: Daemon

    init() throws {
        server = try XorgServer(["keyboard": .keyboard, "mouse": .mouse, "second mouse": .mouse])
        hand = try Hand(server)
        daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
    }

    /// What xinput(1) does.
    private func xinput(_ words: String...) throws {
        let result = try Program.run("xinput", words, environment: ["DISPLAY": server.display])
        try #require(result.code == 0, "\(words): \(result.errors)")
    }

    private func synchronize() throws {
        for device in server.devices.values { try device.synchronize() }
        try daemon.settled()
    }

    /// The presses and releases of an export, in their order.
    private func presses(_ events: [[String: Any]], _ type: String, _ name: String) -> [String] {
        events.filter { $0["type"] as? String == type }
            .map { "\($0[name] ?? "") \($0["state"] ?? "")" }.filter { !$0.hasPrefix("F12 ") }
    }

    /// The export's lines about a device.
    private func lines(_ events: [[String: Any]], of name: String) -> [[String: Any]] {
        let id = events.first { $0["name"] as? String == name }?["device"] as? Int
        return events.filter { $0["device"] as? Int == id }
    }

    @Test func `no key and no button stays down where all devices are switched off and on`() throws
    {
        let (f1, f2) = (UInt8(hand.keycode("F1")), UInt8(hand.keycode("F2")))
        let rounds = isProof ? 100 : 5
        for round in 0..<rounds {
            var (keyboard, mouse) = (try server.device("keyboard"), try server.device("mouse"))
            try keyboard.key(f1, down: true)
            try mouse.button(1, down: true)
            try synchronize()
            // What the server does to its devices when another VT comes to the front.
            for name in server.devices.keys.sorted() {
                try server.restart(name, wait: round % 2 == 0 ? 50_000 : 0)
            }
            (keyboard, mouse) = (try server.device("keyboard"), try server.device("mouse"))
            try keyboard.key(f2, down: true)
            try keyboard.key(f2, down: false)
            try mouse.move(dx: 1, dy: 1)
            try mouse.button(3, down: true)
            try mouse.button(3, down: false)
            try synchronize()
        }
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        func all(_ round: [String]) -> [String] {
            Array(repeatElement(round, count: rounds).joined())
        }
        // The server releases what a device holds that it switches off.
        let keys = ["F1 down", "F1 up", "F2 down", "F2 up"]
        #expect(presses(events, "key", "keysym") == all(keys))
        #expect(presses(events, "button", "button") == all(["1 down", "1 up", "3 down", "3 up"]))
        #expect(events.filter { $0["type"] as? String == "motion" }.count == rounds)
    }

    @Test func `a mouse that goes to a second pointer, floats and comes back is followed`() throws {
        let mouse = try server.device("second mouse")
        let witness = try ClickWitness(server)
        var wanted: [Int] = []
        var clicks: [ClickWitness.Heard] = []
        func use(isRecorded: Bool) throws {
            // The first movement of a pointer finds out where it is and whose the window is.
            try mouse.move(dx: 0, dy: 1)
            try synchronize()
            for step in 1...3 {
                try mouse.move(dx: Int32(10 * clicks.count + step), dy: 0)
                if isRecorded { wanted.append(10 * clicks.count + step) }
            }
            try mouse.button(1, down: true)
            try mouse.button(1, down: false)
            try synchronize()
            clicks += witness.heard()
        }
        try use(isRecorded: true)
        try xinput("--create-master", "other")
        try xinput("--reattach", "second mouse", "other pointer")
        try use(isRecorded: true)
        try xinput("--float", "second mouse")
        let before = clicks.count
        try use(isRecorded: false)
        #expect(clicks.count == before, "a floating mouse clicks nothing")
        try xinput("--reattach", "second mouse", "Virtual core pointer")
        try use(isRecorded: true)
        try xinput("--remove-master", "other pointer")
        try use(isRecorded: true)
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        let mine = lines(events, of: "second mouse")
        let moves = mine.filter { $0["type"] as? String == "motion" }.compactMap {
            $0["dx"] as? Int
        }
        #expect(moves.filter { $0 > 0 } == wanted)
        let masters = mine.compactMap { $0["master"] as? Int }
        #expect(masters.count == 3 && masters.first == 2 && masters.last == 2, "\(masters)")
        let now = SystemClock.now()
        let verdict = ClickVerdict(clicks, mine, offset: now.wallOffset)
        // A mouse that floated comes back to where it went meanwhile, and the server says so late.
        #expect(verdict.isTrue && verdict.told == 8 && verdict.unknown <= 2, "\(verdict)")
        print("Clicks, a mouse that changes hands: \(verdict)")
    }
}
