// SPDX-License-Identifier: Apache-2.0

import Control
import Foundation
import Person
import Testing

/// The first key of all.
extension DaemonTests {
    @Test func `the first key after a start and after each resume is stored`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        hand.openWindow(app: "Editor")
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        hand.type(["F1"])
        for key in ["F2", "F3", "F4"] {
            try daemon.settled()
            #expect(try daemon.command("pause").code == 0)
            #expect(try daemon.command("resume").code == 0)
            hand.type([key])
        }
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let down = try daemon.export().filter { $0["state"] as? String == "down" }
        #expect(down.compactMap { $0["keysym"] as? String } == ["F1", "F2", "F3", "F4"])
    }

    @Test func `the first key in a terminal after a resume is stored`() throws {
        let scene = try TerminalScene(desktop)
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.start()
        try #require(eventually { daemon.status?.state == .recording })
        // Where a key is read late, or another test beside this one has a prompt up, it is left out.
        let isStored = try eventually(within: 40) {
            _ = try daemon.command("pause")
            _ = try daemon.command("resume")
            let before = daemon.status?.events.admitted ?? 0
            scene.hand.type(["F1"])
            try daemon.settled()
            return daemon.status?.events.admitted ?? 0 > before
        }
        #expect(isStored)
    }
}
