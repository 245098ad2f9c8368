// SPDX-License-Identifier: Apache-2.0

import Events
package import Notes
package import Storage
import System
import Timeline

/// A holder's one file: the secrets, the logs, and its own keys.
///
/// Promise: what ``change(_:)`` did is on disk when it returns, all of it or nothing. A restored copy
/// brings back secrets and logs together, never one without the other.
package final class HolderStore {
    /// A grant as the store has it.
    struct Entry {
        var number: Int64
        var secret: [UInt8]
        /// The grant's note; empty while it is only offered.
        var note: [UInt8]
        var purpose: [UInt8]
        /// The last checkpoint of its log, signed.
        var checkpoint: [UInt8]

        /// The key of the lock of releases; nil once it is destroyed.
        var identity: Identity? { isAlive ? Identity(raw: Array(secret.prefix(32))) : nil }
        /// The key of the lock of derived rows; nil once it is destroyed.
        var rowIdentity: Identity? { isAlive ? Identity(raw: Array(secret.suffix(32))) : nil }
        /// Whether the secret is there.
        var isAlive: Bool { secret.contains { $0 != 0 } }
    }

    private static let schema = """
        CREATE TABLE meta (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE grants (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, secret BLOB NOT NULL, \
        note BLOB NOT NULL, purpose BLOB NOT NULL, checkpoint BLOB NOT NULL);
        CREATE TABLE leaves (owner INTEGER NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL, \
        hash BLOB NOT NULL, note BLOB NOT NULL, PRIMARY KEY (owner, number), UNIQUE (owner, digest)) \
        WITHOUT ROWID
        """
    /// Maximum number of notes that are read at once.
    static let pageSize = 2000
    private static let secretSize = 64

    private let database: SQLiteConnection
    /// Signs grants and checkpoints.
    package let key: NoteSigner
    /// Signs openings with the time.
    package let clock: NoteSigner

    /// Opens the file, or creates it with fresh keys.
    ///
    /// - Parameter path: of the file; its folder must exist.
    /// - Throws: ``StorageError``.
    package init(path: String) throws(StorageError) {
        database = try SQLiteConnection(path: path, access: .create)
        try database.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000
            """
        )
        if try database.integer("PRAGMA user_version") == 0 {
            try database.execute("BEGIN IMMEDIATE")
            try database.execute(Self.schema)
            try Self.put("key", Array(NoteSigner(name: "holder").file.utf8), database)
            let clock = NoteSigner(name: "holder", kind: .cosignature)
            try Self.put("clock", Array(clock.file.utf8), database)
            try database.execute("PRAGMA user_version = 1; COMMIT")
        }
        guard try database.integer("PRAGMA user_version") == 1,
            try database.hasSchema(Self.schema),
            let key = NoteSigner(Self.text(try Self.get("key", database))),
            let clock = NoteSigner(Self.text(try Self.get("clock", database)))
        else { throw StorageError(.damaged) }
        (self.key, self.clock) = (key, clock)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func put(
        _ name: String,
        _ value: [UInt8],
        _ database: SQLiteConnection
    ) throws(StorageError) {
        let insert = try SQLiteStatement(database, "INSERT OR REPLACE INTO meta VALUES (?, ?)")
        try insert.bind(Array(name.utf8), at: 1)
        try insert.bind(value, at: 2)
        _ = try insert.step()
    }

    private static func get(
        _ name: String,
        _ database: SQLiteConnection
    ) throws(StorageError) -> [UInt8] {
        let select = try SQLiteStatement(database, "SELECT value FROM meta WHERE name = ?")
        try select.bind(Array(name.utf8), at: 1)
        return try select.step() ? select.bytes(0) : []
    }

    /// Makes changes together: on disk when this returns, or not made.
    func change<Result>(
        _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try database.execute("BEGIN IMMEDIATE")
        do throws(StorageError) {
            let result = try body()
            try database.execute("COMMIT")
            return result
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// The latest moment ever seen: setting the clock back must not revive a grant.
    func advance(to now: WallTime) throws(StorageError) -> WallTime {
        let seen = WallTime(Self.text(try Self.get("seen", database))) ?? WallTime(0)
        guard now > seen else { return seen }
        try Self.put("seen", Array(now.text.utf8), database)
        return now
    }

    // MARK: Grants

    /// The ids of all grants, the oldest first.
    func ids() throws(StorageError) -> [String] {
        let select = try SQLiteStatement(database, "SELECT id FROM grants ORDER BY number")
        var ids: [String] = []
        while try select.step() { ids.append(Self.text(select.bytes(0))) }
        return ids
    }

    /// A grant by its id; nil if the store does not have it.
    func entry(_ id: String) throws(StorageError) -> Entry? {
        let select = try SQLiteStatement(
            database,
            "SELECT number, secret, note, purpose, checkpoint FROM grants WHERE id = ?"
        )
        try select.bind(Array(id.utf8), at: 1)
        guard try select.step() else { return nil }
        return Entry(
            number: select.integer(0),
            secret: select.bytes(1),
            note: select.bytes(2),
            purpose: select.bytes(3),
            checkpoint: select.bytes(4)
        )
    }

    /// Adds a grant with a fresh secret, before it is signed.
    func offer(_ id: String, _ identity: Identity, _ rows: Identity) throws(StorageError) {
        let insert = try SQLiteStatement(
            database,
            "INSERT INTO grants (id, secret, note, purpose, checkpoint) VALUES (?, ?, ?, ?, ?)"
        )
        try insert.bind(Array(id.utf8), at: 1)
        try insert.bind(identity.raw + rows.raw, at: 2)
        for index: Int32 in 3...5 { try insert.bind([], at: index) }
        _ = try insert.step()
    }

    /// Stores the notes of a grant that was offered.
    func put(_ grant: [UInt8], _ purpose: [UInt8], of number: Int64) throws(StorageError) {
        let update = try SQLiteStatement(
            database,
            "UPDATE grants SET note = ?, purpose = ? WHERE number = ?"
        )
        try update.bind(grant, at: 1)
        try update.bind(purpose, at: 2)
        try update.bind(number, at: 3)
        _ = try update.step()
    }

    /// Overwrites the secret of a grant in place.
    func destroySecret(of number: Int64) throws(StorageError) {
        let update = try SQLiteStatement(
            database,
            "UPDATE grants SET secret = ? WHERE number = ?"
        )
        try update.bind([UInt8](repeating: 0, count: Self.secretSize), at: 1)
        try update.bind(number, at: 2)
        _ = try update.step()
    }

    /// Moves the log of the database into its file and empties it, so that nothing old stays there.
    func truncateLog() throws(StorageError) {
        try database.checkpoint(truncating: true)
    }

    // MARK: Leaves

    /// The hashes of a log's leaves, in their order.
    func hashes(of number: Int64) throws(StorageError) -> [[UInt8]] {
        let select = try SQLiteStatement(
            database,
            "SELECT hash FROM leaves WHERE owner = ? ORDER BY number"
        )
        try select.bind(number, at: 1)
        var hashes: [[UInt8]] = []
        while try select.step() { hashes.append(select.bytes(0)) }
        return hashes
    }

    /// The number of leaves of a log, and the last ones.
    ///
    /// - Parameters:
    ///   - number: of the grant.
    ///   - last: how many of the last notes are wanted.
    /// - Returns: the number, and the notes, the last one first.
    /// - Throws: ``StorageError``.
    func end(
        of number: Int64,
        _ last: Int64
    ) throws(StorageError) -> (count: Int, notes: [[UInt8]]) {
        let count = try SQLiteStatement(
            database,
            "SELECT count(*) FROM leaves WHERE owner = ?"
        )
        try count.bind(number, at: 1)
        _ = try count.step()
        let select = try SQLiteStatement(
            database,
            "SELECT note FROM leaves WHERE owner = ? ORDER BY number DESC LIMIT ?"
        )
        try select.bind(number, at: 1)
        try select.bind(last, at: 2)
        var notes: [[UInt8]] = []
        while try select.step() { notes.append(select.bytes(0)) }
        return (Int(count.integer(0)), notes)
    }

    /// The notes of a log, in their order.
    ///
    /// - Parameters:
    ///   - number: of the grant.
    ///   - first: the number of the first one.
    /// - Returns: at most ``pageSize`` notes.
    /// - Throws: ``StorageError``.
    func notes(of number: Int64, from first: Int = 0) throws(StorageError) -> [[UInt8]] {
        let select = try SQLiteStatement(
            database,
            "SELECT note FROM leaves WHERE owner = ? AND number >= ? ORDER BY number LIMIT ?"
        )
        try select.bind(number, at: 1)
        try select.bind(Int64(first), at: 2)
        try select.bind(Int64(Self.pageSize), at: 3)
        var notes: [[UInt8]] = []
        while try select.step() { notes.append(select.bytes(0)) }
        return notes
    }

    /// Finds the leaves of a log that it has already.
    ///
    /// - Parameters:
    ///   - digests: of the texts.
    ///   - number: of the grant.
    /// - Returns: the number and the note of each leaf that is there, by the digest.
    /// - Throws: ``StorageError``.
    func leaves(
        _ digests: [String],
        of number: Int64
    ) throws(StorageError) -> [String: (index: Int, note: [UInt8])] {
        let select = try SQLiteStatement(
            database,
            "SELECT number, note FROM leaves WHERE owner = ? AND digest = ?"
        )
        var found: [String: (index: Int, note: [UInt8])] = [:]
        for digest in digests {
            try select.bind(number, at: 1)
            try select.bind(Array(digest.utf8), at: 2)
            if try select.step() { found[digest] = (Int(select.integer(0)), select.bytes(1)) }
            select.reset()
        }
        return found
    }

    /// Appends leaves to a log.
    ///
    /// - Parameters:
    ///   - leaves: their notes, the digests of their texts, and their hashes.
    ///   - index: the number of the first one.
    ///   - number: of the grant.
    /// - Throws: ``StorageError``.
    func append(
        _ leaves: [(note: [UInt8], digest: String, hash: [UInt8])],
        from index: Int,
        of number: Int64
    ) throws(StorageError) {
        let insert = try SQLiteStatement(database, "INSERT INTO leaves VALUES (?, ?, ?, ?, ?)")
        for (offset, leaf) in leaves.enumerated() {
            try insert.bind(number, at: 1)
            try insert.bind(Int64(index + offset), at: 2)
            try insert.bind(Array(leaf.digest.utf8), at: 3)
            try insert.bind(leaf.hash, at: 4)
            try insert.bind(leaf.note, at: 5)
            _ = try insert.step()
            insert.reset()
        }
    }

    /// Stores the checkpoint of a log.
    func put(checkpoint: [UInt8], of number: Int64) throws(StorageError) {
        let update = try SQLiteStatement(
            database,
            "UPDATE grants SET checkpoint = ? WHERE number = ?"
        )
        try update.bind(checkpoint, at: 1)
        try update.bind(number, at: 2)
        _ = try update.step()
    }
}
