// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import InMemoryLogging
import Logging
import Person
import Recording
import Sealing
import Signing
import System
import Testing
import Timeline

@testable import Storage

/// A ring of version 2 under this version, from a fixture that the version before has made.
@Suite struct EarlierRingTests {
    /// When the fixture was stopped.
    private static let end: Int64 = 1_800_011_385_450
    private static let day: Int64 = 86_400_000
    /// What stands in it: batch 4 was forgotten.
    private static let numbers: [UInt64] = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]

    /// A home with the fixture's ring, head and keys.
    private struct Home {
        let folder: TemporaryFolder
        let words: [String]
        let identity: Identity
        let key: DeviceKey
        var ring: String { folder.paths.ring }
        var aside: String { folder.paths.state + "/ring-v2.db" }

        init() throws {
            folder = try TemporaryFolder()
            let archive = Program.root + "/Tests/Fixtures/ring-v2.tgz"
            let unpacked = "\(folder.path)/fixture"
            try Disk.makeFolder(unpacked)
            #expect(try Program.run("tar", ["xzf", archive, "-C", unpacked]).code == 0)
            let paths = folder.paths
            for (name, path) in [
                ("ring.db", paths.ring), ("ring.db.head", paths.ring + ".head"),
                ("device.key", paths.deviceKey), ("identity", paths.identity),
            ] {
                try Disk.write(try Disk.read("\(unpacked)/\(name)", limit: 4 << 20), to: path)
            }
            words = Disk.lines("\(unpacked)/words.txt")
            let text = try String(contentsOfFile: paths.identity, encoding: .utf8)
            identity = try #require(Identity.list(text)?.first)
            key = try #require(DeviceKeyFile.read(paths.deviceKey))
            try Disk.write(Array("\(identity.recipient)\n".utf8), to: paths.recipients)
        }

        func open(
            cap: Int = RingFormat.smallestCap,
            later: Int64 = 1000
        ) throws -> Ring {
            let ring = try Ring.open(ring, cap: cap, key: key, now: EarlierRingTests.end + later)
            try ring.checkToEnd()
            return ring
        }

        func read(_ path: String) throws -> [String] {
            var words: [String] = []
            let reader = TimelineReader(try RingReader(path: path), [identity])
            _ = try reader.read(0...Int64.max / 4) {
                words.append($0.words)
                return true
            }
            return words
        }

        var size: Int {
            folder.names(below: "state/mci").compactMap { Disk.size("\(folder.paths.state)/\($0)") }
                .reduce(0, +)
        }
    }

    @Test func `a ring of the version before is set aside whole, once, and read by its name`()
        throws
    {
        let home = try Home()
        do {
            let ring = try home.open()
            #expect(ring.takeFindings() == [.earlierVersion])
            #expect(ring.nextSequence == 13 && ring.contents.batches == 0)
        }
        #expect(try home.read(home.aside) == home.words)
        #expect(try RingReader(path: home.aside).isOfEarlierVersion)
        #expect(try home.open().takeFindings().isEmpty)
        #expect(try home.read(home.aside) == home.words)
        let verifier = try Verifier(home.ring, [home.identity], home.key.verifier)
        #expect(try verifier.verify().isWhole)
        let earlier = try Verifier(home.aside, [home.identity], home.key.verifier).verify()
        #expect(earlier.isWhole && earlier.whole == Self.numbers.count)
    }

    @Test func `it is read where it lies, too`() throws {
        let home = try Home()
        #expect(try home.read(home.ring) == home.words)
    }

    @Test func `each of its batches goes at its own age, and the file with the last`() throws {
        let home = try Home()
        // Of its rows nobody has signed the ends: the first ended four hours before the last.
        let ends = try #require(try? RingReader(path: home.ring).entries().map(\.end))
        for later in [7 * Self.day - 4 * 3_600_000, 7 * Self.day - 60_000, 7 * Self.day + 120_000] {
            let ring = try home.open(later: later)
            let limit = Self.end + later - 7 * Self.day
            try ring.erase(try ring.targets(olderThan: 7 * Self.day), .expired)
            let left = ends.filter { $0 > limit }
            guard !left.isEmpty else { continue }
            #expect(try RingReader(path: home.aside).entries().map(\.end) == left)
        }
        #expect(!Disk.exists(home.aside))
    }

    @Test func `every form of forgetting reaches it`() throws {
        let home = try Home()
        let ring = try home.open()
        let entries = try RingReader(path: home.aside).entries()
        let sealed = try entries.map { try #require(try RingReader(path: home.aside).sealed($0)) }
        let end = entries[5].end
        #expect(
            try ring.targets(touching: end...end).contains { $0.sequence == entries[5].sequence }
        )
        try ring.erase(try ring.targets([entries[0].sequence]))
        try ring.erase(try ring.targets(touching: end...end))
        let left = try RingReader(path: home.aside).entries().map(\.sequence)
        #expect(!left.contains(entries[0].sequence) && !left.contains(entries[5].sequence))
        for index in [0, 5] {
            for file in home.folder.files(below: "state").values {
                #expect(file.range(of: Data(sealed[index][600..<648])) == nil)
            }
        }
        try ring.erase(try ring.targets(touching: 0...Int64.max / 2))
        #expect(!Disk.exists(home.aside))
    }

    @Test func `where there is no room its oldest batches give way, and the cap holds`() throws {
        let home = try Home()
        // Full, as after weeks of work.
        let full = try Program.run(
            "sqlite3",
            [
                home.ring,
                """
                WITH RECURSIVE n(i) AS (SELECT 12 UNION ALL SELECT i + 1 FROM n WHERE i < 310)
                UPDATE ring SET seq = (1 << 40) + slot + 1, t_end = 1800007800000,
                  sealed = (SELECT sealed FROM ring WHERE slot = 11)
                WHERE slot IN (SELECT i FROM n)
                """,
            ]
        )
        #expect(full.code == 0, "\(full.errors)")
        let mill = try BatchMill(sealedTo: home.identity, signedBy: home.key)
        let ring = try Ring.open(
            home.ring,
            cap: RingFormat.smallestCap,
            key: home.key,
            now: Self.end
        )
        while ring.isRebuilding {
            try ring.rebuildStep()
            #expect(home.size <= RingFormat.smallestCap + RingFormat.logSize)
        }
        var counts: [Int] = []
        for _ in 0..<400 {
            try ring.put(try mill.batch(ring.nextSequence, end: Self.end))
            #expect(home.size <= RingFormat.smallestCap)
            counts.append(
                RingReader.earlier(beside: home.ring) == nil ? 0 : ring.earlier?.count ?? 0
            )
        }
        #expect(counts == counts.sorted(by: >))
        #expect(counts[0] > 200 && counts[399] == 0)
        #expect(ring.contents.batches > 280)
        #expect(try Verifier(home.ring, [home.identity], home.key.verifier).verify().isWhole)
    }

    @Test func `a changed version number is damage, and another version is not`() throws {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let path = "\(folder.path)/ring.db"
        for version in [2, 0, 7, 1 << 20] {
            try ring.lay(path)
            #expect(try Program.run("sqlite3", [path, "PRAGMA user_version=\(version)"]).code == 0)
            let opened = try SmallRing.open(path, ring.key)
            #expect(opened.takeFindings().contains(.mended), "\(version)")
            #expect(try ring.exported(path) == SmallRing.numbers)
        }
        // One of a version to come stays as it is.
        try ring.lay(path)
        #expect(try Program.run("sqlite3", [path, "PRAGMA user_version=4"]).code == 0)
        for start in stride(from: 0, to: RingHead.fileSize, by: RingHead.recordSize) {
            try DiskFile(path + ".head").write(Array("MCIHEAD4".utf8), at: start)
        }
        #expect(throws: StorageError(.unknownVersion)) { try SmallRing.open(path, ring.key) }
    }

    @Test func `mcid takes it over with what was recorded and says so once`() throws {
        let home = try Home()
        let moment = Moment(
            monotonic: EventTime(11_500_000),
            boottime: 11_500_000,
            wall: WallTime(Self.end + 1000)
        )
        var settings = PersonSettings()
        (settings.ringSize, settings.syntheticKeys) = (3 << 20, true)
        try SettingsFile(home.folder.paths.settings).write(settings)
        let session = try ScriptedSession(in: home.folder, at: moment)
        try session.consent()
        session.focus("Editor")
        session.type("ab")
        session.pass(11_000)
        #expect(session.recorder.status.state == .recording)
        #expect(session.recorder.status.notices?.contains { $0.contains("--ring") } == true)
        session.recorder.stop()
        let told = session.log.entries.filter { $0.message.description.contains("earlier version") }
        #expect(told.count == 1)
        #expect(try home.read(home.aside) == home.words)
        _ = try session.recorder.handle(.forget(.init(since: nil, until: nil)))
        #expect(!Disk.exists(home.aside))
    }
}
