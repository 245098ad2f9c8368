// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Person
import Recording
import Storage
import System
import Testing
import Timeline

@Suite struct RecorderTests {
    @Test func `what is typed is stored ten seconds later and not again when idle`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("ab")
        #expect(try session.stored().isEmpty)
        session.pass(10_200)
        #expect(
            try session.words() == [
                "focus Editor", "letter down", "letter up", "letter down", "letter up",
            ]
        )
        session.pass(120_000)
        #expect(session.recorder.deadline == nil, "an idle recorder asks for no call")
    }

    @Test func `a reading that is due takes place though nothing has come`() throws {
        let session = try ScriptedSession()
        session.pass(1000)
        let before = session.source.readings
        let now = session.now.monotonic.milliseconds
        session.source.lookDue = now + 40
        #expect(session.recorder.deadline == now + 40)
        session.pass(1000)
        #expect(session.source.readings == before + [now + 40])
        #expect(session.recorder.deadline == nil)
        _ = try session.pause(seconds: 60)
        session.pass(10_000)
        #expect(session.source.readings == before + [now + 40])
    }

    @Test func `nothing is connected or stored before consent`() throws {
        let session = try ScriptedSession(consents: false)
        session.focus("Editor")
        session.type("secret")
        session.pass(20_000)
        #expect(session.source.connections == 0)
        #expect(!FileManager.default.fileExists(atPath: session.folder.paths.ring))
        #expect(session.recorder.status.state == .closed)
        #expect(session.recorder.status.reason == "no-consent")
        #expect(session.recorder.status.events.seen == 0)
    }

    @Test func `withdrawing lets go of the source before the answer and writes nothing after it`()
        throws
    {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("ab")
        session.key(0x63, down: true)
        _ = try session.recorder.handle(.withdraw)
        #expect(!session.source.isConnected)
        let stored = try session.words()
        #expect(!stored.isEmpty)
        let files = session.folder.files(below: "state/mci")
        session.type("secret")
        session.pass(100_000)
        session.recorder.stop()
        #expect(try session.words() == stored)
        #expect(session.folder.files(below: "state/mci")["ring.db-wal"] == files["ring.db-wal"])
        #expect(try ControlsFile(session.folder.paths).read().consent == nil)
    }

    @Test func `a pause lets go of the source, unread, and is on disk before the answer`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(300)
        session.key(0x62, down: true)
        let reply = try session.pause(seconds: 60)
        #expect(!session.source.isConnected)
        #expect(reply.status?.state == .paused)
        #expect(try ControlsFile(session.folder.paths).read().pause != nil)
        session.type("secret")
        session.pass(59_000)
        #expect(session.recorder.status.state == .paused)
        session.pass(2000)
        session.recorder.tick()
        #expect(session.recorder.status.state == .recording)
        session.focus("Editor")
        session.type("c")
        session.recorder.stop()
        let words = try session.words()
        #expect(words.filter { $0.hasSuffix("down") }.count == 2)
        #expect(words.contains { $0.hasPrefix("gap paused") })
    }

    @Test func `a pause takes effect before the disk is touched`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        let file = ControlsFile(session.folder.paths)
        var wasOnDisk: Bool?
        session.source.willDisconnect = { wasOnDisk = (try? file.read().pause) != nil }
        _ = try session.pause(seconds: 60)
        #expect(wasOnDisk == false)
        #expect(try file.read().pause != nil)
    }

    @Test func `a pause outlasts a crash, a restart and another boot until its time is over`()
        throws
    {
        let first = try ScriptedSession()
        first.focus("Editor")
        first.type("a")
        _ = try first.pause(seconds: 600)
        // No stop: as after kill -9.
        let second = try ScriptedSession(after: first)
        #expect(second.recorder.status.state == .paused)
        #expect(second.source.connections == 0)
        second.advance(590_000)
        let third = try ScriptedSession(after: second, bootID: 8)
        #expect(third.recorder.status.state == .paused)
        third.pass(11_000)
        third.recorder.tick()
        #expect(third.recorder.status.state == .recording)
    }

    @Test func `neither a clock set forward nor one set back ends a pause early`() throws {
        let session = try ScriptedSession()
        _ = try session.pause(seconds: 600)
        session.now.wall.milliseconds += 3_600_000
        session.recorder.tick()
        #expect(session.recorder.status.state == .paused)
        session.now.wall.milliseconds -= 7_200_000
        session.now.boottime += 700_000
        session.recorder.tick()
        #expect(session.recorder.status.state == .paused)
        session.now.wall.milliseconds += 4_300_000
        session.recorder.tick()
        // The machine has slept meanwhile.
        #expect(session.recorder.status.reason == "asleep")
        session.pass(3000)
        #expect(session.recorder.status.state == .recording)
    }

    @Test func `a pause that was only written to disk is found before the next reading`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(200)
        let file = ControlsFile(session.folder.paths)
        var controls = try file.read()
        controls.pause = TimeLimit(from: session.now, length: nil, bootID: [])
        try file.write(controls)
        session.type("secret")
        session.pass(300)
        #expect(session.recorder.status.state == .paused)
        session.recorder.stop()
        #expect(try session.words().filter { $0 == "letter down" }.count == 1)
    }

    @Test func `a pause that counts in suspended time ends in it`() throws {
        let session = try ScriptedSession()
        _ = try session.pause(seconds: 600)
        #expect(session.recorder.longDeadline == session.now.boottime + 600_000)
    }

    @Test func `a resume that cannot be written leaves the pause in force`() throws {
        let session = try ScriptedSession()
        _ = try session.pause(seconds: 600)
        try FileManager.default.createDirectory(
            atPath: session.folder.paths.controls + ".new/full",
            withIntermediateDirectories: true
        )
        #expect(throws: Refusal.self) { try session.recorder.handle(.resume) }
        #expect(session.recorder.status.state == .paused)
        #expect(!session.source.isConnected)
    }

    @Test func `a pause that cannot be written is in force all the same and says so`() throws {
        let session = try ScriptedSession()
        try FileManager.default.createDirectory(
            atPath: session.folder.paths.controls + ".new/full",
            withIntermediateDirectories: true
        )
        #expect(throws: Refusal.self) { try session.pause(seconds: 600) }
        #expect(session.recorder.status.state == .paused)
        #expect(!session.source.isConnected)
    }

    @Test func `damaged controls close the gate until consent is given anew`() throws {
        let first = try ScriptedSession()
        try Disk.write(Array("{\"schema\":1,".utf8), to: first.folder.paths.controls)
        let second = try ScriptedSession(after: first)
        #expect(second.recorder.status.state == .closed)
        #expect(second.recorder.status.reason == "The controls file is damaged in line 1.")
        #expect(second.source.connections == 0)
        try second.consent()
        #expect(second.recorder.status.state == .recording)
        #expect(FileManager.default.fileExists(atPath: first.folder.paths.controls + ".damaged"))
    }

    @Test func `a consent for another user, host or notice does not count`() throws {
        let session = try ScriptedSession(consents: false)
        var receipt = Consent.receipt(
            at: session.now.wall,
            recipients: [],
            deviceKey: "a",
            method: "test",
            ring: ""
        )
        #expect(Consent.isValid(receipt, deviceKey: "a"))
        #expect(!Consent.isValid(receipt, deviceKey: "b"))
        #expect(!Consent.isValid(receipt, deviceKey: nil))
        receipt.noticeHash = "another"
        #expect(throws: Refusal.self) { try session.recorder.handle(.consent(receipt)) }
        var controls = Controls()
        controls.consent = receipt
        try ControlsFile(session.folder.paths).write(controls)
        let next = try ScriptedSession(after: session)
        #expect(next.recorder.status.reason == "consent-outdated")
    }

    @Test func `without a recipient it does not start`() throws {
        let session = try ScriptedSession()
        Disk.remove(session.folder.paths.recipients)
        #expect(throws: Refusal.self) { try ScriptedSession(after: session) }
    }

    @Test func `the accounts add up at every moment`() throws {
        let session = try ScriptedSession()
        session.type("x")
        session.focus("Editor")
        var random = SplitMix(seed: 3)
        for round in 0..<200 {
            session.key(
                UInt32.random(in: 0x61...0x7A, using: &random),
                down: .random(using: &random)
            )
            let motion = RawEvent.Payload.motion(dx: 1, dy: 1)
            let raw = RawEvent(time: session.now.monotonic, device: 6, payload: motion)
            session.arrive(.input(raw, stream: .pointer))
            if round == 100 {
                session.arrive(.context(.unknown, stream: .pointer, at: session.now.monotonic))
            }
            if round % 20 == 7 { _ = try session.pause(seconds: 1) }
            if round % 20 == 11 {
                _ = try session.recorder.handle(.resume)
                if round % 40 == 11 { session.focus("Editor") }
            }
            session.pass(Int64.random(in: 1...90, using: &random))
            let events = session.recorder.status.events
            #expect(events.seen == events.admitted + events.suppressed + events.lost)
        }
        #expect(session.recorder.status.events.suppressed > 0)
        #expect(session.recorder.status.events.admitted > 0)
    }

    @Test func `forgetting reaches the open batch too`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("before")
        session.pass(300_000)
        session.focus("Bank")
        session.type("secret")
        session.pass(200)
        let since = WallTime(session.now.wall.milliseconds - 60_000).text
        let reply = try session.recorder.handle(.forget(.init(since: since)))
        #expect(reply.batches == 1)
        #expect(reply.pending == false)
        let words = try session.words()
        #expect(words.contains("focus Editor") && !words.contains("focus Bank"))
        session.type("after")
        session.recorder.stop()
        #expect(try session.words().filter { $0 == "letter down" }.count == 11)
    }

    @Test func `a dry run counts the open batch, and what has happened but was not read`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.key(0x61, down: true)
        #expect(try session.recorder.handle(.forget(.init(dryRun: true))).batches == 1)
        session.key(0x62, down: true)
        #expect(try session.recorder.handle(.forget(.init())).batches == 2)
        session.pass(12_000)
        #expect(try session.stored().isEmpty)
    }

    @Test func `forgetting takes a ring that was set aside along`() throws {
        let session = try ScriptedSession()
        let aside = session.folder.paths.ring + ".damaged"
        try Disk.write(Array("old batches".utf8), to: aside)
        _ = try session.recorder.handle(.forget(.init()))
        #expect(!Disk.exists(aside))
    }

    @Test func `a pause the disk did not take outlasts a reload`() throws {
        let session = try ScriptedSession()
        let obstacle = session.folder.paths.controls + ".new/full"
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        #expect(throws: Refusal.self) { try session.pause(seconds: 600) }
        try FileManager.default.removeItem(atPath: session.folder.paths.controls + ".new")
        _ = try session.recorder.handle(.reload)
        #expect(session.recorder.status.state == .paused)
        _ = try session.recorder.handle(.resume)
        #expect(session.recorder.status.state == .recording)
    }

    @Test func `batches are numbered without holes, and each tells what was in front`() throws {
        let session = try ScriptedSession()
        session.focus("First")
        for app in ["First", "Second", "Second"] {
            if app == "Second" { session.focus("Second") }
            session.type("a")
            session.pass(300_000)
        }
        session.recorder.stop()
        let reader = try RingReader(path: session.folder.paths.ring)
        #expect(try reader.entries().map(\.sequence) == [1, 2, 3])
        // The batch that told of the second application goes; what follows is not the first one's.
        let second = try session.stored().filter { $0.words == "letter down" }[1].time
        let bounds = (WallTime(second.milliseconds - 1), WallTime(second.milliseconds + 1))
        let next = try ScriptedSession(after: session)
        _ = try next.recorder.handle(.forget(.init(since: bounds.0.text, until: bounds.1.text)))
        let words = try next.words().filter { !$0.hasPrefix("gap") }
        #expect(words.suffix(3) == ["focus Second", "letter down", "letter up"])
    }

    @Test func `keys typed before full was chosen are not told in full`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.key(0x78, down: true)
        var settings = PersonSettings()
        (settings.keyDetail, settings.syntheticKeys) = ("full", true)
        settings.keyDetailUntil = WallTime(session.now.wall.milliseconds + 60_000).text
        try SettingsFile(session.folder.paths.settings).write(settings)
        _ = try session.recorder.handle(.reload)
        session.recorder.stop()
        #expect(try session.words() == ["focus Editor", "letter down", "letter up"])
    }

    @Test func `a consent that names another key than the recipients file is refused`() throws {
        let session = try ScriptedSession(consents: false)
        let receipt = Consent.receipt(
            at: session.now.wall,
            recipients: ["age1other"],
            deviceKey: session.deviceKey,
            method: "",
            ring: ""
        )
        #expect(throws: Refusal.self) { try session.recorder.handle(.consent(receipt)) }
        #expect(session.source.connections == 0)
    }

    @Test func `a pause can forget what was just typed`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("secret")
        session.pass(200)
        let reply = try session.pause(seconds: 60, forgetting: 300)
        #expect(reply.erased == 1)
        #expect(try session.stored().isEmpty)
    }

    @Test func `a batch spans at most a minute and its plaintext is stored by then`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        for _ in 0..<30 {
            session.type("a")
            session.pass(5000)
        }
        session.recorder.stop()
        #expect(session.recorder.status.ring.batches >= 3)
        #expect(try session.stored().filter { $0.words == "letter down" }.count == 30)
    }

    @Test func `the X server's end is a gap and it comes back by itself`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(500)
        session.arrive(.context(.app("Editor"), stream: .keyboard, at: session.now.monotonic))
        session.source.failure = CaptureError(.connectionLost)
        session.pass(3000)
        #expect(session.recorder.status.state == .reconnecting)
        session.source.failure = nil
        session.pass(2100)
        #expect(session.recorder.status.state == .recording)
        session.recorder.stop()
        #expect(try session.words().contains { $0.hasPrefix("gap disconnected") })
    }

    @Test(arguments: [3_600_000, -3_600_000] as [Int64])
    func `what happens after the clock was set has the new time`(step: Int64) throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(200)
        let before = session.now.wall.milliseconds
        session.now.wall.milliseconds += step
        session.pass(10)
        session.type("b")
        session.pass(200)
        session.recorder.stop()
        let times = try session.stored().filter { $0.words == "letter up" }.map(\.time.milliseconds)
        try #require(times.count == 2)
        #expect(abs(times[0] - before) < 1000)
        #expect(abs(times[1] - session.now.wall.milliseconds) < 1000)
    }

    @Test func `time not running and time asleep are gaps`() throws {
        let first = try ScriptedSession()
        first.focus("Editor")
        first.type("a")
        first.recorder.stop()
        first.advance(3_600_000)
        let second = try ScriptedSession(after: first)
        second.focus("Editor")
        second.type("b")
        second.now.boottime += 1_800_000
        second.now.wall.milliseconds += 1_800_000
        second.type("x")
        second.pass(3000)
        second.type("c")
        second.pass(200)
        second.recorder.stop()
        let words = try second.words()
        let notRunning = try #require(words.first { $0.hasPrefix("gap not-running") })
        let length = try #require(notRunning.split(separator: " ").last.flatMap { Int($0) })
        #expect((3_600_000...3_601_000).contains(length))
        #expect(words.contains("gap suspended 1800000"))
        #expect(words.contains { $0.hasPrefix("gap asleep 2") })
        #expect(words.count { $0 == "letter up" } == 3, "What was typed too soon is dropped.")
        // The key typed after the sleep has a time after it.
        let last = try #require(try second.stored().last { $0.words == "letter up" })
        #expect(second.now.wall.milliseconds - last.time.milliseconds < 1000)
    }

    @Test
    func `while the ring cannot be written batches wait, and what is lost is counted and told`()
        throws
    {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(11_000)
        #expect(session.recorder.status.ring.batches == 1)
        // The ring goes away under the daemon's feet: a new one takes over.
        for suffix in ["", "-wal", "-shm"] { Disk.remove(session.folder.paths.ring + suffix) }
        session.type("b")
        session.pass(13_000)
        #expect(try session.words().filter { $0 == "letter down" }.count == 2)
        let events = session.recorder.status.events
        #expect(events.lost == 0 && events.seen == events.admitted)
    }

    @Test func `the log tells no key, no text and no application`() throws {
        let session = try ScriptedSession()
        session.focus("Zanzibar")
        session.type("xylophone")
        _ = try session.pause(seconds: 5)
        session.pass(6000)
        session.source.failure = CaptureError(.connectionLost)
        session.pass(5000)
        session.source.failure = nil
        session.pass(5000)
        _ = try session.recorder.handle(.withdraw)
        session.recorder.stop()
        let lines = session.log.entries.map { "\($0.message) \($0.metadata)" }.joined(
            separator: "\n"
        )
        #expect(lines.contains("State changed"))
        for word in ["Zanzibar", "xylophone", "letter", "keysym", "0x"] {
            #expect(!lines.contains(word))
        }
    }

    @Test func `full key detail ends by itself`() throws {
        let session = try ScriptedSession()
        var settings = PersonSettings()
        (settings.keyDetail, settings.syntheticKeys) = ("full", true)
        settings.keyDetailUntil = WallTime(session.now.wall.milliseconds + 60_000).text
        try SettingsFile(session.folder.paths.settings).write(settings)
        _ = try session.recorder.handle(.reload)
        session.focus("Editor")
        session.type("q")
        #expect(session.recorder.longDeadline == session.now.boottime + 59_990)
        session.pass(61_000)
        session.recorder.tick()
        session.type("z")
        session.recorder.stop()
        let words = try session.words()
        #expect(
            words.contains("q down") && words.contains("typing 5") && !words.contains("z down")
        )
    }
}
