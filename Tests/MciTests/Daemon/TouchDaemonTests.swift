// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// TouchOwners on a touch screen, from the glass to the export.
@Suite(.serialized, .enabled(if: XorgServer.refusal == nil, XorgServer.refusal))
struct TouchDaemonTests {
    @Test func `a tap is told with its pixel, one on an on-screen keyboard leaves nothing`() throws
    {
        let server = try XorgServer(["glass": .touch, "mouse": .mouse])
        let (glass, mouse) = (try server.device("glass"), try server.device("mouse"))
        let hand = try Hand(server)
        let keyboard = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.record(hand, isWide: true)
        _ = keyboard.open(
            WindowPlan(app: "Onboard", frame: (0, 700, 1280, 324), isPopup: true)
        )
        try daemon.settled()
        func tap(_ x: Int, _ y: Int, with second: (Int, Int)? = nil) throws {
            func axes(_ x: Int, _ y: Int) -> [Int: Double] {
                [0: (Double(x) + 0.5) * 51.2, 1: (Double(y) + 0.5) * 64]
            }
            try glass.touch(0, .begin, axes(x, y))
            if let second { try glass.touch(1, .begin, axes(second.0, second.1)) }
            try glass.touch(0, .update, axes(x + 1, y))
            if let second { try glass.touch(1, .end, axes(second.0, second.1)) }
            try glass.touch(0, .end, axes(x + 1, y))
            try glass.synchronize()
            try daemon.settled()
        }
        // Each window is looked at once.
        try tap(100, 100)
        try tap(100, 800)
        let letters = [(40, 720), (640, 800), (1200, 1000), (300, 750)]
        for letter in letters { try tap(letter.0, letter.1) }
        try tap(700, 300, with: (900, 400))
        // The second finger writes while the first rests elsewhere.
        try tap(200, 200, with: (500, 900))
        try mouse.move(dx: 1, dy: 1)
        try mouse.synchronize()
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export().filter { $0["type"] as? String == "touch" }
        let words = events.suffix(8).map { event in
            ["finger", "state", "x", "y"].map { "\(event[$0] ?? "")" }.joined(separator: " ")
        }
        #expect(
            words == [
                "0 down 700 300", "1 down 900 400", "0 move 701 300", "1 up 900 400",
                "0 up 701 300", "0 down 200 200", "0 move 201 200", "0 up 201 200",
            ]
        )
        #expect(events.allSatisfy { ($0["y"] as? Int ?? 0) < 700 })
        let export = try daemon.command("export").output
        #expect(export.contains("\"reason\":\"excluded\""))
        let csv = try daemon.command("export", "--format", "csv").output
            .split(separator: "\r\n")
        #expect(csv.first?.hasSuffix(",finger,seconds,injected") == true)
        #expect(
            Set(csv.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }).count
                == 1
        )
        #expect(
            csv.contains {
                $0.contains(",touch,down,") && $0.hasSuffix(",900,400,0=46106 1=25632,,,1,,false")
            }
        )
        let query = try daemon.command(
            "query",
            "SELECT finger, state, x, y, axes FROM events WHERE type = 'touch' AND x = 900"
        )
        #expect(query.output.contains("0=46106 1=25632"))
        let left = try daemon.command("export", "--format", "ducktrack")
        #expect(left.errors.contains("touch events: left out."))
    }
}
