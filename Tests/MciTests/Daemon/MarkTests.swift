// SPDX-License-Identifier: Apache-2.0

import CZlib
import Control
import Foundation
import Gate
import Person
import Testing

/// The mark on the screen, with a real mcid.
@Suite(.serialized) struct MarkTests {
    @Test(arguments: [[], ["--compositor", "picom"]])
    func `what is typed while the mark cannot be seen is not stored, however it was hidden`(
        options: [String]
    ) throws {
        let rounds = isProof ? 1000 : 2
        let script = "\(Program.root)/Tests/Proofs/mark.py"
        let words = [script, Program.products, "--rounds", "\(rounds)"] + options
        let result = try Program.run("python3", words)
        print(result.output)
        #expect(result.code == 0, "\(result.output)\(result.errors)")
    }

    @Test func `a click on the mark is one on what lies under it, at the same pixel`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.record(hand, app: "Wide", isWide: true)
        let size = hand.size
        // From beside the mark to its middle.
        let places = [(-40, 30), (-14, 14), (-20, 8)].map { (x: size.width + $0.0, y: $0.1) }
        for _ in 0..<(isProof ? 334 : 10) {
            for place in places {
                hand.move(toX: Int32(place.x), y: Int32(place.y))
                hand.button(1, down: true)
                hand.button(1, down: false)
            }
            try daemon.barrier()
        }
        try daemon.settled()
        #expect(daemon.status?.mark?.isSeen == true)
        let clicks = try daemon.export().filter {
            $0["type"] as? String == "button" && $0["state"] as? String == "down"
        }
        #expect(clicks.count == places.count * (isProof ? 334 : 10))
        for (index, click) in clicks.enumerated() {
            let place = places[index % places.count]
            #expect(click["x"] as? Int == place.x && click["y"] as? Int == place.y)
        }
        daemon.stop()
    }

    @Test func `the mark stands where the person chose, and a pause takes it away`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.record(hand)
        func marks() -> [(x: Int, y: Int)] { hand.windows(named: "mci") }
        let (width, height) = (hand.size.width, hand.size.height)
        for (corner, x, y) in [
            ("bottom-left", 2, height - 26), ("top-left", 2, 2),
            ("bottom-right", width - 26, height - 26), ("top-right", width - 26, 2),
        ] {
            #expect(try daemon.command("set", "mark-corner", corner).code == 0)
            try daemon.barrier()
            let all = marks()
            #expect(all.count == 1 && all.first?.x == x && all.first?.y == y)
            #expect(daemon.status?.mark?.corner == corner)
        }
        #expect(try daemon.command("set", "mark-corner", "middle").code == 64)
        #expect(try daemon.command("pause", "5m").code == 0)
        #expect(marks().isEmpty && daemon.status?.mark == nil)
        #expect(try daemon.command("resume").code == 0)
        #expect(eventually { marks().count == 1 })
        daemon.kill()
        #expect(eventually { marks().isEmpty }, "No process, no mark.")
    }

    @Test func `the mark is a ring while the window in front is left out`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.record(hand, app: "Editor")
        let middle = (hand.size.width - 14, 14)
        #expect(hand.colour(at: middle) == 0xD92020)
        #expect(try daemon.command("exempt", "add", "--app", "editor").code == 0)
        try daemon.barrier()
        #expect(hand.colour(at: middle) == 0xFFFFFF)
        #expect(daemon.status?.mark?.isSeen == true)
        hand.openWindow(app: "Other")
        try daemon.settled()
        #expect(hand.colour(at: middle) == 0xD92020)
        daemon.stop()
    }

    /// A picture of the mark as PNG, transparent around the circle.
    private func picture(_ hand: Hand) -> Data {
        let side = 24
        var rows: [UInt8] = []
        for y in 0..<side {
            rows.append(0)
            for x in 0..<side {
                let colour = hand.colour(at: (hand.size.width - 26 + x, 2 + y))
                let (dx, dy) = (2 * x + 1 - side, 2 * y + 1 - side)
                let parts = (0..<3).map { UInt8(colour >> (16 - 8 * $0) & 255) }
                rows += parts + [dx * dx + dy * dy <= side * side ? 255 : 0]
            }
        }
        func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            let content = Array(name.utf8) + body
            let sum = UInt32(crc32(0, content, UInt32(content.count)))
            return big(UInt32(body.count)) + content + big(sum)
        }
        // One block that is not compressed, so that every zlib writes the same.
        let length = UInt16(rows.count)
        let size = [
            UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8),
        ]
        let sum = UInt32(adler32(1, rows, UInt32(rows.count)))
        let pixels = [0x78, 0x01, 0x01] + size + rows + big(sum)
        let header = big(UInt32(side)) + big(UInt32(side)) + [8, 6, 0, 0, 0]
        let file: [UInt8] =
            [0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A] + chunk("IHDR", header)
            + chunk("IDAT", pixels) + chunk("IEND", [])
        return Data(file)
    }

    @Test func `the pictures in the README are what the screen shows`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.record(hand, app: "Editor")
        let disc = picture(hand)
        _ = try daemon.command("exempt", "add", "--app", "editor")
        try daemon.barrier()
        for (name, picture) in [("mark", disc), ("mark-ring", picture(hand))] {
            let path = URL(fileURLWithPath: "\(Program.root)/Documentation/\(name).png")
            if ProcessInfo.processInfo.environment["MCI_WORDS"] == "write" {
                try picture.write(to: path)
            }
            #expect(try Data(contentsOf: path) == picture)
        }
        daemon.stop()
    }

    @Test func `mcid reads no pixel but the mark's, and selects no input before it was seen`()
        throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        // Between mcid and the server stands a program that writes down what they say.
        let number = 30_000 + (Int(desktop.display.dropFirst()) ?? 0)
        let log = "\(daemon.folder.path)/protocol"
        let tracer = Process()
        tracer.executableURL = URL(fileURLWithPath: try #require(Program.path("xtrace")))
        tracer.arguments = ["-n", "-k", "-D", ":\(number)", "-d", desktop.display, "-o", log]
        tracer.standardOutput = FileHandle.nullDevice
        tracer.standardError = FileHandle.nullDevice
        try tracer.run()
        defer { tracer.end() }
        let socket = "/tmp/.X11-unix/X\(number)"
        try #require(eventually { FileManager.default.fileExists(atPath: socket) })
        defer { unlink(socket) }
        daemon.environment["DISPLAY"] = ":\(number)"
        try daemon.record(hand, app: "Editor", isWide: true)
        for _ in 0..<20 {
            hand.type(["F5"])
            hand.move(dx: 5, dy: 3)
            try daemon.barrier()
        }
        daemon.stop()
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let images = lines.filter { $0.contains("GetImage format") }
        #expect(images.count >= 40)
        let (x, middle, edge) = (hand.size.width - 14, 14, 6)
        let allowed = [middle, edge].map { "x=\(x) y=\($0) width=1 height=1 " }
        #expect(images.allSatisfy { line in allowed.contains { line.contains($0) } })
        let seen = try #require(lines.firstIndex { $0.contains("Reply to GetImage") })
        let selected = try #require(lines.firstIndex { $0.contains("XISelectEvents") })
        #expect(seen < selected)
    }

    @Test func `whoever ends the mark's client ends the recording, and mcid comes back marked`()
        throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let daemon = try Daemon(desktop)
        try daemon.record(hand)
        let mark = try #require(hand.ids(named: "mci").first)
        hand.endClient(of: mark)
        hand.type(["F9"])
        #expect(
            eventually {
                daemon.status?.state == .recording && hand.ids(named: "mci").count == 1
            }
        )
        try daemon.settle(hand)
        let keys = try daemon.export().compactMap { $0["keysym"] as? String }
        #expect(!keys.contains("F9") && keys.contains("F12"))
        daemon.stop()
    }
}
