// SPDX-License-Identifier: Apache-2.0

import Sealing
import System

/// A ring of version 2, whose rows carry no proof, in a file of its own beside the ring.
///
/// It gets no new batches. Its batches expire at their own ages, every form of forgetting covers
/// them, and they are readable by the file's name. The oldest are evicted when the newer ring needs
/// the room. The file is removed when it is empty.
final class EarlierRing {
    /// A batch and its slot; number and end are what its row claims.
    struct Batch {
        var slot: Int64
        var sequence: UInt64
        var end: Int64
    }

    private let path: String
    private let connection: SQLiteConnection
    private(set) var batches: [Batch]

    /// The path of the file beside a ring.
    static func path(_ ring: String) -> String {
        (ring.hasSuffix(".db") ? String(ring.dropLast(3)) : ring) + "-v2.db"
    }

    /// Whether the database at a path is an intact ring of version 2.
    ///
    /// Both the version number and the columns must say so: a flipped bit changes the one and not
    /// the other.
    static func isOne(_ path: String) -> Bool {
        guard let connection = try? SQLiteConnection(path: path, access: .read),
            (try? connection.integer("PRAGMA user_version")) == RingFormat.versionBefore
        else { return false }
        let columns = "SELECT count(*) FROM pragma_table_info('ring') WHERE name='proof'"
        return (try? connection.integer(columns)) == 0
    }

    /// Whether the file beside a ring is not such a database, or has an unexpected schema.
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

    /// Opens the file beside a ring; nil when it is missing, unreadable or empty.
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

    /// Opens the file beside a ring, or creates an empty one.
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

    /// Removes the file beside a ring, with its log and index.
    static func remove(_ ring: String) {
        for suffix in ["", "-wal", "-shm"] { Disk.remove(path(ring) + suffix) }
    }

    var isEmpty: Bool { batches.isEmpty }

    var count: Int { batches.count }

    /// The size of the file in pages, rounded up.
    var pages: Int { ((Disk.size(path) ?? 0) + RingFormat.pageSize - 1) / RingFormat.pageSize }

    /// The earliest end of a batch, in milliseconds since 1970; nil when empty.
    var earliestEnd: Int64? { batches.map(\.end).min() }

    /// Adds rows that were moved out of the old file.
    ///
    /// - Parameter rows: of version 2; those with a known sequence number are skipped.
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

    /// The batches that may hold events of a range of wall time (milliseconds since 1970).
    func batches(touching range: ClosedRange<Int64>) -> [Batch] {
        batches.filter { SealedBatch.touches(range, from: $0.end, end: $0.end) }
    }

    /// Overwrites the contents of slots, and shrinks the file.
    ///
    /// - Parameter wanted: slots; unknown ones are skipped.
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    func erase(_ wanted: [Int64]) throws(StorageError) {
        let present = Set(batches.map(\.slot))
        let slots = wanted.filter { present.contains($0) }
        for start in stride(from: 0, to: slots.count, by: RingFormat.maxProven) {
            let part = Array(slots[start...].prefix(RingFormat.maxProven))
            let list = part.map { "\($0)" }.joined(separator: ",")
            // Overwrite in place first: a DELETE alone may leave bytes behind.
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
        // Remove what an interrupted erasure left empty.
        try connection.execute("DELETE FROM ring WHERE t_end=\(RingFormat.valueOffset)")
        try connection.execute("PRAGMA incremental_vacuum")
        try connection.checkpoint(truncating: true)
    }

    /// Erases its oldest batches, at most ``RingFormat/maxProven``.
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
