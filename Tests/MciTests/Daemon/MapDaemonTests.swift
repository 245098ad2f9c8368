// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Testing

/// Keyboards with maps of their own, from their devices to the export.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct MapDaemonTests {
    @Test func `digits typed beside a pad of function keys are stored without a name`() throws {
        let server = try XorgServer(["keys": .keyboard, "pad": .keyboard])
        try server.editMap(of: "pad", KeyMapEdit.digitsToFunctionKeys)
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        hand.openWindow(app: "Editor")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        var random = SplitMix(seed: 171)
        var expected: [String] = []
        for _ in 0..<80 {
            let name = ["keys", "pad"].randomElement(using: &random) ?? "keys"
            let code = UInt8.random(in: 10...19, using: &random)
            let device = try server.device(name)
            try device.key(code, down: true)
            try device.key(code, down: false)
            try device.synchronize()
            expected.append(name == "pad" ? "function F\(Int(code) + 3)" : "digit")
            // As two people type, and not to wait for anything.
            usleep(UInt32.random(in: 6000...40_000, using: &random))
        }
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let stored = try daemon.export().filter { $0["state"] as? String == "down" }.map {
            ([$0["class"] as? String, $0["keysym"] as? String].compactMap(\.self))
                .joined(separator: " ")
        }
        #expect(stored == expected)
    }
}
