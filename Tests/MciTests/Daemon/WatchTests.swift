// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Person
import System
import Testing

/// `mcictl watch` on a real terminal, beside a real mcid: every key, every size.
@Suite(.serialized) struct WatchTests {
    private let desktop: Desktop
    private let hand: Hand
    private let daemon: Daemon

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
        daemon = try Daemon(desktop)
        try daemon.useSmallRing()
    }

    private func watch(
        rows: Int = 24,
        columns: Int = 80,
        claims: (rows: Int, columns: Int)? = nil,
        _ more: [String: String] = [:]
    ) throws -> TmuxScreen {
        try TmuxScreen(
            [try #require(Program.path("mcictl")), "watch"],
            environment: daemon.environment.merging(more, uniquingKeysWith: { $1 }),
            rows: rows,
            columns: columns,
            claims: claims,
            folder: daemon.folder
        )
    }

    @Test func `it shows what is stored, and each key does what it says`() throws {
        try daemon.record(hand, app: "Editor")
        let screen = try watch()
        #expect(screen.shows("● recording since"))
        #expect(screen.shows("In front   Editor: recorded"))
        hand.type(["F5"])
        try daemon.settled()
        _ = try daemon.call(.flush)
        #expect(screen.shows("pressed function"))
        #expect(screen.shows("10 min     ") && screen.shows("Ring "))
        #expect(try screen.lines.last?.hasPrefix("p pause 15 min") == true)

        try screen.press("p")
        #expect(screen.shows("‖ paused until") && screen.shows("Paused until"))
        #expect(daemon.status?.state == .paused)
        try screen.press("r")
        #expect(screen.shows("The pause has ended.") && screen.shows("● recording since"))
        try screen.press("z")
        #expect(screen.shows("That key does nothing here."))

        // Erasing asks, and anything but y is no.
        _ = hand.openWindow(app: "Mail")
        try daemon.settle(hand)
        hand.type(["F6"])
        try daemon.settled()
        try screen.press("f")
        #expect(screen.shows("Permanently erase the last 5 minutes") && screen.shows("y/N"))
        // A key that comes before the question can be read is no answer.
        usleep(700_000)
        try screen.press("n")
        #expect(screen.shows("Nothing was erased."))
        #expect(try !daemon.export().isEmpty)
        // Nor does a word that is typed erase anything: nobody has read the question yet.
        try screen.press("verif")
        try screen.press("y")
        #expect(screen.shows("y/N"))
        #expect(try !daemon.export().isEmpty)
        usleep(700_000)
        try screen.press("F1")
        #expect(screen.shows("Nothing was erased."))
        try screen.press("f")
        #expect(screen.shows("y/N"))
        usleep(700_000)
        try screen.press("y")
        #expect(screen.shows("Erased "))
        #expect(daemon.status?.state == .recording)
        #expect(try !daemon.export().contains { $0["keysym"] as? String == "F6" })

        try daemon.settle(hand)
        #expect(screen.shows("In front   Mail: recorded"))
        try screen.press("x")
        #expect(screen.shows("Mail is exempt from now on. Undo: mcictl exempt remove 1"))
        #expect(screen.shows("In front   Mail: not recorded (exemption 1)"))

        daemon.kill()
        #expect(screen.shows("○ not running"))
        try screen.press("p")
        #expect(screen.shows("Paused until"))
        #expect(try ControlsFile(daemon.folder.paths).read().pause != nil)
        try screen.press("q")
        #expect(screen.shows("ended with 0"))
        #expect(try !screen.lines.contains { $0.contains("not running") })
    }

    @Test func `it fits every window, speaks ASCII and goes without colour`() throws {
        try daemon.record(hand, app: "Editor")
        hand.type(["F5"])
        try daemon.settled()
        _ = try daemon.call(.flush)
        let screen = try watch(rows: 24, columns: 40, ["NO_COLOR": "1"])
        #expect(
            screen.shows("● recording since")
                && screen.shows("p pause r resume x exempt f forget q")
        )
        for (rows, columns) in [(2, 10), (7, 80), (24, 23)] {
            try screen.resize(rows: rows, columns: columns)
            let words = "Too small: enlarge".prefix(columns - 1)
            #expect(screen.shows(String(words)), "\(rows) × \(columns)")
            #expect(
                eventually { (try? screen.lines.contains { $0.contains("In front") }) == false }
            )
        }
        for (rows, columns) in [(8, 24), (12, 40), (50, 200), (24, 80)] {
            try screen.resize(rows: rows, columns: columns)
            #expect(screen.shows("● recording"), "\(rows) × \(columns)")
            #expect(try screen.lines.allSatisfy { $0.count <= columns })
        }
        try screen.press("C-c")
        #expect(screen.shows("ended with 0"))

        let tiny = try watch(claims: (1, 1))
        #expect(eventually { (try? tiny.lines.first)?.hasPrefix("…") == true })
        try tiny.press("q")
        #expect(tiny.shows("ended with 0"))

        let plain = try watch(["LC_ALL": "C", "LANG": "C"])
        #expect(plain.shows("* recording since"))
        #expect(try plain.lines.joined().utf8.allSatisfy { $0 < 0x80 })
        try plain.press("q")
    }

    @Test func `where there is no terminal it prints lines, and without a key a sentence`() throws {
        try daemon.record(hand, app: "Editor")
        let output = "\(daemon.folder.path)/lines"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("mcictl")))
        process.arguments = ["watch"]
        process.environment = daemon.environment
        try Disk.write([], to: output)
        process.standardOutput = FileHandle(forWritingAtPath: output)
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        func text() -> String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
        #expect(eventually { text().contains("● recording since") })
        hand.type(["F5"])
        try daemon.settled()
        #expect(
            eventually {
                _ = try? self.daemon.call(.flush)
                return text().contains("pressed function")
            }
        )
        try daemon.command("pause", "10m")
        #expect(eventually { text().contains("‖ paused until") })
        #expect(!text().contains("\u{1B}"))
        try FileManager.default.removeItem(atPath: daemon.folder.paths.identity)
        let without = try daemon.command("watch")
        #expect(without.code == 1 && without.errors.contains("Your identity is not at"))
    }
}
