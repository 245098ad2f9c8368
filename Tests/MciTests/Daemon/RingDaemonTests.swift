// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Packing
import Person
import Sealing
import Signing
import Storage
import Synchronization
import System
import Testing
import Timeline

/// The ring under a real mcid: killed, damaged, watched.
extension DaemonTests {
    /// The identity and the recorder's key of a daemon's home.
    private func keys(_ daemon: Daemon) throws -> ([Identity], DeviceKey) {
        let paths = daemon.folder.paths
        let text = try String(contentsOfFile: paths.identity, encoding: .utf8)
        return (
            try #require(Identity.list(text)), try #require(DeviceKeyFile.read(paths.deviceKey))
        )
    }

    /// The newest batch and how many items it has.
    private func newest(_ daemon: Daemon, _ keys: [Identity]) throws -> (UInt64, Int)? {
        let ring = try RingReader(path: daemon.folder.paths.ring)
        guard let entry = try ring.entries().last else { return nil }
        return (entry.sequence, try items(ring, entry, keys))
    }

    private func items(
        _ ring: RingReader,
        _ entry: RingReader.Entry,
        _ keys: [Identity]
    ) throws -> Int {
        guard let sealed = try ring.sealed(entry),
            case .opened(let batch) = BatchOpener(keys).open(sealed)
        else { return 0 }
        return batch.items.count
    }

    @Test func `killed at random moments under load, it loses what was not yet stored at most`()
        throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        let (identities, key) = try keys(daemon)
        let load = try Load(desktop)
        defer { load.stop() }
        hand.openWindow(app: "Editor")
        var random = SplitMix(seed: 29)
        let rounds = isProof ? 1000 : 12
        for round in 0..<rounds {
            try daemon.start()
            usleep(UInt32.random(in: 0...120_000, using: &random))
            // What is answered is on disk: a stored batch, now and then a pause.
            _ = try daemon.call(.flush)
            let acknowledged = try newest(daemon, identities)
            let isPaused = round % 4 == 3
            if isPaused { _ = try daemon.call(.pause(.init(seconds: 600))) }
            // Other calls are under way, or the batch clock, when the kill comes.
            let caller = Thread { [paths = daemon.folder.paths] in
                for _ in 0..<50 { _ = try? ControlClient(path: paths.socket).call(.flush) }
            }
            caller.start()
            usleep(UInt32.random(in: 0...60_000, using: &random))
            daemon.kill()
            while !caller.isFinished { usleep(1000) }

            let check = try Program.run(
                "sqlite3",
                [daemon.folder.paths.ring, "PRAGMA integrity_check"]
            )
            #expect(check.output == "ok\n", "round \(round): \(check.output)\(check.errors)")
            let ring = try RingReader(path: daemon.folder.paths.ring)
            if let (sequence, count) = acknowledged {
                let entry = try ring.entries().first { $0.sequence == sequence }
                let now = try entry.map { try items(ring, $0, identities) } ?? 0
                #expect(now >= count, "round \(round): batch \(sequence)")
            }
            let controls = try ControlsFile(daemon.folder.paths).read()
            #expect(controls.consent != nil && (controls.pause != nil) == isPaused)
            if isPaused {
                try daemon.start()
                #expect(daemon.status?.state == .paused)
                _ = try daemon.call(.resume)
                daemon.kill()
            }
            if round % 50 == 11 {
                let found = try Verifier(
                    daemon.folder.paths.ring,
                    identities,
                    key.verifier
                ).verify()
                #expect(found.isWhole, "round \(round): \(found.findings)")
            }
        }
        try daemon.start()
        #expect(daemon.stop() == 0)
        let found = try Verifier(daemon.folder.paths.ring, identities, key.verifier).verify()
        #expect(found.isWhole && found.lost == 0, "\(found.findings)")
        print("killed \(rounds) times: \(found.whole) batches whole, \(found.lost) lost")
    }

    @Test func `damaged while it runs or stopped, it comes back by itself and goes on`() throws {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try daemon.record(hand)
        let ring = daemon.folder.paths.ring
        var random = SplitMix(seed: 31)
        var (restarts, slowest) = (0, 0.0)
        let rounds = isProof ? 200 : 16
        for round in 0..<rounds {
            hand.type(["F1", "F2"])
            try daemon.settled()
            _ = try daemon.call(.flush)
            let isRunning = round % 3 != 2
            if !isRunning { daemon.kill() }
            let name =
                ring + ["", "-wal", "-shm", ".head", ""][Int.random(in: 0..<5, using: &random)]
            let size = Disk.size(name) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0: Disk.remove(name)
            case 1: Disk.makeReadable(name, mode: 0)
            case 2: try? DiskFile(name).truncate(to: Int.random(in: 0...size, using: &random))
            case 3 where size >= 4096:
                let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
                let page = Int.random(in: 0..<size / 4096, using: &random)
                try? DiskFile(name).write(noise, at: page * 4096)
            default:
                let place = Int.random(in: 0...max(size - 1, 0), using: &random)
                try? DiskFile(name).write([UInt8.random(in: 1...255, using: &random)], at: place)
            }
            let start = Date()
            hand.type(["F3"])
            // The service manager would start it again.
            if !isRunning || !daemon.process.isRunning || (try? daemon.call(.flush)) == nil {
                if isRunning { restarts += 1 }
                daemon.kill()
                try daemon.start()
            }
            let isBack = try eventually {
                _ = try daemon.call(.flush)
                let status = try #require(daemon.status)
                return status.state == .recording && status.ring.batches > 0
            }
            #expect(isBack, "round \(round)")
            slowest = max(slowest, Date().timeIntervalSince(start))
        }
        // Nobody had to do anything, and the ring is what it should be.
        try daemon.settle(hand)
        #expect(daemon.stop() == 0)
        #expect(try daemon.command("export").code == 0)
        let sizes = daemon.folder.names(below: "state/mci").filter { $0.hasPrefix("ring.db") }
            .compactMap { Disk.size("\(daemon.folder.path)/state/mci/\($0)") }
        #expect(sizes.reduce(0, +) <= 4 << 20)
        print("damaged \(rounds) times: \(restarts) restarts, slowest \(Int(slowest * 1000)) ms")
    }

    @Test func `all files together stay below the cap at every millisecond, readers or not`() throws
    {
        let daemon = try Daemon(desktop)
        try daemon.useSmallRing()
        try fill(daemon)
        try daemon.record(hand)
        let sampler = try Sampler(daemon.folder.path + "/state/mci")
        let load = try Load(desktop, pause: 1000, together: isProof ? 60 : 20)
        let wanted = isProof ? 1_000_000 : 20_000
        while load.moved < wanted {
            // A foreign program in the middle of a read transaction, now and then.
            let reader = Process()
            reader.executableURL = URL(fileURLWithPath: try #require(Program.path("sqlite3")))
            reader.arguments = ["-readonly", daemon.folder.paths.ring]
            let (input, output) = (Pipe(), Pipe())
            reader.standardInput = input
            reader.standardOutput = output
            try reader.run()
            input.fileHandleForWriting.write(Data("BEGIN; SELECT count(*) FROM ring;\n".utf8))
            // It has told the number, so that the transaction is open.
            #expect(!output.fileHandleForReading.availableData.isEmpty)
            let before = load.moved
            #expect(eventually { load.moved > before + 500 })
            _ = try daemon.call(.flush)
            input.fileHandleForWriting.closeFile()
            reader.waitUntilExit()
        }
        load.stop()
        try daemon.settled()
        #expect(daemon.stop() == 0)
        let (samples, largest) = sampler.stop()
        #expect(samples > 500)
        #expect(largest <= 4 << 20)
        let total = try #require(daemon.accounts)
        #expect(total.seen >= wanted && total.addsUp)
        #expect(try daemon.command("verify").code == 0)
        print("\(samples) samples over \(load.moved) events: at most \(largest) bytes")
    }

    /// Fills a ring with batches of one focus each, as the daemon would have.
    private func fill(_ daemon: Daemon) throws {
        let (identities, key) = try keys(daemon)
        let mill = try BatchMill(sealedTo: identities[0], signedBy: key)
        try Disk.makeFolder(daemon.folder.paths.state)
        let now = SystemClock.now().wall.milliseconds
        let ring = try Ring.open(daemon.folder.paths.ring, cap: 4 << 20, key: key, now: now)
        for number in 1...UInt64(RingFormat.slots(cap: 4 << 20) + 5) {
            try ring.put(try mill.batch(number, end: now))
        }
    }
}

extension Daemon {
    /// What was counted in all runs together.
    var accounts: EventCounts? { EventCountersFile(folder.paths).find().accounts.events }
}

/// Adds up the sizes of a ring's files a thousand times a second.
private final class Sampler: Sendable {
    private let state = Mutex((isStopped: false, samples: 0, largest: 0))
    private let ended = DispatchSemaphore(value: 0)

    init(_ folder: String) throws {
        let suffixes = ["", "-wal", "-shm", ".head", ".damaged", ".new"]
        let thread = Thread { [self] in
            while !state.withLock({ $0.isStopped }) {
                let size = suffixes.compactMap { Disk.size("\(folder)/ring.db\($0)") }.reduce(0, +)
                state.withLock {
                    $0.samples += 1
                    $0.largest = max($0.largest, size)
                }
                usleep(1000)
            }
            ended.signal()
        }
        thread.start()
    }

    func stop() -> (samples: Int, largest: Int) {
        state.withLock { $0.isStopped = true }
        ended.wait()
        return state.withLock { ($0.samples, $0.largest) }
    }
}
