// SPDX-License-Identifier: Apache-2.0

import Sealing
import System

/// A ring of version 2, whose rows carry no proof, set aside under a name of its own.
///
/// Nothing is added to it. Its batches are erased at their own ages and by every form of forgetting,
/// and read where the file is named; the oldest give way where the newer ring needs the room. When it
/// is empty it is removed.
final class EarlierRing {
    /// A batch by its slot; number and end are what its row claims.
    struct Batch {
        var slot: Int64
        var sequence: UInt64
        var end: Int64
    }

    private let path: String
    private let connection: SQLiteConnection
    private(set) var batches: [Batch]

    /// The name of the file beside a ring.
    static func path(_ ring: String) -> String {
        (ring.hasSuffix(".db") ? String(ring.dropLast(3)) : ring) + "-v2.db"
    }

    /// Whether the database at a path is a whole one of that version: by its number and its columns,
    /// for a changed bit makes the one and not the other.
    static func isOne(_ path: String) -> Bool {
        guard let connection = try? SQLiteConnection(path: path, access: .read),
            (try? connection.integer("PRAGMA user_version")) == RingFormat.versionBefore
        else { return false }
        let columns = "SELECT count(*) FROM pragma_table_info('ring') WHERE name='proof'"
        return (try? connection.integer(columns)) == 0
    }

    /// Whether what has the name of one is none, or has a schema that it should not have.
    static func isBroken(_ ring: String) -> Bool {
        let path = path(ring)
        guard Disk.exists(path) else { return false }
        do {
            _ = try EarlierRing(opening: path)
            return false
        } catch {
            return error.code == .damaged
        }
    }

    /// Opens the one beside a ring; nil where there is none, or none that can be read.
    convenience init?(_ ring: String) {
        let path = Self.path(ring)
        guard Disk.exists(path) else { return nil }
        do {
            try self.init(opening: path)
        } catch {
            return nil
        }
        if isEmpty { return nil }
    }

    private init(opening path: String) throws(StorageError) {
        self.path = path
        connection = try SQLiteConnection(path: path, access: .write)
        guard try connection.hasSchema(RingFormat.schemaBefore) else {
            throw StorageError(.damaged)
        }
        try connection.execute(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        )
        batches = []
        let rows = try SQLiteStatement(
            connection,
            "SELECT slot, seq, t_end FROM ring WHERE t_end > \(RingFormat.valueOffset)"
        )
        while try rows.step() {
            let number = rows.integer(1).subtractingSaturated(RingFormat.valueOffset)
            batches.append(
                Batch(
                    slot: rows.integer(0),
                    sequence: UInt64(clamping: number),
                    end: rows.integer(2)
                )
            )
        }
    }

    /// Makes an empty one beside a ring, or opens what is there.
    static func make(_ ring: String) throws(StorageError) -> EarlierRing {
        let path = path(ring)
        if !Disk.exists(path) {
            let connection = try SQLiteConnection(path: path, access: .create)
            try connection.execute(
                """
                PRAGMA page_size=\(RingFormat.pageSize); PRAGMA auto_vacuum=INCREMENTAL;
                PRAGMA application_id=\(RingFormat.applicationID);
                PRAGMA user_version=\(RingFormat.versionBefore);
                \(RingFormat.schemaBefore)
                """
            )
        }
        return try EarlierRing(opening: path)
    }

    /// Removes what is left of the one beside a ring.
    static func remove(_ ring: String) {
        for suffix in ["", "-wal", "-shm"] { Disk.remove(path(ring) + suffix) }
    }

    var isEmpty: Bool { batches.isEmpty }

    var count: Int { batches.count }

    /// Pages of the file.
    var pages: Int { ((Disk.size(path) ?? 0) + RingFormat.pageSize - 1) / RingFormat.pageSize }

    /// The end of the batch that reaches its age first, in ms since 1970.
    var earliestEnd: Int64? { batches.map(\.end).min() }

    /// Adds rows that were moved out of the old file.
    ///
    /// - Throws: ``StorageError``; nothing is then added.
    func insert(_ rows: [RingPage]) throws(StorageError) {
        let known = Set(batches.map(\.sequence))
        let new = rows.filter { !known.contains(UInt64(clamping: $0.sequence)) }
        var next = (batches.map(\.slot).max() ?? -1) + 1
        var added: [Batch] = []
        try transact { () throws(StorageError) in
            for row in new {
                let insert = try SQLiteStatement(
                    connection,
                    "INSERT INTO ring VALUES(?1, ?2, ?3, ?4)"
                )
                try insert.bind(next, at: 1)
                try insert.bind(row.storedSequence, at: 2)
                try insert.bind(row.storedEnd, at: 3)
                try insert.bind(row.sealed, at: 4)
                _ = try insert.step()
                added.append(
                    Batch(
                        slot: next,
                        sequence: UInt64(clamping: row.sequence),
                        end: row.storedEnd
                    )
                )
                next += 1
            }
        }
        batches += added
        try? connection.checkpoint(truncating: true)
    }

    /// The batches that may hold anything of a stretch of wall time (ms since 1970).
    func batches(touching range: ClosedRange<Int64>) -> [Batch] {
        batches.filter { SealedBatch.touches(range, from: $0.end, end: $0.end) }
    }

    /// Overwrites what stands in slots, and makes the file smaller by it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    func erase(_ wanted: [Int64]) throws(StorageError) {
        let present = Set(batches.map(\.slot))
        let slots = wanted.filter { present.contains($0) }
        for start in stride(from: 0, to: slots.count, by: RingFormat.maxProven) {
            let part = Array(slots[start...].prefix(RingFormat.maxProven))
            let list = part.map { "\($0)" }.joined(separator: ",")
            // Overwritten in place first: deleting alone may leave bytes behind.
            try connection.execute(
                """
                UPDATE ring SET seq=\(RingFormat.valueOffset), t_end=\(RingFormat.valueOffset),
                  sealed=zeroblob(\(RowLayout.before.sealedSize)) WHERE slot IN (\(list))
                """
            )
            batches.removeAll { part.contains($0.slot) }
            try connection.checkpoint(truncating: true)
            try connection.execute("DELETE FROM ring WHERE slot IN (\(list))")
            try connection.execute("PRAGMA incremental_vacuum")
            try connection.checkpoint(truncating: true)
        }
        // What an interrupted erasing left empty.
        try connection.execute("DELETE FROM ring WHERE t_end=\(RingFormat.valueOffset)")
        try connection.execute("PRAGMA incremental_vacuum")
        try connection.checkpoint(truncating: true)
    }

    /// Lets its oldest batches go, as many as are written together.
    ///
    /// - Throws: ``StorageError``.
    func giveWay() throws(StorageError) {
        let oldest = batches.sorted { $0.sequence < $1.sequence }.prefix(RingFormat.maxProven)
        try erase(oldest.map(\.slot))
    }

    private func transact(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StorageError) {
            try body()
            try connection.execute("COMMIT")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }
}
