// SPDX-License-Identifier: Apache-2.0

import Foundation
import Signing
import System
import Testing
import Timeline

@testable import Storage

/// What somebody with SQLite does to a ring costs no batch whose content is untouched, and is named.
@Suite struct StatementTests {
    private static let origin = RingFormat.valueOffset
    private static let junk =
        "CAST(substr((SELECT sealed FROM ring WHERE slot=0), 1, 22) || randomblob(3951) AS BLOB)"

    @Test(
        arguments: [
            // All rows claim the number of the next, or the same.
            "UPDATE ring SET seq=seq+1 WHERE t_end > \(origin)",
            "UPDATE ring SET seq=\(origin)+12 WHERE t_end > \(origin); CREATE TABLE x(a)",
            "UPDATE ring SET seq=seq-1 WHERE seq=\(origin)+5",
            "UPDATE ring SET proof=x'00'",
            "UPDATE ring SET proof=zeroblob(65)",
            "PRAGMA journal_mode=DELETE; PRAGMA page_size=8192; VACUUM",
            "PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM",
            // As many rows of nonsense, which claim to be newer, or the same.
            "INSERT INTO ring SELECT slot+16, seq+12, t_end, \(junk), proof FROM ring",
            "INSERT INTO ring SELECT slot+16, seq, t_end, \(junk), proof FROM ring",
            "CREATE TRIGGER t AFTER UPDATE ON ring BEGIN DELETE FROM ring WHERE slot=6; END",
            """
            ALTER TABLE ring RENAME TO gnir; CREATE VIEW ring(slot, seq, t_end, sealed, proof) AS
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n)
            SELECT i, \(origin)+i, \(origin)+i, zeroblob(3973), zeroblob(64) FROM n
            """,
        ],
        [false, true]
    )
    func `a stranger's statements cost nothing and are named`(sql: String, headless: Bool) throws {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let path = "\(folder.path)/other.db"
        try ring.lay(path)
        #expect(try Program.run("sqlite3", [path, sql]).code == 0)
        if headless { Disk.remove(path + ".head") }
        #expect(ring.verify(path)?.isWhole != true)
        for _ in 0..<4 {
            let opened = try SmallRing.open(path, ring.key)
            #expect(try opened.targets(olderThan: SmallRing.retention).isEmpty)
            // Nothing of what a trigger would do is done.
            try opened.put(try BatchMill().batch(opened.nextSequence, end: SmallRing.start))
        }
        let exported = try ring.exported(path)
        #expect(SmallRing.numbers.dropFirst(4).allSatisfy { exported.contains($0) })
        #expect(ring.verify(path)?.isWhole != true)
    }

    @Test func `a ring for which no name is free is left where it is`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/ring.db"
        try Disk.write([1], to: path)
        for number in 1...99 { try Disk.write([2], to: "\(path).old-damaged-\(number)") }
        Ring.setAside(path)
        #expect(try Disk.read(path) == [1])
    }

    @Test func `a folder that is called like an old ring is none`() throws {
        let folder = try TemporaryFolder()
        let ring = try SmallRing(in: folder.path)
        let path = "\(folder.path)/ring.db"
        try Disk.makeFolder(path + ".old-damaged-1")
        let opened = try SmallRing.open(path, ring.key)
        #expect(!opened.isRebuilding)
        #expect(ring.verify(path)?.isWhole == true)
        #expect(try ring.exported(path) == SmallRing.numbers)
    }

    @Test func `the very first batch, announced and then lost to a power cut, is no accusation`()
        throws
    {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/ring.db"
        let mill = try BatchMill()
        func read(_ suffix: String) throws -> [UInt8] {
            try Disk.read(path + suffix, limit: 4 << 20)
        }
        let suffixes = ["", ".head", ".marks", ".marks-2"]
        _ = try SmallRing.open(path, mill.key)
        let before = try suffixes.map(read)
        try SmallRing.open(path, mill.key).put(try mill.batch(1, end: SmallRing.start))
        // The announcement waited for the disk; what came after it never reached it.
        let size = RingHead.recordSize
        let announced = try read(".head")[..<(2 * size)] + before[1][(2 * size)...]
        for suffix in ["-wal", "-shm"] { Disk.remove(path + suffix) }
        for (suffix, bytes) in zip(suffixes, before) { try Disk.write(bytes, to: path + suffix) }
        try Disk.write(Array(announced), to: path + ".head")
        let ring = try SmallRing.open(path, mill.key)
        #expect(ring.nextSequence == 1)
        try ring.put(
            try BatchMill(sealedTo: mill.identity, signedBy: mill.key).batch(
                1,
                end: SmallRing.start
            )
        )
        let marks = SmallRing.marks(path)
        let found = try Verifier(path, [mill.identity], mill.key.verifier, marks).verify()
        #expect(found.isWhole, "\(found)")
    }
}
