// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Logging
import Packing
import Person
import Recording
import Sealing
import Signing
import Storage
import System
import Testing
import Timeline

/// How much is kept, for how long, and what happens when that is reached.
@Suite struct LimitTests {
    private let day: Int64 = 86_400_000

    /// A batch of a few keys, stored.
    private func work(_ session: ScriptedSession) {
        session.focus("Editor")
        session.type("ab")
        session.pass(11_000)
    }

    private func ends(_ session: ScriptedSession) throws -> [Int64] {
        try RingReader(path: session.folder.paths.ring).entries().map(\.end)
    }

    @Test func `what reached its age is erased within a minute, by the clock and not by a read`()
        throws
    {
        let session = try ScriptedSession()
        work(session)
        let end = try #require(try ends(session).first)
        session.pass(end + 7 * day - 1000 - session.now.wall.milliseconds)
        #expect(try ends(session).count == 1)
        session.pass(2000)
        #expect(try ends(session).isEmpty)
        #expect(session.recorder.status.ring.batches == 0)
    }

    @Test func `over thirty days with sleep, restarts and clock changes nothing outlives its age`()
        throws
    {
        var session = try ScriptedSession()
        var random = SystemRandomNumberGenerator()
        var (late, erased, boot) = (0, 0, UInt8(7))
        let rounds = isProof ? 30 * 24 * 4 : 30 * 8
        // When each batch was first seen, in time that nobody sets.
        var seen: [UInt64: Int64] = [:]
        // How long the machine was off, and how long it had run when each was found to be due.
        var (off, due): (Int64, [UInt64: Int64]) = (0, [:])
        for _ in 0..<rounds {
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                // Asleep: the monotonic clock stands still.
                let length = Int64.random(in: 60_000...10 * 3_600_000, using: &random)
                session.now.boottime += length
                session.now.wall.milliseconds += length
            case 1 where session.kernel.isSynchronised:
                let length = Int64.random(in: -7_200_000...7_200_000, using: &random)
                session.now.wall.milliseconds += length
            case 2:
                // Off for a while, and started by the same boot or another.
                if .random(using: &random) { session.recorder.stop() }
                let length = Int64.random(in: 0...day, using: &random)
                session.advance(length)
                off += length
                if .random(using: &random) { boot += 1 }
                session = try ScriptedSession(
                    after: session,
                    bootID: boot,
                    isSynchronised: .random(using: &random)
                )
            case 3: session = try ScriptedSession(after: session, bootID: boot)
            default: work(session)
            }
            // The loop is woken by its timers: they are on the boot's and the wall's clock.
            session.recorder.tick()
            let now = session.now.boottime
            let entries = try RingReader(path: session.folder.paths.ring).entries()
            for entry in entries { seen[entry.sequence] = seen[entry.sequence] ?? now }
            let present = Set(entries.map(\.sequence))
            // An hour of running for a doubted clock, and what ends are rounded by.
            let ran = session.now.monotonic.milliseconds - off
            for (number, end) in seen where end + 7 * day + 120_000 < now {
                due[number] = due[number] ?? ran
            }
            late += due.filter { present.contains($0.key) && $0.value + 3_600_000 < ran }.count
            // One stored at a stop is seen after the time off.
            let early = seen.filter { !present.contains($0.key) && $0.value + 5 * day > now }
            #expect(early.isEmpty)
            erased += seen.keys.filter { !present.contains($0) }.count
            seen = seen.filter { present.contains($0.key) }
            session.pass(isProof ? day / 96 : day / 8)
        }
        #expect(late == 0)
        #expect(erased > rounds / 4)
        #expect(Set(session.folder.names(below: "state/mci")).isSuperset(of: ["ring.db"]))
    }

    @Test func `a clock that was far ahead does not keep a batch for longer`() throws {
        let session = try ScriptedSession()
        session.now.wall.milliseconds += 1000 * day
        session.recorder.tick()
        work(session)
        session.now.wall.milliseconds -= 1000 * day
        session.recorder.tick()
        work(session)
        session.pass(6 * day)
        #expect(try ends(session).count == 2)
        // And with a restart in between.
        let next = try ScriptedSession(after: session)
        next.pass(day + 120_000)
        // What is there now was recorded after the restart.
        let left = try RingReader(path: next.folder.paths.ring).entries().map(\.sequence)
        #expect(left.allSatisfy { $0 > 2 })
    }

    @Test(arguments: [-3650, -8, 8, 3650])
    func `a clock that is set while the machine runs changes no age`(days: Int64) throws {
        let session = try ScriptedSession()
        work(session)
        session.now.wall.milliseconds += days * day
        session.recorder.tick()
        work(session)
        #expect(try ends(session).count == 2)
        session.now.wall.milliseconds -= days * day
        session.recorder.tick()
        work(session)
        session.pass(6 * day)
        #expect(try ends(session).count == 3)
        session.pass(day + 120_000)
        #expect(try ends(session).isEmpty)
    }

    @Test(arguments: [1000, 1_000_000_000_000])
    func `nothing is dropped under a clock that is decades wrong`(wall: Int64) throws {
        let session = try ScriptedSession(isSynchronised: false)
        session.now.wall.milliseconds = wall
        try session.use(.classes)
        session.recorder.tick()
        work(session)
        session.pass(61_000)
        work(session)
        session.recorder.stop()
        #expect(try session.words().count { $0 == "letter down" } == 4)
        let text = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let key = try #require(DeviceKeyFile.read(session.folder.paths.deviceKey)).verifier
        let found = try Verifier(session.folder.paths.ring, Identity.list(text) ?? [], key).verify()
        #expect(found.isWhole, "\(found.findings)")
    }

    @Test func `a batch that is forgotten while it waits for the ring leaves a note`() throws {
        let session = try ScriptedSession()
        work(session)
        // A foreign program in the middle of a read keeps the log from being emptied until it is full.
        let ring = session.folder.paths.ring
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path("sqlite3")))
        process.arguments = [ring]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        input.fileHandleForWriting.write(Data("BEGIN; SELECT count(*) FROM ring;\n".utf8))
        _ = output.fileHandleForReading.availableData
        func isWaiting() -> Bool {
            session.log.entries.contains { $0.message == "A batch could not be stored yet" }
        }
        for _ in 0..<400 where !isWaiting() {
            work(session)
            session.pass(60_000)
        }
        try #require(isWaiting())
        let since = WallTime(session.now.wall.milliseconds - 60_000).text
        let reply = try session.recorder.handle(.forget(.init(since: since, until: nil)))
        #expect(reply.batches ?? 0 > 0 && reply.pending == true)
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
        session.pass(5000)
        work(session)
        session.recorder.stop()
        let text = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let key = try #require(DeviceKeyFile.read(session.folder.paths.deviceKey)).verifier
        let found = try Verifier(ring, Identity.list(text) ?? [], key).verify()
        #expect(!found.findings.contains { $0.fault == .missing }, "\(found.findings)")
        #expect(found.forgotten > 0)
    }

    @Test func `while the disk is nearly full nothing is recorded, and status says so`() throws {
        let session = try ScriptedSession()
        work(session)
        session.disk.space = (400 << 20, 1 << 40)
        session.type("c")
        session.pass(11_000)
        #expect(session.recorder.status.state == .closed)
        #expect(session.recorder.status.reason == "disk-full")
        #expect(!session.source.isConnected)
        let stored = try session.words()
        session.type("secret")
        session.pass(60_000)
        #expect(try session.words() == stored)
        session.disk.space = (600 << 20, 1 << 40)
        session.pass(11_000)
        #expect(session.recorder.status.state == .recording)
        work(session)
        session.recorder.stop()
        #expect(try session.words().contains { $0.hasPrefix("gap disk-full") })
    }

    @Test(arguments: [(1 << 40, 500 << 20), (4 << 30, 214_748_364)])
    func `the floor is 500 MiB, or 5 % of a small disk`(whole: Int, floor: Int) {
        #expect(PersonSettings().spaceFloor(ofWhole: Int64(whole)) == Int64(floor))
    }

    @Test func `a new ring size takes effect at once and keeps what was recorded`() throws {
        let session = try ScriptedSession()
        work(session)
        var settings = try SettingsFile(session.folder.paths.settings).read()
        for size in [8 << 20, 3 << 20] {
            settings.ringSize = size
            try SettingsFile(session.folder.paths.settings).write(settings)
            _ = try session.recorder.handle(.reload)
            work(session)
            #expect(session.recorder.status.ring.cap == size)
            #expect(session.recorder.status.state == .recording)
        }
        #expect(try session.stored().filter { $0.words == "letter down" }.count == 6)
        let sizes = session.folder.names(below: "state/mci").filter { $0.hasPrefix("ring.db") }
            .compactMap { Disk.size("\(session.folder.path)/state/mci/\($0)") }
        #expect(sizes.reduce(0, +) <= 3 << 20)
        #expect(!session.log.entries.contains { "\($0.message)".contains("damaged") })
    }

    @Test func `a shorter retention takes effect at once`() throws {
        let session = try ScriptedSession()
        work(session)
        session.pass(3_600_000)
        var settings = try SettingsFile(session.folder.paths.settings).read()
        settings.retention = 1800
        try SettingsFile(session.folder.paths.settings).write(settings)
        _ = try session.recorder.handle(.reload)
        session.recorder.tick()
        #expect(try ends(session).isEmpty)
    }

    @Test func `the accounts of all runs together hold, and no count is written while typing`()
        throws
    {
        var session = try ScriptedSession()
        var total = 0
        for run in 0..<4 {
            session.focus("Editor")
            session.type("abc")
            session.pass(11_000)
            let status = session.recorder.status
            #expect(status.total.addsUp && status.events.addsUp)
            #expect(status.total.seen == total + status.events.seen)
            total = status.total.seen
            let before = Disk.exists(session.folder.paths.accounts)
            #expect(before == (run > 0), "written at a stop only")
            session.recorder.stop()
            session = try ScriptedSession(after: session)
        }
        #expect(session.recorder.status.total.seen == total)
        #expect(total == 24)
        #expect(session.recorder.status.totalSince != nil)
    }

    @Test func `batches that damage took leave a gap and are told once`() throws {
        let session = try ScriptedSession()
        for _ in 0..<3 {
            work(session)
            session.pass(120_000)
        }
        session.recorder.stop()
        let ring = session.folder.paths.ring
        try DiskFile(ring).truncate(to: 0)
        let next = try ScriptedSession(after: session)
        work(next)
        next.recorder.stop()
        #expect(try next.words().contains { $0.hasPrefix("gap lost") })
        let told = next.log.entries.filter { $0.message == "Batches are missing from the ring" }
        #expect(told.count == 1)
        let third = try ScriptedSession(after: next)
        work(third)
        #expect(!third.log.entries.contains { $0.message == "Batches are missing from the ring" })
    }

    @Test func `a ring for several readers opens with each of their keys`() throws {
        let session = try ScriptedSession(consents: false)
        let others = [Identity(), Identity()]
        let own = Disk.lines(session.folder.paths.recipients)
        let list = own + others.map(\.recipient)
        try Disk.write(
            Array(list.joined(separator: "\n").utf8),
            to: session.folder.paths.recipients
        )
        try session.consent()
        work(session)
        session.recorder.stop()
        let words = try session.words()
        #expect(words.contains("letter down"))
        let ring = try RingReader(path: session.folder.paths.ring)
        let entry = try #require(try ring.entries().first)
        let sealed = try #require(try ring.sealed(entry))
        for identity in others {
            guard case .opened(let batch) = BatchOpener([identity]).open(sealed) else {
                Issue.record("It does not open.")
                continue
            }
            #expect(batch.items.count == words.count)
        }
    }
}
