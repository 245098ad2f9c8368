// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Settings
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
        try player.play(scene.isCertain ? (isProof ? 10_000 : 300) : isProof ? 2000 : 100)
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
        if scene.isCertain {
            #expect(verdict.unknown == 0, "\(verdict)")
        } else if scene != .visits {
            #expect(verdict.unknown < verdict.told)
        }
    }
}
