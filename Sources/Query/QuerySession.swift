// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// An in-memory database with nothing but the tables of the recording.
///
/// It only reads: SQLite asks ``allow`` about every action of a statement before the statement
/// runs. Sorts and joins stay in memory, so that no plaintext reaches a file.
@safe package final class QuerySession {
    private let database: OpaquePointer
    fileprivate let limits: QueryLimits

    /// Opens the database; the first query opens the ring.
    ///
    /// - Parameters:
    ///   - source: the ring and the keys.
    ///   - limits: of each query.
    /// - Throws: ``QueryError`` `failed` when SQLite does not start or there is not enough memory.
    package init(
        _ source: BatchSource,
        limits: QueryLimits = QueryLimits()
    ) throws(QueryError) {
        var database: OpaquePointer?
        let result = unsafe sqlite3_open_v2(
            ":memory:",
            &database,
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
            nil
        )
        guard let database = unsafe database, result == SQLITE_OK else {
            unsafe sqlite3_close_v2(database)
            throw QueryError(code: .failed, description: "SQLite cannot be started.")
        }
        unsafe self.database = database
        self.limits = limits
        source.isOver = limits.isOver
        _ = sqlite3_hard_heap_limit64(limits.memory)
        // Called after that many virtual machine instructions, that is every few milliseconds.
        unsafe sqlite3_progress_handler(
            database,
            100_000,
            { context in
                guard let context = unsafe context else { return 0 }
                let session = unsafe Unmanaged<QuerySession>.fromOpaque(context)
                return unsafe session.takeUnretainedValue().limits.isOver() ? 1 : 0
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        guard unsafe sqlite3_exec(database, "PRAGMA temp_store=MEMORY", nil, nil, nil) == SQLITE_OK,
            unsafe VirtualTable.register(on: database, source) == SQLITE_OK,
            unsafe SQLFunctions.register(on: database) == SQLITE_OK,
            // SQLite connects the tables when they are first named, which the authorizer would
            // refuse.
            Table.allCases.allSatisfy({ (try? prepare("SELECT 1 FROM \($0.name)")) != nil }),
            unsafe sqlite3_set_authorizer(database, allow, nil) == SQLITE_OK
        else { throw QueryError(code: .failed, description: message) }
    }

    deinit { unsafe sqlite3_close_v2(database) }

    /// Prepares a query.
    ///
    /// - Parameter sql: one statement that only reads.
    /// - Returns: the query, which can run more than once.
    /// - Throws: ``QueryError`` for anything else.
    package func prepare(_ sql: String) throws(QueryError) -> PreparedQuery {
        var statements: [PreparedQuery] = []
        var bytes = sql.utf8CString[...]
        // After the statement only comments and white space may follow, which are no statements.
        while bytes.count > 1 {
            let (handle, used) = try unsafe prepare(bytes)
            if let handle = unsafe handle { statements.append(unsafe PreparedQuery(handle, self)) }
            bytes = bytes.dropFirst(used)
        }
        guard statements.count == 1, let statement = statements.first else {
            throw QueryError(
                code: .notOne,
                description: statements.isEmpty
                    ? "There is no statement to run." : "Only one statement is run at a time."
            )
        }
        guard statement.isReading else { throw Self.notReading }
        return statement
    }

    /// Prepares the first statement of a zero-terminated text.
    private func prepare(
        _ text: ArraySlice<CChar>
    ) throws(QueryError) -> (handle: OpaquePointer?, used: Int) {
        var handle: OpaquePointer?
        var used = 0
        let result = unsafe text.withUnsafeBufferPointer { text in
            var rest: UnsafePointer<CChar>?
            let result = unsafe sqlite3_prepare_v2(
                database,
                text.baseAddress,
                Int32(clamping: text.count),
                &handle,
                &rest
            )
            if let start = text.baseAddress, let rest = unsafe rest {
                used = unsafe start.distance(to: rest)
            }
            return result
        }
        guard result == SQLITE_OK else {
            if result & 0xFF == SQLITE_AUTH { throw Self.notReading }
            throw QueryError(code: .wrong, description: message)
        }
        return unsafe (handle, max(used, 1))
    }

    private static let notReading = QueryError(
        code: .notReading,
        description: "Only SELECT statements are allowed."
    )

    /// The reason for which a step failed.
    fileprivate func error(_ result: Int32) -> QueryError {
        switch result & 0xFF {
        case _ where limits.isOver(), SQLITE_INTERRUPT:
            QueryError(code: .tooLong, description: "The query took too long and was stopped.")
        case SQLITE_NOMEM, SQLITE_TOOBIG:
            QueryError(code: .tooLarge, description: "The query needs too much memory.")
        default: QueryError(code: .failed, description: message)
        }
    }

    fileprivate var message: String {
        unsafe sqlite3_errmsg(database).map { unsafe String(cString: $0) } ?? "no message"
    }
}

/// The limits of a query.
package struct QueryLimits {
    /// Maximum number of bytes that SQLite may allocate; a larger sort fails.
    package var memory: Int64
    /// Whether the query has exceeded its time; it is called often.
    package var isOver: () -> Bool

    /// Takes the limits; by default 1 GiB of memory and no time limit.
    ///
    /// - Parameters:
    ///   - memory: maximum number of bytes that SQLite may allocate.
    ///   - isOver: whether the query has exceeded its time.
    package init(memory: Int64 = 1 << 30, isOver: @escaping () -> Bool = { false }) {
        (self.memory, self.isOver) = (memory, isOver)
    }

    /// Maximum size of a returned value in bytes, because several copies exist until it is printed.
    ///
    /// SQLite's own length limit would make `printf` return NULL instead of failing.
    fileprivate var maxValueBytes: Int64 { memory / 16 }
}

/// SQLite's authorizer: lets a statement read the tables and call functions, and nothing else.
private func allow(
    _ context: UnsafeMutableRawPointer?,
    _ action: Int32,
    _ first: UnsafePointer<CChar>?,
    _ second: UnsafePointer<CChar>?,
    _ database: UnsafePointer<CChar>?,
    _ origin: UnsafePointer<CChar>?
) -> Int32 {
    switch action {
    case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
    case SQLITE_FUNCTION:
        let name = unsafe second.map { unsafe String(cString: $0) }?.lowercased() ?? ""
        // These load code or take addresses.
        return ["load_extension", "fts3_tokenizer"].contains(name) ? SQLITE_DENY : SQLITE_OK
    default: return SQLITE_DENY
    }
}

/// A query that is ready to run.
@safe package final class PreparedQuery {
    private let handle: OpaquePointer
    private let session: QuerySession

    fileprivate init(_ handle: OpaquePointer, _ session: QuerySession) {
        unsafe self.handle = handle
        self.session = session
    }

    deinit { unsafe sqlite3_finalize(handle) }

    fileprivate var isReading: Bool { unsafe sqlite3_stmt_readonly(handle) != 0 && width > 0 }

    private var width: Int32 { unsafe sqlite3_column_count(handle) }

    /// The names of the result columns.
    package var columns: [String] {
        (0..<width).map { column in
            unsafe sqlite3_column_name(handle, column).map { unsafe String(cString: $0) } ?? ""
        }
    }

    /// Runs the query from its beginning and passes on the rows as SQLite finds them.
    ///
    /// - Parameter body: takes the values of a row.
    /// - Throws: ``QueryError``, or what `body` throws.
    package func run(_ body: ([Cell]) throws -> Void) throws {
        defer { unsafe _ = sqlite3_reset(handle) }
        while true {
            switch unsafe sqlite3_step(handle) {
            case SQLITE_ROW: try body((0..<width).map { try cell($0) })
            case SQLITE_DONE: return
            case let result: throw session.error(result)
            }
        }
    }

    private func cell(_ column: Int32) throws -> Cell {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(handle, column))
        case SQLITE_NULL: return .null
        case let type:
            let start = unsafe sqlite3_column_blob(handle, column)
            let count = Int(unsafe sqlite3_column_bytes(handle, column))
            guard count <= session.limits.maxValueBytes else { throw session.error(SQLITE_TOOBIG) }
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
            guard type == SQLITE_TEXT else { return .bytes(unsafe Array(bytes)) }
            return .text(unsafe String(decoding: bytes, as: UTF8.self))
        }
    }
}
