// SPDX-License-Identifier: Apache-2.0

import CLinux
import Events
import Foundation
import Gate
import Person
import System
import Testing

@testable import Capture

@Suite struct WallTimeTests {
    @Test func `whether the clock is synchronised is what the kernel says`() throws {
        let script = """
            import ctypes, struct
            facts = ctypes.create_string_buffer(512)
            state = ctypes.CDLL(None).adjtimex(facts)
            status, = struct.unpack_from("i", facts, 40)
            print(state if state < 0 else int(state != 5 and not status & 64))
            """
        let said = try Program.run("python3", ["-c", script]).output
        #expect("\(clinux_clock_is_synchronised())\n" == said)
        #expect(SystemClock.isSynchronised() == (said == "1\n"))
    }

    @Test func `RFC 3339 is written and read as Foundation does`() throws {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var random = SplitMix(seed: 1)
        for _ in 0..<5000 {
            let time = WallTime(
                Int64.random(in: -60_000_000_000_000...250_000_000_000_000, using: &random)
            )
            let date = Date(timeIntervalSince1970: Double(time.milliseconds / 1000))
            let text = time.text
            #expect(WallTime(text) == time)
            #expect(
                text.prefix(19) == style.format(date).prefix(19) || time.milliseconds % 1000 != 0
            )
        }
        #expect(WallTime(1_795_268_102_118).text == "2026-11-21T13:35:02.118Z")
        #expect(WallTime("2026-11-21T15:35:02.118+02:00") == WallTime(1_795_268_102_118))
        for bad in [
            "", "2026", "2026-11-21", "2026-13-21T13:35:02Z", "2026-11-21T25:35:02Z",
            "2026-11-21T13:35:02",
        ] {
            #expect(WallTime(bad) == nil, "\(bad)")
        }
    }

    @Test func `a server stamp is the moment nearest to now, across the wrap of 32 bits`() {
        let now = EventTime((1 << 32) + 500)
        #expect(ServerClock(now: now).time(of: 400) == EventTime((1 << 32) + 400))
        #expect(ServerClock(now: now).time(of: UInt32.max - 99) == EventTime((1 << 32) - 100))
        #expect(ServerClock(now: now).time(of: 600) == EventTime((1 << 32) + 600))
    }
}

@Suite struct SettingsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `no controls file means that nothing was allowed`() throws {
        let controls = try ControlsFile(folder.paths).read()
        #expect(controls.consent == nil && controls.pause == nil)
    }

    @Test(arguments: [
        "", "{", "null", "[]", "{\"schema\":2}", "{\"schema\":1,\"pause\":7}", "\u{0}\u{1}",
    ])
    func `damaged controls are an error and never a default`(text: String) throws {
        let file = ControlsFile(folder.paths)
        try Disk.write(Array(text.utf8), to: file.path)
        #expect(throws: SettingsError.self) { try file.read() }
    }

    /// Controls in which everything is said that can be said.
    private func fullControls() throws -> Controls {
        var controls = Controls()
        let now = Moment(monotonic: EventTime(1), boottime: 1, wall: WallTime(1_795_268_102_118))
        controls.pause = TimeLimit(from: now, length: 60_000, bootID: [1])
        let scopes = [
            Scope(), Scope(app: "KeePass*"), Scope(app: "firefox", title: "*Bank*"),
            Scope(device: "Pad", during: "Mon-Fri 12:00-13:00"),
        ]
        for scope in scopes {
            _ = try controls.exempt(
                .init(scope: scope, seconds: 3600, reason: "mine"),
                at: now,
                bootID: [1]
            )
        }
        try controls.exclude(.init(add: Scope(app: "gnucash")))
        try controls.exclude(.init(add: Scope(title: "*salary*")))
        try controls.exclude(.init(add: Scope(asker: "mylogin*")))
        try controls.exclude(.init(remove: "lockers"))
        try controls.exclude(.init(only: ["editor", "term*"]))
        return controls
    }

    @Test func `controls with any single defect are refused with the line, never looser`() throws {
        let file = ControlsFile(folder.paths)
        let sound = try file.write(fullControls())
        #expect(try file.read() == sound)
        let good = try Disk.read(file.path)
        let lines = good.split(separator: 0x0A, omittingEmptySubsequences: false)
        var random = SplitMix(seed: 11)
        var defects: [[UInt8]] = []
        for place in good.indices where place % 7 == 0 {
            var (flipped, shorter, longer) = (good, good, good)
            flipped[place] ^= 1 << UInt8.random(in: 0..<7, using: &random)
            shorter.remove(at: place)
            longer.insert(UInt8.random(in: 32..<127, using: &random), at: place)
            defects += [flipped, shorter, longer, Array(good[..<place])]
        }
        for line in lines.indices.dropLast() {
            var (without, twice) = (lines, lines)
            without.remove(at: line)
            twice.insert(lines[line], at: line)
            defects += [without, twice].map { Array($0.joined(separator: [0x0A])) }
        }
        var named = 0
        for bytes in defects where bytes != good {
            try Disk.write(bytes, to: file.path)
            do throws(SettingsError) {
                // A space more or less changes nothing, and still it is not what mci wrote.
                let read = try file.read()
                Issue.record("\(read == sound)")
            } catch {
                #expect(error.code == .damaged)
                if error.line != nil { named += 1 }
            }
        }
        #expect(defects.count > 1000)
        #expect(named == defects.count { $0 != good }, "each with its line")
        print("controls: \(defects.count) single defects, all refused, \(named) with their line")
    }

    @Test(arguments: [
        "{", "{\"schema\":1,\"keyDetail\":\"everything\"}",
        "{\"schema\":1,\"keyDetail\":\"off\",\"ringSize\":9223372036854775807}",
    ])
    func `damaged settings are an error`(text: String) throws {
        let file = SettingsFile("\(folder.path)/settings.json")
        try Disk.write(Array(text.utf8), to: file.path)
        #expect(throws: SettingsError.self) { try file.read() }
    }

    @Test func `files are for the owner alone and leave no draft behind`() throws {
        let path = "\(folder.path)/a/b/file"
        try Disk.write([1, 2, 3], to: path)
        try Disk.write([4], to: path)
        #expect(try Disk.read(path) == [4])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/a/b") == ["file"]
        )
    }

    @Test func `a lock has one holder`() throws {
        let path = "\(folder.path)/lock"
        func isFree() throws -> Bool {
            switch try FileLock.take(path, waits: false) {
            case .some: true
            case .none: false
            }
        }
        do {
            guard let held = try FileLock.take(path, waits: false) else {
                Issue.record("not free")
                return
            }
            #expect(try !isFree())
            held.note("held")
        }
        #expect(try isFree())
    }

    @Test func `full key detail counts only while it is confirmed`() {
        var settings = PersonSettings()
        settings.keyDetail = "full"
        #expect(settings.keyDetail(at: WallTime(0)) == .shortcuts)
        settings.keyDetailUntil = WallTime(1000).text
        #expect(settings.keyDetail(at: WallTime(999)) == .full)
        #expect(settings.keyDetail(at: WallTime(1000)) == .shortcuts)
        let nineHours: Int64 = 9 * 3_600_000
        #expect(
            settings.keyDetail(at: WallTime(-nineHours)) == .shortcuts,
            "the clock was set back"
        )
        settings.keyDetail = "nonsense"
        #expect(settings.keyDetail(at: WallTime(0)) == .off)
    }

    @Test func `absurd numbers in files do not trap`() {
        #expect(WallTime(Int64.min).text == "0000-01-01T00:00:00.000Z")
        #expect(WallTime(Int64.max).text == "9999-12-31T23:59:59.999Z")
        let now = Moment(monotonic: EventTime(5), boottime: 5, wall: WallTime(5))
        var pause = TimeLimit(from: now, length: 10, bootID: [1])
        for end in [Int64.min, Int64.max] {
            pause.boottimeEnd = end
            #expect((pause.timeLeft(at: now, bootID: [1]) ?? -1) >= 0)
        }
    }

    @Test func `a pause whose end cannot be read never ends`() {
        let now = Moment(monotonic: EventTime(0), boottime: 0, wall: WallTime(0))
        var pause = TimeLimit(from: now, length: 10, bootID: [1])
        pause.until = "soon"
        #expect(
            !pause.isOver(
                at: Moment(monotonic: EventTime(0), boottime: 1 << 50, wall: WallTime(1 << 50)),
                bootID: [1]
            )
        )
    }

    @Test func `the notice names each kind of what a batch can hold`() {
        let words = Consent.notice(under: nil).split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
        for told in [
            "when keys and buttons go down and up", "how the pointer and fingers move",
            "the pixel of each click and touch",
            "how wheels turn", "how hard a pen presses", "which application is in front",
            "For each device used: its name, maker, model and axes", "for each monitor: its size",
            "window titles",
        ] {
            #expect(words.contains(told), "\(told)")
        }
    }

    @Test func `relative XDG folders are ignored`() {
        let paths = Paths(environment: ["HOME": "/h", "XDG_STATE_HOME": "state"])
        #expect(paths.state == "/h/.local/state/mci")
    }
}
