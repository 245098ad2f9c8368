// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// A connection to one database file; no other file calls SQLite.
@safe package final class SQLiteConnection {
    /// What a connection may do.
    package enum Access {
        case read
        case write
        /// Also creates the file when it is missing.
        case create
    }

    /// Maximum size of a row or value, in bytes (`SQLITE_LIMIT_LENGTH`).
    private static let maxValueBytes: Int32 = 1 << 20

    fileprivate let handle: OpaquePointer
    /// The number of pages in the write-ahead log after the last commit, as SQLite counts them.
    private let frames: UnsafeMutablePointer<Int32>

    /// Opens a database file.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - access: what the connection may do.
    /// - Throws: ``StorageError`` `cannotOpen`.
    package init(path: String, access: Access) throws(StorageError) {
        var handle: OpaquePointer?
        let flags =
            switch access {
            case .read: SQLITE_OPEN_READONLY
            case .write: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        let result = unsafe sqlite3_open_v2(
            path,
            &handle,
            flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX,
            nil
        )
        guard let handle = unsafe handle, result == SQLITE_OK else {
            unsafe sqlite3_close(handle)
            throw StorageError(.cannotOpen, result: result)
        }
        unsafe self.handle = handle
        unsafe frames = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        unsafe frames.initialize(to: 0)
        if access == .read { unsafe csqlite_keep_wal_on_close(handle) }
        // Bounds the memory that a row takes, whatever somebody has put into it.
        unsafe sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Self.maxValueBytes)
        // This hook also replaces SQLite's automatic checkpoints; `PRAGMA wal_autocheckpoint` would
        // remove it.
        unsafe sqlite3_wal_hook(handle, noteFrames, frames)
    }

    deinit {
        unsafe sqlite3_close(handle)
        unsafe frames.deallocate()
    }

    /// The number of pages in the write-ahead log; 0 before this connection's first commit.
    var framesInLog: Int { Int(unsafe frames.pointee) }

    /// Runs statements whose results are not needed.
    package func execute(_ sql: String) throws(StorageError) {
        try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// The first column of the first row; nil when there is no row.
    package func integer(_ sql: String) throws(StorageError) -> Int64? {
        let statement = try SQLiteStatement(self, sql)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// Whether the schema is exactly this one.
    ///
    /// So no view, trigger or index acts on its own when the tables are read or written.
    ///
    /// - Parameter statements: the `CREATE TABLE` statements, separated by semicolons.
    /// - Returns: false also when the schema differs in its text only.
    /// - Throws: ``StorageError``.
    package func hasSchema(_ statements: String) throws(StorageError) -> Bool {
        let rows = try SQLiteStatement(self, "SELECT sql FROM sqlite_schema WHERE sql NOT NULL")
        var found: [[UInt8]] = []
        while try rows.step() { found.append(rows.bytes(0)) }
        let expected = statements.split(separator: ";").map { $0.drop { $0.isWhitespace } }
            .filter { !$0.isEmpty }.map { Array($0.utf8) }
        return found.count == expected.count && expected.allSatisfy { found.contains($0) }
    }

    /// Moves the log into the database.
    ///
    /// - Parameter truncating: whether to truncate the log as well.
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    package func checkpoint(truncating: Bool) throws(StorageError) {
        let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
        try check(unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil))
        unsafe frames.pointee = 0
    }

    /// Sleeps, so that others can write before the next attempt.
    static func wait(milliseconds: Int32) {
        sqlite3_sleep(milliseconds)
    }

    /// Reads a page of the file from disk, whatever the log holds for it.
    ///
    /// - Parameters:
    ///   - number: of the page, from 0.
    ///   - size: of a page, in bytes.
    /// - Returns: its bytes; nil when it cannot be read.
    func page(_ number: Int, size: Int) -> [UInt8]? {
        var page = [UInt8](repeating: 0, count: size)
        let offset = Int64(number) * Int64(size)
        let result = unsafe csqlite_read(handle, &page, Int32(size), offset)
        return result == SQLITE_OK ? page : nil
    }

    fileprivate func check(_ result: Int32) throws(StorageError) {
        switch result & 0xFF {
        case SQLITE_OK, SQLITE_ROW, SQLITE_DONE: return
        case SQLITE_BUSY, SQLITE_LOCKED: throw StorageError(.busy, result: result)
        case SQLITE_FULL: throw StorageError(.full, result: result)
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_TOOBIG:
            throw StorageError(.damaged, result: result)
        case SQLITE_CANTOPEN: throw StorageError(.cannotOpen, result: result)
        default: throw StorageError(.failed, result: result)
        }
    }
}

private func noteFrames(
    _ frames: UnsafeMutableRawPointer?,
    _ handle: OpaquePointer?,
    _ name: UnsafePointer<CChar>?,
    _ count: Int32
) -> Int32 {
    unsafe frames?.storeBytes(of: count, as: Int32.self)
    return SQLITE_OK
}

/// A prepared statement with a single owner.
@safe package struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection

    /// Compiles a statement.
    ///
    /// - Throws: ``StorageError``; `damaged` when the schema is not the expected one.
    package init(_ connection: SQLiteConnection, _ sql: String) throws(StorageError) {
        var handle: OpaquePointer?
        let result = unsafe sqlite3_prepare_v3(
            connection.handle,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &handle,
            nil
        )
        // The statements never vary: one that does not compile means that the schema is not ours.
        if result & 0xFF == SQLITE_ERROR { throw StorageError(.damaged, result: result) }
        try connection.check(result)
        guard let handle = unsafe handle else { throw StorageError(.failed) }
        unsafe self.handle = handle
        self.connection = connection
    }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Binds a number to a parameter, from 1.
    package borrowing func bind(_ value: Int64, at index: Int32) throws(StorageError) {
        try connection.check(unsafe sqlite3_bind_int64(handle, index, value))
    }

    /// Binds a blob to a parameter, from 1.
    package borrowing func bind(_ bytes: [UInt8], at index: Int32) throws(StorageError) {
        try connection.check(
            unsafe csqlite_bind_blob(handle, index, bytes, Int32(bytes.count))
        )
    }

    /// Steps to the next row; false at the end.
    package borrowing func step() throws(StorageError) -> Bool {
        let result = unsafe sqlite3_step(handle)
        try connection.check(result)
        return result == SQLITE_ROW
    }

    /// Resets the statement and its bindings for another run.
    package borrowing func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    /// A number of the current row, by column from 0.
    package borrowing func integer(_ column: Int32) -> Int64 {
        unsafe sqlite3_column_int64(handle, column)
    }

    /// A blob of the current row, by column from 0.
    package borrowing func bytes(_ column: Int32) -> [UInt8] {
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
