// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// The C side of ``Table`` and ``Scan``: the callbacks of SQLite's `sqlite3_module`.
///
/// Each table exists without CREATE and is read-only. Views and triggers of a database file cannot
/// read it, because that file may be a stranger's.
package enum VirtualTable {
    /// Registers the collation and the tables on a connection.
    ///
    /// - Parameters:
    ///   - database: a `sqlite3 *`.
    ///   - source: provides the rows, and lives as long as the connection.
    /// - Returns: SQLite's result code.
    package static func register(on database: OpaquePointer, _ source: BatchSource) -> Int32 {
        let result = unsafe sqlite3_create_collation_v2(
            database,
            MomentText.collation,
            SQLITE_UTF8,
            Unmanaged.passRetained(OrderCache()).toOpaque(),
            compare,
            { unsafe release(OrderCache.self, $0) }
        )
        guard result == SQLITE_OK else { return result }
        for table in Table.allCases {
            let registration = unsafe Unmanaged.passRetained(Registration(table, source))
            // SQLite releases the registration, even when this fails.
            let result = unsafe sqlite3_create_module_v2(
                database,
                table.name,
                methods,
                registration.toOpaque(),
                { unsafe release(Registration.self, $0) }
            )
            guard result == SQLITE_OK else { return result }
        }
        return SQLITE_OK
    }
}

/// A table of one connection.
private final class Registration {
    let table: Table
    let source: BatchSource

    init(_ table: Table, _ source: BatchSource) {
        self.table = table
        self.source = source
    }
}

/// A scan as an object, to which C can hold a pointer.
private final class CursorBox {
    let scan: any Scan

    init(_ scan: any Scan) { self.scan = scan }
}

// Initialised once before any use, and then only read by SQLite.
private nonisolated(unsafe) let methods: UnsafePointer<sqlite3_module> = {
    var methods = sqlite3_module()
    methods.iVersion = 1
    // Without xCreate, the table exists under its own name (an eponymous-only table).
    unsafe methods.xConnect = connect
    unsafe methods.xDisconnect = disconnect
    unsafe methods.xBestIndex = plan
    unsafe methods.xOpen = open
    unsafe methods.xClose = close
    unsafe methods.xFilter = filter
    unsafe methods.xNext = { cursor in unsafe attempt(cursor) { try $0.advance() } }
    unsafe methods.xEof = { cursor in unsafe scan(cursor)?.isAtEnd == false ? 0 : 1 }
    unsafe methods.xColumn = column
    unsafe methods.xRowid = { cursor, rowid in
        unsafe attempt(cursor) { unsafe rowid?.pointee = $0.rowid }
    }
    let pointer = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    unsafe pointer.initialize(to: methods)
    return unsafe UnsafePointer(pointer)
}()

private func release<Object: AnyObject>(_ type: Object.Type, _ object: UnsafeMutableRawPointer?) {
    if let object = unsafe object { unsafe Unmanaged<Object>.fromOpaque(object).release() }
}

// MARK: The table

private func connect(
    _ database: OpaquePointer?,
    _ registration: UnsafeMutableRawPointer?,
    _ argumentCount: Int32,
    _ arguments: UnsafePointer<UnsafePointer<CChar>?>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    guard let registration = unsafe registration else { return SQLITE_ERROR }
    let kind = unsafe Unmanaged<Registration>.fromOpaque(registration).takeUnretainedValue()
    let code = unsafe sqlite3_declare_vtab(database, kind.table.declaration)
    guard code == SQLITE_OK else { return code }
    unsafe _ = csqlite_direct_only(database)
    let table = UnsafeMutablePointer<csqlite_table>.allocate(capacity: 1)
    unsafe table.initialize(to: csqlite_table())
    unsafe table.pointee.object = Unmanaged.passRetained(kind).toOpaque()
    unsafe result?.pointee = UnsafeMutableRawPointer(table).assumingMemoryBound(
        to: sqlite3_vtab.self
    )
    return SQLITE_OK
}

private func disconnect(_ table: UnsafeMutablePointer<sqlite3_vtab>?) -> Int32 {
    guard let own = unsafe own(table) else { return SQLITE_OK }
    unsafe release(Registration.self, own.pointee.object)
    unsafe own.deallocate()
    return SQLITE_OK
}

private func own(
    _ table: UnsafeMutablePointer<sqlite3_vtab>?
) -> UnsafeMutablePointer<csqlite_table>? {
    unsafe UnsafeMutableRawPointer(table)?.assumingMemoryBound(to: csqlite_table.self)
}

private func registration(_ table: UnsafeMutablePointer<sqlite3_vtab>?) -> Registration? {
    guard let object = unsafe own(table)?.pointee.object else { return nil }
    return unsafe Unmanaged<Registration>.fromOpaque(object).takeUnretainedValue()
}

/// Chooses the constraints that limit which batches to open, and estimates the cost.
///
/// The choice is passed in `idxStr`, two characters each: the column, counted from `A`, and the
/// comparison.
private func plan(
    _ table: UnsafeMutablePointer<sqlite3_vtab>?,
    _ info: UnsafeMutablePointer<sqlite3_index_info>?
) -> Int32 {
    guard let info = unsafe info, let kind = unsafe registration(table)?.table else {
        return SQLITE_ERROR
    }
    var choice: [UInt8] = []
    var batches: Double = 16_000
    for index in 0..<Int(unsafe info.pointee.nConstraint) {
        let constraint = unsafe info.pointee.aConstraint[index]
        let column = Int(constraint.iColumn)
        guard constraint.usable != 0, let comparison = Bounds.Comparison(constraint.op),
            let bound = kind.bound(column), choice.count < 64
        else { continue }
        switch bound {
        case .text, .local:
            // Another collation has another order.
            guard let name = unsafe sqlite3_vtab_collation(info, Int32(index)),
                unsafe sqlite3_stricmp(name, MomentText.collation) == 0
            else { continue }
        case .milliseconds, .batch: break
        }
        choice += [UInt8(0x41 + column), comparison.rawValue]
        unsafe info.pointee.aConstraintUsage[index].argvIndex = Int32(choice.count / 2)
        batches /= comparison == .equal ? 10_000 : 100
    }
    batches = max(batches, 1)
    unsafe info.pointee.idxStr = csqlite_copy(String(decoding: choice, as: UTF8.self))
    unsafe info.pointee.needToFreeIdxStr = 1
    // Opening a batch takes as long as stepping over a thousand rows, and a batch holds about as
    // many.
    unsafe info.pointee.estimatedCost = batches * 2000
    unsafe info.pointee.estimatedRows = Int64(batches * 1000)
    return SQLITE_OK
}

extension Bounds.Comparison {
    fileprivate init?(_ operation: UInt8) {
        switch Int32(operation) {
        case SQLITE_INDEX_CONSTRAINT_EQ: self = .equal
        case SQLITE_INDEX_CONSTRAINT_GE: self = .atLeast
        case SQLITE_INDEX_CONSTRAINT_GT: self = .above
        case SQLITE_INDEX_CONSTRAINT_LE: self = .atMost
        case SQLITE_INDEX_CONSTRAINT_LT: self = .below
        default: return nil
        }
    }
}

/// Compares two times; two texts in the recording's own form are compared byte by byte.
private func compare(
    _ context: UnsafeMutableRawPointer?,
    _ leftCount: Int32,
    _ left: UnsafeRawPointer?,
    _ rightCount: Int32,
    _ right: UnsafeRawPointer?
) -> Int32 {
    let left = unsafe UnsafeRawBufferPointer(start: left, count: Int(leftCount))
    let right = unsafe UnsafeRawBufferPointer(start: right, count: Int(rightCount))
    guard let context = unsafe context else { return unsafe compareBytes(left, right) }
    let cache = unsafe Unmanaged<OrderCache>.fromOpaque(context).takeUnretainedValue()
    func isOwn(_ text: UnsafeRawBufferPointer) -> Bool {
        unsafe text.count == 24 && text[10] == 0x54 && text[23] == 0x5A
    }
    // One side is a row's time, and the other is the value that the query compares all rows with.
    switch unsafe (isOwn(left), isOwn(right)) {
    case (true, true): return unsafe compareBytes(left, right)
    case (true, false):
        return unsafe cache.order(of: right).withUnsafeBytes { order in
            unsafe compareBytes(UnsafeRawBufferPointer(rebasing: left.dropLast()), order)
        }
    case (false, true):
        return unsafe cache.order(of: left).withUnsafeBytes { order in
            unsafe compareBytes(order, UnsafeRawBufferPointer(rebasing: right.dropLast()))
        }
    case (false, false):
        let (before, after) = unsafe (
            MomentText.order(Array(left)), MomentText.order(Array(right))
        )
        if before == after { return 0 }
        return before.lexicographicallyPrecedes(after) ? -1 : 1
    }
}

/// Caches the last text and the bytes by which it is sorted.
private final class OrderCache {
    private var text: [UInt8] = []
    private var order: [UInt8] = []

    func order(of new: UnsafeRawBufferPointer) -> [UInt8] {
        if unsafe text.count != new.count || !text.elementsEqual(new) {
            unsafe text = Array(new)
            order = MomentText.order(text)
        }
        return order
    }
}

private func compareBytes(
    _ left: UnsafeRawBufferPointer,
    _ right: UnsafeRawBufferPointer
) -> Int32 {
    for index in 0..<min(left.count, right.count) {
        let (one, other) = unsafe (left[index], right[index])
        if one != other { return one < other ? -1 : 1 }
    }
    return left.count < right.count ? -1 : left.count == right.count ? 0 : 1
}

// MARK: The cursor

private func open(
    _ table: UnsafeMutablePointer<sqlite3_vtab>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab_cursor>?>?
) -> Int32 {
    guard let registration = unsafe registration(table) else { return SQLITE_ERROR }
    do {
        let walk = CursorBox(registration.table.scan(try registration.source.listing()))
        let cursor = UnsafeMutablePointer<csqlite_cursor>.allocate(capacity: 1)
        unsafe cursor.initialize(to: csqlite_cursor())
        unsafe cursor.pointee.object = Unmanaged.passRetained(walk).toOpaque()
        unsafe result?.pointee = UnsafeMutableRawPointer(cursor).assumingMemoryBound(
            to: sqlite3_vtab_cursor.self
        )
        return SQLITE_OK
    } catch {
        return unsafe fail(table, error)
    }
}

private func close(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> Int32 {
    guard let own = unsafe own(cursor) else { return SQLITE_OK }
    unsafe release(CursorBox.self, own.pointee.object)
    unsafe own.deallocate()
    return SQLITE_OK
}

private func own(
    _ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?
) -> UnsafeMutablePointer<csqlite_cursor>? {
    unsafe UnsafeMutableRawPointer(cursor)?.assumingMemoryBound(to: csqlite_cursor.self)
}

private func scan(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> (any Scan)? {
    guard let object = unsafe own(cursor)?.pointee.object else { return nil }
    return unsafe Unmanaged<CursorBox>.fromOpaque(object).takeUnretainedValue().scan
}

/// Does something with a cursor's scan, and converts an error to SQLite's.
private func attempt(
    _ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?,
    _ body: (any Scan) throws -> Void
) -> Int32 {
    guard let scan = unsafe scan(cursor) else { return SQLITE_ERROR }
    do {
        try body(scan)
        return SQLITE_OK
    } catch {
        return unsafe fail(cursor?.pointee.pVtab, error)
    }
}

private func fail(_ table: UnsafeMutablePointer<sqlite3_vtab>?, _ error: any Error) -> Int32 {
    unsafe sqlite3_free(table?.pointee.zErrMsg)
    unsafe table?.pointee.zErrMsg = csqlite_copy("\(error)")
    return SQLITE_ERROR
}

private func filter(
    _ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?,
    _ number: Int32,
    _ choice: UnsafePointer<CChar>?,
    _ count: Int32,
    _ values: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guard let choice = unsafe choice,
        let kind = unsafe registration(cursor?.pointee.pVtab)?.table
    else { return SQLITE_ERROR }
    var bounds = Bounds()
    let letters = unsafe Array(String(cString: choice).utf8)
    for index in 0..<min(Int(count), letters.count / 2) {
        guard let bound = kind.bound(Int(letters[2 * index]) - 0x41),
            let comparison = Bounds.Comparison(rawValue: letters[2 * index + 1])
        else { continue }
        bounds.narrow(bound, comparison, unsafe Cell(values?[index]))
    }
    return unsafe attempt(cursor) { try $0.start(bounds) }
}

private func column(
    _ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?,
    _ context: OpaquePointer?,
    _ column: Int32
) -> Int32 {
    unsafe attempt(cursor) { scan in
        switch try scan.cell(Int(column)) {
        case .null: unsafe sqlite3_result_null(context)
        case .integer(let number): unsafe sqlite3_result_int64(context, number)
        case .real(let number): unsafe sqlite3_result_double(context, number)
        case .text(let text):
            unsafe csqlite_result_text(context, text, Int32(text.utf8.count))
        // No column has BLOB values.
        case .bytes: unsafe sqlite3_result_null(context)
        }
    }
}

extension Cell {
    /// A value that SQLite passes in.
    fileprivate init(_ value: OpaquePointer?) {
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_INTEGER: self = .integer(unsafe sqlite3_value_int64(value))
        case SQLITE_FLOAT: self = .real(unsafe sqlite3_value_double(value))
        case SQLITE_NULL: self = .null
        case SQLITE_TEXT:
            let text = unsafe sqlite3_value_text(value)
            self = unsafe text.map { .text(unsafe String(cString: $0)) } ?? .bytes([])
        default: self = .bytes([])
        }
    }
}
