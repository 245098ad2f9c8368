// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Person
import Testing

/// The pixel of every click in the export, beside what the clicked program was told.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct ClickTests {
    @Test(arguments: ClickScene.allCases)
    func `every click of the export is at the pixel another program was told, or at none`(
        scene: ClickScene
    ) throws {
        let server = try scene.server()
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand, isWide: true)
        let witness = try ClickWitness(server)
        let mouse = try server.device("mouse")
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        try daemon.settled()
        var player = try ClickPlayer(scene, server, witness)
        try player.play(scene.isCertain ? (isProof ? 10_000 : 200) : isProof ? 2000 : 100)
        try daemon.settled()
        let now = SystemClock.now()
        #expect(daemon.stop() == 0)
        let verdict = ClickVerdict(
            player.heard,
            try daemon.export(),
            offset: now.wallOffset
        )
        print("Clicks, \(scene.rawValue): \(verdict)")
        #expect(verdict.told >= 100)
        #expect(verdict.isTrue, "\(verdict)")
        let most = Int(scene.mostUnknown * Double(verdict.told))
        #expect(verdict.unknown <= most, "\(verdict)")
    }

    @Test func `no pixel inside an exempt window is stored, but where the pointer came into it`()
        throws
    {
        let server = try XorgServer(["mouse": .mouse])
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand)
        try #require(try daemon.command("exempt", "add", "--app", "Secret").code == 0)
        // The server accelerates otherwise, and nobody knows where the pointer will be.
        try Program.run("xset", ["-display", server.display, "m", "1", "0"])
        let other = try Hand(server)
        _ = hand.open(WindowPlan(app: "Editor", frame: (0, 0, 640, 1024)))
        _ = other.open(WindowPlan(app: "Secret", frame: (640, 0, 640, 1024)))
        let mouse = try server.device("mouse")
        var random = SplitMix(seed: 6)
        var place = hand.pointer
        // Movements that begin in the exempt window are odd downwards, so that each would show.
        func move(toX x: Int32, y: Int32) throws {
            let isOdd = place.x >= 640
            var y = y
            if ((y - place.y) % 2 != 0) != isOdd { y += 1 }
            try mouse.move(dx: x - place.x, dy: y - place.y)
            place = (x, y)
        }
        func wander(_ range: ClosedRange<Int32>, clicks: Int) throws {
            for _ in 0..<clicks {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    try move(
                        toX: .random(in: range, using: &random),
                        y: .random(in: 100...900, using: &random)
                    )
                }
                try mouse.button(1, down: true)
                try mouse.button(1, down: false)
                if Bool.random(using: &random) { usleep(.random(in: 0...60_000, using: &random)) }
            }
        }
        try move(toX: 320, y: 500)
        try mouse.synchronize()
        place = hand.pointer
        try daemon.settled()
        var entries: Set<[Int]> = []
        let rounds = isProof ? 300 : 30
        var rests: Set<[Int]> = []
        for round in 0..<rounds {
            if round % 6 == 0 {
                // Comes back and rests, with no click that would tell where.
                try move(toX: .random(in: 20...600, using: &random), y: 700)
                try mouse.synchronize()
                try daemon.settled()
                rests.insert([Int(place.x), Int(place.y)])
            }
            try wander(20...600, clicks: 3)
            try move(toX: .random(in: 700...1200, using: &random), y: 500)
            entries.insert([Int(place.x), Int(place.y)])
            try wander(700...1200, clicks: 3)
            try move(toX: .random(in: 20...600, using: &random), y: 500)
        }
        try mouse.synchronize()
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        let places = events.compactMap { event -> [Int]? in
            guard let x = event["x"] as? Int, let y = event["y"] as? Int,
                event["type"] as? String != "monitors"
            else { return nil }
            return [x, y]
        }
        #expect(places.count > rounds * 3)
        #expect(rests.isSubset(of: places), "behind a gap a reader is told where the pointer is")
        #expect(places.allSatisfy { $0[0] < 640 || entries.contains($0) })
        let moves = events.filter { $0["type"] as? String == "motion" }
        #expect(moves.allSatisfy { ($0["dy"] as? Int ?? 1) % 2 == 0 })
        let clicks = events.filter { $0["type"] as? String == "button" }
        print(
            "Exempt pixels: \(places.count) pixels, \(moves.count) movements, \(clicks.count) buttons"
        )
        #expect(clicks.count <= rounds * 6 && clicks.count > rounds * 3)
        #expect(clicks.allSatisfy { $0["x"] as? Int ?? 0 < 640 })
    }
}
