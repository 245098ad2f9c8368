// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Person
import Synchronization
import System
import Testing

/// How often the random proofs are repeated: a little in `make test`, as the README says in `make proof`.
let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil

/// Real daemons on real X servers, one at a time, for they share two cores.
@Suite(.serialized) struct DaemonTests {
    let desktop: Desktop
    let hand: Hand

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
    }

    // MARK: Recording

    @Test func `keys, buttons, motion and wheel are recorded, each once`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(["a", "5", "space", "Return"])
        hand.key("Control_L", down: true)
        hand.type(["c"])
        hand.key("Control_L", down: false)
        hand.move(dx: 3, dy: -2)
        hand.move(dx: 300, dy: 100)
        for number: UInt32 in [1, 4, 7] {
            hand.button(number, down: true)
            hand.button(number, down: false)
        }
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        let keys = events.filter {
            $0["type"] as? String == "key" && $0["keysym"] as? String != "F12"
        }
        let down = keys.filter { $0["state"] as? String == "down" }
        #expect(
            down.map { $0["class"] as? String } == [
                "letter", "digit", "space", "editing", "modifier", "letter",
            ]
        )
        #expect(
            down.map { $0["keysym"] as? String } == [nil, nil, nil, "Return", "Control_L", "c"]
        )
        #expect(down.last?["modifiers"] as? [String] == ["ctrl"])
        #expect(keys.count == 2 * down.count)
        let motions = events.filter { $0["type"] as? String == "motion" }
        #expect(motions.map { $0["dx"] as? Int } == [3, 300])
        #expect(motions.map { $0["dy"] as? Int } == [-2, 100])
        let buttons = events.filter { $0["type"] as? String == "button" }
        #expect(buttons.map { $0["button"] as? Int } == [1, 1])
        let scrolls = events.filter { $0["type"] as? String == "scroll" }
        #expect(scrolls.map { $0["dx"] as? Int } == [0, 1])
        #expect(scrolls.map { $0["dy"] as? Int } == [-1, 0])
        #expect(
            events.contains { $0["type"] as? String == "focus" && $0["app"] as? String == "Editor" }
        )
    }

    @Test
    func `input goes to the application that has the focus, and to none while that is unknown`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand, app: "First")
        hand.type(["a"])
        // A window that takes the focus as it is born is known a moment later.
        let second = hand.openWindow(app: "Second")
        try daemon.settle(hand)
        hand.type(["b"])
        // A window without a class belongs to nobody.
        let nameless = hand.openWindow(app: "")
        hand.type(text: "secret")
        hand.focus(second)
        hand.type(["c"])
        hand.close(nameless)
        try daemon.settled()
        daemon.stop()
        let story = try daemon.export().compactMap { event -> String? in
            switch event["type"] as? String {
            case "focus": event["app"] as? String
            case "key" where event["class"] as? String == "letter": event["state"] as? String
            default: nil
            }
        }
        #expect(story == ["First", "down", "up", "Second", "down", "up", "down", "up"])
    }

    @Test func `the X server's end leads to a gap and a new connection`() throws {
        let server = try Desktop()
        var hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(["a"])
        try daemon.settled()
        server.stop()
        #expect(eventually { daemon.status?.state == .reconnecting })
        let again = try Desktop(display: server.display)
        hand = try Hand(again)
        #expect(eventually { daemon.status?.state == .recording })
        hand.openWindow(app: "Editor")
        try daemon.settle(hand)
        hand.type(["b"])
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let events = try daemon.export()
        #expect(events.filter { $0["reason"] as? String == "disconnected" }.count == 1)
        #expect(events.filter { $0["class"] as? String == "letter" }.count == 4)
        _ = again
    }

    // MARK: Consent

    @Test func `nothing is recorded before consent, in any order of starting`() throws {
        var random = SplitMix(seed: 9)
        for _ in 0..<(isProof ? 100 : 5) {
            let daemon = try Daemon(desktop, consents: false)
            try daemon.useSmallRing()
            #expect(try Program.run("mcid", environment: daemon.environment).code == 78)
            // The keys are made and the consent is taken back: the daemon starts, closed.
            try daemon.command("consent", "--accept")
            try daemon.command("consent", "--withdraw")
            if Bool.random(using: &random) { try daemon.command("pause", "1h") }
            try daemon.start()
            if Bool.random(using: &random) { hand.openWindow(app: "Editor") }
            hand.type(text: "secret")
            hand.move(dx: 5, dy: 5)
            if Bool.random(using: &random) { try daemon.command("resume") }
            hand.type(text: "secret")
            try daemon.barrier()
            #expect(daemon.status?.state == .closed)
            #expect(daemon.status?.events.seen == 0)
            if Bool.random(using: &random) { daemon.kill() } else { daemon.stop() }
            #expect(!FileManager.default.fileExists(atPath: daemon.folder.paths.ring))
        }
    }

    @Test func `withdrawing stops at once, with the daemon and without it`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(["a"])
        try daemon.settled()
        #expect(try daemon.command("consent", "--withdraw").code == 0)
        let count = try daemon.export().count
        hand.type(text: "secret")
        try daemon.barrier()
        #expect(daemon.status?.state == .closed)
        daemon.stop()
        #expect(try daemon.export().count == count)
        try daemon.command("consent", "--accept")
        try daemon.command("consent", "--withdraw")
        try daemon.start()
        #expect(daemon.status?.reason == "no-consent")
    }

    // MARK: Pause

    @Test func `a pause is a barrier, at random moments under a thousand events a second`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let load = try Load(desktop)
        var answers: [(asked: Int64, answered: Int64, resumed: Int64)] = []
        var random = SplitMix(seed: 11)
        for _ in 0..<(isProof ? 1000 : 40) {
            usleep(UInt32.random(in: 120_000...220_000, using: &random))
            let asked = SystemClock.now().wall.milliseconds
            let reply = try daemon.call(.pause(.init()))
            let answered = SystemClock.now().wall.milliseconds
            #expect(reply.status?.state == .paused)
            usleep(UInt32.random(in: 1000...20_000, using: &random))
            let resumed = SystemClock.now().wall.milliseconds
            _ = try daemon.call(.resume)
            answers.append((asked, answered, resumed))
        }
        load.stop()
        try daemon.settled()
        daemon.stop()
        let times = try daemon.export().filter { $0["type"] as? String == "motion" }
            .compactMap { ($0["time"] as? String).flatMap { WallTime($0)?.milliseconds } }
        #expect(times.count > answers.count * 10)
        var cuts: [Int64] = []
        var previous = answers[0].asked - 100
        for answer in answers {
            // Not one event between the answer and the resumption.
            #expect(!times.contains { $0 > answer.answered && $0 < answer.resumed })
            // Nothing lost before the request but what was not read yet.
            let before = times.last { $0 <= answer.asked } ?? 0
            cuts.append(answer.asked - max(before, previous))
            previous = answer.resumed
        }
        // That is the longest drain and what the disk held the loop up for.
        cuts.sort()
        print(
            "cut before a pause: median \(cuts[cuts.count / 2]) ms, longest \(cuts[cuts.count - 1]) ms"
        )
        #expect(cuts[cuts.count / 2] <= 150)
        #expect(cuts[cuts.count - 1] < 2000)
    }

    @Test func `a pause outlasts kill -9 and a restart`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        #expect(try daemon.command("pause", "30m").code == 0)
        daemon.kill()
        try daemon.start()
        #expect(daemon.status?.state == .paused)
        hand.type(text: "secret")
        daemon.kill()
        #expect(try daemon.command("pause", "2h").code == 0)
        try daemon.start()
        #expect(daemon.status?.state == .paused)
        #expect(try daemon.command("resume").code == 0)
        #expect(daemon.status?.state == .recording)
        daemon.stop()
        let events = try daemon.export()
        #expect(!events.contains { $0["class"] as? String == "letter" })
        #expect(events.contains { $0["reason"] as? String == "paused" })
    }

    @Test(arguments: ["+3h", "-3h"])
    func `a pause outlasts a clock that is set`(shift: String) throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        #expect(try daemon.command("pause", "30m").code == 0)
        daemon.environment["LD_PRELOAD"] = try Program.faketime()
        daemon.environment["FAKETIME"] = shift
        daemon.environment["DONT_FAKE_MONOTONIC"] = "1"
        try daemon.start()
        let status = try #require(daemon.status)
        #expect(status.state == .paused)
        let away =
            try #require(WallTime(status.since)).milliseconds - SystemClock.now().wall.milliseconds
        #expect(abs(away) > 10_000_000, "the daemon sees the other clock")
    }

    @Test func `a pause is answered while the X server hangs`() throws {
        let server = try Desktop()
        let hand = try Hand(server)
        let daemon = try Daemon(server)
        try daemon.useSmallRing()
        try daemon.record(hand)
        kill(server.process.processIdentifier, SIGSTOP)
        defer { kill(server.process.processIdentifier, SIGCONT) }
        #expect(try daemon.call(.pause(.init(seconds: 60))).status?.state == .paused)
        #expect(try ControlsFile(daemon.folder.paths).read().pause != nil)
    }

    @Test func `the daemon has no connection to the X server while paused`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let recording = try settledSockets(of: daemon)
        _ = try daemon.call(.pause(.init(seconds: 60)))
        #expect(try settledSockets(of: daemon) == recording - 3)
        _ = try daemon.call(.resume)
        #expect(try settledSockets(of: daemon) == recording)
    }

    /// The sockets of a daemon once those of calls that have ended are closed.
    private func settledSockets(of daemon: Daemon) throws -> Int {
        var counts: [Int] = []
        repeat {
            usleep(50_000)
            counts.append(try sockets(of: daemon))
        } while counts.count < 200 && Set(counts.suffix(3)).count > 1 || counts.count < 3
        return counts[counts.count - 1]
    }

    private func sockets(of daemon: Daemon) throws -> Int {
        let folder = "/proc/\(daemon.process.processIdentifier)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
            .filter { $0.hasPrefix("socket:") }.count
    }

    // MARK: Grabs

    @Test(arguments: [false, true])
    func `keys typed while another program holds the keyboard are not stored`(usesDevice: Bool)
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let other = try Hand(desktop)
        let letters = (0..<1000).map { String(UnicodeScalar(UInt8(0x61 + $0 % 26))) }
        hand.type(Array(letters[..<200]))
        try daemon.settled()
        try #require(usesDevice ? other.grabDevice() : other.grabKeyboard())
        hand.type(letters)
        try daemon.settled()
        if usesDevice { other.ungrabDevice() } else { other.ungrabKeyboard() }
        hand.type(Array(letters[..<200]))
        try daemon.settled()
        daemon.stop()
        let events = try daemon.export()
        let keys = events.filter { $0["class"] as? String == "letter" }
        #expect(keys.filter { $0["state"] as? String == "down" }.count == 400)
        #expect(keys.filter { $0["state"] as? String == "up" }.count == 400)
        #expect(events.filter { $0["reason"] as? String == "keyboard-grabbed" }.count == 1)
        #expect(daemon.status == nil)
    }

    // MARK: Sealing and forgetting

    @Test(.disabled(if: Program.isTraced, "a process has one tracer, and this test's is gcore"))
    func `what is typed at full detail is found by export and nowhere else`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.command("set", "key-detail", "full", "--yes")
        try daemon.record(hand)
        var random = SplitMix(seed: 5)
        let words = (0..<200).map { _ in
            String(
                (0..<9).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &random) ?? "x"
                }
            )
        }
        for word in words { hand.type(text: word + " ") }
        try daemon.settled()
        let core = "\(daemon.folder.path)/core"
        let gdb = try Program.run("gcore", ["-o", core, "\(daemon.process.processIdentifier)"])
        let dump = FileManager.default.contents(
            atPath: "\(core).\(daemon.process.processIdentifier)"
        )
        #expect(gdb.code == 0 && dump != nil, "\(gdb.errors)")
        _ = try daemon.call(.flush)
        let text = try typed(daemon)
        for word in words { #expect(text.contains(word)) }
        var places = daemon.folder.files(below: "state")
        places["log"] = Data(daemon.log_.utf8)
        places["core"] = dump
        places["core without zeros, where wide characters would show"] = dump?.filter { $0 != 0 }
        let list = "\(daemon.folder.path)/words"
        // In a column each letter stands twice: for the press and for the release.
        let doubled = words.map { word in word.map { "\($0)\($0)" }.joined() }
        try (words + doubled).joined(separator: "\n")
            .write(toFile: list, atomically: true, encoding: .utf8)
        for (name, bytes) in places {
            let file = "\(daemon.folder.path)/searched"
            try bytes.write(to: URL(fileURLWithPath: file))
            let found = try Program.run("grep", ["-a", "-c", "-F", "-f", list, file])
            #expect(found.code == 1, "\(name) holds \(found.output)")
        }
        // A batch taken out with other programs opens with age.
        let ring = daemon.folder.paths.ring
        let out = "\(daemon.folder.path)/batch"
        try Program.run(
            "sqlite3",
            [
                "-readonly", ring,
                "SELECT writefile('\(out).age', sealed) FROM ring WHERE seq > 1<<40 LIMIT 1",
            ]
        )
        let age = try Program.run(
            "age",
            ["-d", "-i", daemon.folder.paths.identity, "-o", out, "\(out).age"]
        )
        #expect(age.code == 0, "\(age.errors)")
        #expect(FileManager.default.contents(atPath: out)?.count == 3773)
        // Without the identity nothing is revealed.
        try FileManager.default.moveItem(atPath: daemon.folder.paths.identity, toPath: "\(out).key")
        let log = try daemon.command("log", "--keys")
        #expect(log.code == 1)
        #expect(log.errors.contains("Your identity is not at"))
        #expect(log.output.isEmpty)
    }

    /// The text that the exported presses spell.
    private func typed(_ daemon: Daemon) throws -> String {
        try daemon.export().filter {
            $0["type"] as? String == "key" && $0["state"] as? String == "down"
        }
        .compactMap { $0["keysym"] as? String }
        .map { $0 == "space" ? " " : $0.count == 1 ? $0 : "" }
        .joined()
    }

    @Test func `forgotten batches are in no file when the command ends`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        hand.type(text: "some text that will be forgotten")
        try daemon.settled()
        _ = try daemon.call(.flush)
        let blob = try sealedBlobs(daemon)
        #expect(!blob.isEmpty)
        let dry = try daemon.command("forget", "--last", "10m", "--dry-run")
        #expect(dry.output.contains("Would erase"))
        #expect(
            try daemon.command("forget", "--last", "10m").code == 77,
            "without a terminal and --yes"
        )
        #expect(try sealedBlobs(daemon) == blob)
        let result = try daemon.command("forget", "--last", "10m", "--yes")
        #expect(result.code == 0)
        for (_, bytes) in daemon.folder.files(below: "state") {
            for batch in blob { #expect(bytes.range(of: batch[300..<400]) == nil) }
        }
        #expect(try sealedBlobs(daemon).isEmpty)
        // And without the daemon.
        hand.type(text: "more")
        try daemon.settled()
        daemon.stop()
        let rest = try sealedBlobs(daemon)
        #expect(!rest.isEmpty)
        #expect(try daemon.command("forget", "--all", "--yes").code == 0)
        for (_, bytes) in daemon.folder.files(below: "state") {
            for batch in rest { #expect(bytes.range(of: batch[300..<400]) == nil) }
        }
    }

    private func sealedBlobs(_ daemon: Daemon) throws -> [Data] {
        let out = try Program.run(
            "sqlite3",
            [
                "-readonly", daemon.folder.paths.ring,
                "SELECT hex(sealed) FROM ring WHERE t_end > 1<<40",
            ]
        )
        return out.lines.map { line in
            let digits = Array(line.utf8).map { UInt8($0 < 0x41 ? $0 - 0x30 : $0 - 0x37) }
            return Data(
                stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            )
        }
    }

    // MARK: Bad circumstances

    @Test func `a second daemon, no display, Wayland and damaged controls get a sentence each`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let second = try Program.run("mcid", environment: daemon.environment)
        #expect(second.code == 75)
        #expect(
            second.errors == "mcid: Another mcid is already running for you. Next: mcictl status\n"
        )
        #expect(daemon.status?.state == .recording)
        daemon.stop()

        var environment = daemon.environment
        environment["DISPLAY"] = nil
        let blind = try Program.run("mcid", environment: environment)
        #expect(blind.code == 78 && blind.errors.contains("DISPLAY is not set"))
        environment["WAYLAND_DISPLAY"] = "wayland-0"
        let wayland = try Program.run("mcid", environment: environment)
        #expect(wayland.code == 78 && wayland.errors.contains("Wayland session"))
        environment = daemon.environment
        environment["DISPLAY"] = ":4711"
        let dead = try Program.run("mcid", environment: environment)
        #expect(dead.code == 69 && dead.errors.contains("does not answer"))
        #expect(try Program.run("mcid", ["--nonsense"], environment: environment).code == 64)

        try Disk.write(Array("{".utf8), to: daemon.folder.paths.controls)
        try daemon.start()
        #expect(daemon.status?.state == .closed)
        #expect(daemon.status?.reason == "The controls file is damaged in line 1.")
        #expect(daemon.status?.events.seen == 0)
    }
}
