// SPDX-License-Identifier: Apache-2.0

import Files
package import Sealing

/// The ring: a SQLite file of fixed slots, each empty or one sealed batch.
///
/// Upstream: sealing. Downstream: readers with the person's key. Promise: the files never exceed the
/// cap, the newest batch takes the place of the oldest, what is erased is overwritten, and a batch
/// that was accepted survives a crash and a power cut.
package final class Ring {
    /// What is stored, without any content.
    package struct Contents: Equatable, Sendable {
        /// Bytes of the batches stored.
        package var bytes: Int
        /// Bytes that all files together may take.
        package var cap: Int
        package var batches: Int
        /// Ends of the oldest and the newest batch, in milliseconds since 1970, rounded up to the
        /// minute; nil when the ring is empty.
        package var oldest: Int64?
        package var newest: Int64?
    }

    /// What a slot holds; sequence number 0 is nothing.
    private struct Entry {
        var sequence: Int64 = 0
        var end: Int64 = 0
    }

    package let path: String
    private let connection: SQLiteConnection
    private let write: SQLiteStatement
    private let cap: Int
    /// What each slot holds.
    private var slots: [Entry]
    /// The number of the next new batch.
    package private(set) var nextSequence: UInt64 = 1
    /// Whether erased bytes may still stand in the write-ahead log.
    package private(set) var hasPendingErasure = false

    /// Opens the ring at a path, or makes it.
    ///
    /// - Parameters:
    ///   - path: of the database file; its folder must exist.
    ///   - cap: bytes that all files of a new ring together may take.
    /// - Throws: ``StorageError``.
    package init(path: String, cap: Int = RingFormat.defaultCap) throws(StorageError) {
        self.path = path
        if !Disk.exists(path) { try Self.make(path, cap: cap) }
        connection = try SQLiteConnection(path: path, access: .write)
        guard try connection.integer("PRAGMA application_id") == RingFormat.applicationID else {
            throw StorageError(.damaged)
        }
        guard try connection.integer("PRAGMA user_version") == RingFormat.version else {
            throw StorageError(.unknownVersion)
        }
        try connection.execute(
            """
            PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
            PRAGMA journal_size_limit=\(RingFormat.logSize);
            PRAGMA temp_store=MEMORY; PRAGMA cache_size=64;
            """
        )
        let count = try connection.integer("SELECT count(*) FROM ring") ?? 0
        guard count > 0 else { throw StorageError(.damaged) }
        slots = Array(repeating: Entry(), count: Int(count))
        self.cap = Int(
            try connection.integer("SELECT value FROM meta WHERE key='cap'") ?? Int64(cap)
        )
        write = try SQLiteStatement(
            connection,
            "UPDATE ring SET seq=?1, t_end=?2, sealed=?3 WHERE slot=?4"
        )
        try load()
        // What a crash left in the log; a reader in the way only makes the first commits find it.
        try? connection.checkpoint(truncating: true)
    }

    /// What is stored now.
    package var contents: Contents {
        let stored = slots.filter { $0.sequence > 0 }
        return Contents(
            bytes: stored.count * RingFormat.pageSize,
            cap: cap,
            batches: stored.count,
            oldest: stored.map(\.end).min(),
            newest: stored.map(\.end).max()
        )
    }

    // MARK: Writing

    /// Stores a batch, on disk when this returns: a new one in the oldest slot, one that was stored
    /// before over its earlier state.
    ///
    /// - Throws: ``StorageError``; the ring is then as it was.
    package func put(_ batch: SealedBatch) throws(StorageError) {
        guard batch.bytes.count == RingFormat.slotSize else { throw StorageError(.failed) }
        if connection.hasMoved { throw StorageError(.moved) }
        try makeRoomInLog()
        let sequence = Int64(batch.sequence)
        let (slot, entry) = (slot(of: sequence), Entry(sequence: sequence, end: batch.end))
        try overwrite(slot, entry, batch.bytes)
        slots[slot] = entry
        nextSequence = max(nextSequence, batch.sequence + 1)
    }

    // MARK: Erasing

    /// The batches that may hold anything of a stretch of time.
    ///
    /// A batch spans at most a minute and its end is rounded up to the minute, so that the answer
    /// can reach up to two minutes past the stretch on either side, and never falls short of it.
    ///
    /// - Parameter range: in milliseconds since 1970.
    /// - Returns: their sequence numbers.
    package func batches(touching range: ClosedRange<Int64>) -> [UInt64] {
        slots
            .filter { $0.sequence > 0 }
            .filter { $0.end >= range.lowerBound && $0.end - 120_000 <= range.upperBound }
            .map { UInt64($0.sequence) }
            .sorted()
    }

    /// Overwrites batches with zeros in every file of the ring.
    ///
    /// - Parameter sequences: numbers of batches; unknown ones are passed over.
    /// - Throws: ``StorageError``; `busy` when a reader is in the way: what is left is then erased
    ///   by another call, and ``hasPendingErasure`` is set until it is.
    package func erase(_ sequences: [UInt64]) throws(StorageError) {
        hasPendingErasure = true
        // The counter outlives the batches, so that no number is given twice.
        try makeRoomInLog()
        try connection.execute(
            "UPDATE meta SET value=\(RingFormat.origin + Int64(nextSequence)) WHERE key='next'"
        )
        let taken = sequences.map { slot(of: Int64($0)) }
        let doomed = zip(sequences, taken).filter { slots[$1].sequence == Int64($0) }.map(\.1)
        // Many slots a commit, as many as the log holds: each commit waits for the disk.
        for start in stride(from: 0, to: doomed.count, by: RingFormat.mostErased) {
            try eraseTogether(doomed[start..<min(start + RingFormat.mostErased, doomed.count)])
        }
        try finishErasure()
    }

    /// Empties the write-ahead log, so that nothing erased is left in it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    package func finishErasure() throws(StorageError) {
        try connection.checkpoint(truncating: true)
        hasPendingErasure = false
    }

    /// Overwrites and removes a damaged ring that was set aside beside a path: nobody can tell what
    /// is in it, so it goes with whatever is to be forgotten.
    ///
    /// - Parameter path: of the ring.
    /// - Returns: whether there was one.
    package static func eraseSetAside(_ path: String) -> Bool {
        let aside = path + setAsideSuffix
        guard Disk.exists(aside) else { return false }
        Disk.overwrite(aside)
        Disk.remove(aside)
        return true
    }

    /// What a damaged ring's name ends with once it is set aside.
    package static let setAsideSuffix = ".damaged"

    // MARK: Inside

    private func eraseTogether(_ doomed: ArraySlice<Int>) throws(StorageError) {
        let zeros = [UInt8](repeating: 0, count: RingFormat.slotSize)
        try makeRoomInLog(doomed.count)
        try connection.execute("BEGIN")
        do throws(StorageError) {
            for slot in doomed { try overwrite(slot, Entry(), zeros) }
            try connection.execute("COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
        for slot in doomed { slots[slot] = Entry() }
    }

    /// A log that cannot take so many batches is moved into the file first.
    private func makeRoomInLog(_ batches: Int = 1) throws(StorageError) {
        if connection.framesInLog + batches + 5 > RingFormat.mostFrames {
            try connection.checkpoint(truncating: false)
        }
    }

    private func slot(of sequence: Int64) -> Int { Int(sequence % Int64(slots.count)) }

    private func overwrite(_ slot: Int, _ entry: Entry, _ bytes: [UInt8]) throws(StorageError) {
        write.reset()
        try write.bind(RingFormat.origin + entry.sequence, at: 1)
        try write.bind(entry.end == 0 ? RingFormat.origin : entry.end, at: 2)
        try write.bind(bytes, at: 3)
        try write.bind(Int64(slot), at: 4)
        defer { write.reset() }
        _ = try write.step()
    }

    private func load() throws(StorageError) {
        let rows = try SQLiteStatement(
            connection,
            "SELECT slot, seq, t_end FROM ring WHERE seq > \(RingFormat.origin)"
        )
        while try rows.step() {
            let entry = Entry(sequence: rows.integer(1) - RingFormat.origin, end: rows.integer(2))
            // Elsewhere than in its slot, or at an impossible time, a batch is nobody's.
            guard slot(of: entry.sequence) == Int(rows.integer(0)),
                (RingFormat.origin..<RingFormat.origin << 7).contains(entry.end)
            else { continue }
            slots[slot(of: entry.sequence)] = entry
        }
        let noted = try connection.integer("SELECT value FROM meta WHERE key='next'") ?? 0
        let newest = slots.map(\.sequence).max() ?? 0
        nextSequence = UInt64(max(newest + 1, noted - RingFormat.origin, 1))
    }

    /// Makes a ring of empty slots beside the path and moves it there when it is whole.
    private static func make(_ path: String, cap: Int) throws(StorageError) {
        let cap = max(cap, RingFormat.smallestCap)
        let slots = RingFormat.slots(cap: cap)
        let draft = path + ".new"
        Disk.remove(draft)
        // A log without its ring would be replayed into the new one.
        for suffix in ["-wal", "-shm"] { Disk.remove(path + suffix) }
        do throws(StorageError) {
            let connection = try SQLiteConnection(path: draft, access: .create)
            let zero = RingFormat.origin
            try connection.execute(
                """
                PRAGMA page_size=\(RingFormat.pageSize); PRAGMA auto_vacuum=NONE;
                PRAGMA application_id=\(RingFormat.applicationID);
                PRAGMA user_version=\(RingFormat.version);
                PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;
                BEGIN;
                \(RingFormat.schema)
                INSERT INTO meta VALUES('format', 1), ('next', \(zero + 1)),
                  ('cap', \(cap));
                WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < \(slots - 1))
                INSERT INTO ring SELECT i, \(zero), \(zero), zeroblob(\(RingFormat.slotSize)) FROM n;
                COMMIT;
                """
            )
        } catch {
            Disk.remove(draft)
            throw error
        }
        do {
            try Disk.move(draft, to: path)
        } catch {
            throw StorageError(.cannotOpen)
        }
    }
}
