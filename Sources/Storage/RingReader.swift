// SPDX-License-Identifier: Apache-2.0

import Files

/// Reads the ring beside the daemon; it never writes and never moves the log.
package final class RingReader {
    /// A stored batch by its place; the age file is read with ``RingReader/sealed(_:)``.
    package struct Entry: Equatable, Sendable {
        package var sequence: UInt64
        /// The end of the batch, in milliseconds since 1970, rounded up to the minute.
        package var end: Int64
        fileprivate var slot: Int64
    }

    private let connection: SQLiteConnection
    private let read: SQLiteStatement

    /// Opens the ring at a path.
    ///
    /// - Parameter path: of the database file.
    /// - Throws: ``StorageError``.
    package init(path: String) throws(StorageError) {
        guard Disk.exists(path) else { throw StorageError(.cannotOpen) }
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
            "SELECT slot, seq, t_end FROM ring WHERE seq > \(RingFormat.origin)"
        )
        var result: [Entry] = []
        while try rows.step() {
            result.append(
                Entry(
                    sequence: UInt64(rows.integer(1) - RingFormat.origin),
                    end: rows.integer(2),
                    slot: rows.integer(0)
                )
            )
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
}
