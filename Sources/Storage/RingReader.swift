// SPDX-License-Identifier: Apache-2.0

import Files

/// Reads the ring beside the daemon; it never writes and never moves the log.
package final class RingReader {
    /// A stored batch by its place; the age file is read with ``RingReader/sealed(_:)``.
    package struct Entry: Equatable, Sendable {
        package var sequence: UInt64
        /// The end of the batch, in milliseconds since 1970, rounded up to the minute.
        package var end: Int64
        var slot: Int64

        /// Whether it can hold anything of a stretch of time (ms since 1970): a batch spans at most a
        /// minute and its end is rounded up to the minute.
        package func touches(_ range: ClosedRange<Int64>) -> Bool {
            end >= range.lowerBound && end - 120_000 <= range.upperBound
        }
    }

    let path: String
    let connection: SQLiteConnection
    private let read: SQLiteStatement

    /// Opens the ring at a path.
    ///
    /// - Parameter path: of the database file.
    /// - Throws: ``StorageError``.
    package init(path: String) throws(StorageError) {
        guard Disk.exists(path) else { throw StorageError(.cannotOpen) }
        self.path = path
        connection = try SQLiteConnection(path: path, access: .read)
        guard try connection.integer("PRAGMA application_id") == RingFormat.applicationID else {
            throw StorageError(.damaged)
        }
        guard try connection.integer("PRAGMA user_version") == RingFormat.version else {
            throw StorageError(.unknownVersion)
        }
        try connection.execute("PRAGMA cache_size=16")
        read = try SQLiteStatement(connection, "SELECT seq, sealed FROM ring WHERE slot=?1")
    }

    /// The batches stored, oldest first.
    ///
    /// - Throws: ``StorageError``.
    package func entries() throws(StorageError) -> [Entry] {
        let rows = try SQLiteStatement(
            connection,
            "SELECT slot, seq, t_end FROM ring WHERE t_end > \(RingFormat.origin)"
        )
        var result: [Entry] = []
        while try rows.step() {
            let sequence = rows.integer(1) - RingFormat.origin
            guard sequence > 0 else { continue }
            let entry = Entry(
                sequence: UInt64(sequence),
                end: rows.integer(2),
                slot: rows.integer(0)
            )
            result.append(entry)
        }
        return result.sorted { $0.sequence < $1.sequence }
    }

    /// The age file of a batch; nil when the slot has been taken by another batch meanwhile.
    ///
    /// - Parameter entry: from ``entries()``.
    /// - Returns: the bytes.
    /// - Throws: ``StorageError``.
    package func sealed(_ entry: Entry) throws(StorageError) -> [UInt8]? {
        read.reset()
        defer { read.reset() }
        try read.bind(entry.slot, at: 1)
        guard try read.step(), read.integer(0) == RingFormat.origin + Int64(entry.sequence) else {
            return nil
        }
        return read.bytes(1)
    }

    // MARK: For verification

    /// The numbers and stored ends of all rows, in the order of their numbers; empty ones are 0.
    ///
    /// - Throws: ``StorageError`` when the tree around the rows is damaged.
    package func index() throws(StorageError) -> [Entry] {
        let rows = try SQLiteStatement(connection, "SELECT slot, seq, t_end FROM ring")
        var result: [Entry] = []
        while try rows.step() {
            let sequence = UInt64(clamping: rows.integer(1) - RingFormat.origin)
            let end = rows.integer(2) == RingFormat.origin ? 0 : rows.integer(2)
            result.append(Entry(sequence: sequence, end: end, slot: rows.integer(0)))
        }
        return result.sorted { ($0.sequence, $0.slot) < ($1.sequence, $1.slot) }
    }

    /// The digest of the pages without rows, as the head notes it; nil where they cannot be read.
    package func structure() -> [UInt8]? {
        let size = Disk.size(path) ?? 0
        guard size % RingFormat.pageSize == 0 else { return nil }
        return RingStructure.digest(size / RingFormat.pageSize) {
            connection.page($0, size: RingFormat.pageSize)
        }
    }

    /// Whether parts of the ring still wait to be moved out of an old one.
    package var isBeingRebuilt: Bool { !OldRing.paths(path).isEmpty }
}
