// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Testing

/// The recording goes on after the X server has gone, as often as it goes.
@Suite(.serialized) struct ContinuityTests {
    @Test func `the X server is killed under load and comes back, again and again`() throws {
        let rounds = isProof ? 100 : 4
        // A number that no server takes by itself while this one is away.
        var server = try Desktop(display: ":\(Int.random(in: 1000..<50_000))")
        var hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        var random = SplitMix(seed: 100)
        var starts = 1
        var waits: [Double] = []
        var sizes: [(memory: Int, descriptors: Int)] = []
        for _ in 0..<rounds {
            let load = try Load(server, pause: 1000)
            // A key is down when the server dies; when that is, is chance.
            hand.type(["F1"])
            hand.key("F2", down: true)
            usleep(UInt32.random(in: 150_000...400_000, using: &random))
            server.stop()
            load.stop()
            // As long away as mcid's pauses between its trials are long.
            usleep(UInt32.random(in: 0...(isProof ? 4_000_000 : 1_500_000), using: &random))
            server = try Desktop(display: server.display)
            let up = Date()
            hand = try Hand(server)
            if !daemon.isRunning {
                // The server died inside XOpenDisplay: the unit would start mcid again.
                try daemon.start()
                starts += 1
            }
            #expect(eventually(within: 2.5) { daemon.status?.state == .recording })
            waits.append(Date().timeIntervalSince(up))
            hand.openWindow(app: "Editor", isWide: true)
            try daemon.settle(hand)
            sizes.append(try daemon.size())
        }
        #expect(daemon.stop() == 0)

        let events = try daemon.export()
        let gaps = events.filter { $0["reason"] as? String == "disconnected" }
        #expect(gaps.count == rounds - (starts - 1), "\(gaps.count) gaps")
        #expect(waits.max() ?? 9 <= 2)
        // Every key that went down went up, and never twice.
        var down: Set<String> = []
        for event in events where event["type"] as? String == "key" {
            let key = "\(event["keysym"] ?? "") \(event["device"] ?? "")"
            if event["state"] as? String == "down" {
                #expect(down.insert(key).inserted, "\(key) is down twice")
            } else {
                #expect(down.remove(key) != nil, "\(key) goes up twice")
            }
        }
        #expect(down.isEmpty, "\(down)")
        let held = events.filter {
            $0["keysym"] as? String == "F2" && $0["state"] as? String == "down"
        }
        #expect(held.count == rounds)
        // What one connection needs is freed with it; the first has filled the caches.
        let (first, last) = (try #require(sizes.first), try #require(sizes.last))
        // The connection of the last question may still be open, or no longer.
        #expect(last.descriptors <= first.descriptors + 1)
        #expect(last.memory <= first.memory + (isProof ? 1024 : 2048), "\(sizes)")
        waits.sort()
        func milliseconds(_ index: Int) -> Int { Int(waits[index] * 1000) }
        print(
            """
            Continuity: \(rounds) servers killed, \(gaps.count) gaps, \(starts - 1) new starts, back \
            after \(milliseconds(rounds / 2)) ms in the middle and \(milliseconds(rounds - 1)) ms at most, \
            descriptors \(first.descriptors) to \(last.descriptors), \
            memory \(first.memory) to \(last.memory) kB
            """
        )
    }

    @Test(.enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
    func `a blanked screen interrupts nothing`() throws {
        let server = try XorgServer(["keyboard": .keyboard, "mouse": .mouse])
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        let mouse = try server.device("mouse")
        var wanted: [Int] = []
        for round in 1...(isProof ? 100 : 5) {
            for switched in [["dpms", "force", "off"], ["s", "activate"], ["s", "reset"]] {
                try Program.run("xset", ["-display", server.display] + switched)
                try mouse.move(dx: Int32(round), dy: 1)
                wanted.append(round)
                try mouse.synchronize()
            }
        }
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        let moves = events.filter { $0["type"] as? String == "motion" }
        #expect(moves.compactMap { $0["dx"] as? Int } == wanted)
        #expect(!events.contains { $0["reason"] as? String == "disconnected" })
    }
}

extension Daemon {
    var isRunning: Bool { process.isRunning }

    /// Resident memory in kB, and open descriptors.
    func size() throws -> (memory: Int, descriptors: Int) {
        let folder = "/proc/\(process.processIdentifier)"
        let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let memory = line?.split { !$0.isNumber }.first.flatMap { Int($0) }
        let open = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd")
        return (try #require(memory), open.count)
    }
}
