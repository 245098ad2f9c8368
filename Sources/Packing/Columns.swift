// SPDX-License-Identifier: Apache-2.0

/// One value for each column of a batch.
///
/// A column is a section with values of items. ``BatchLayout/Section/columns`` lists them in the order
/// in which they are stored.
struct Columns<Value> {
    private var all: InlineArray<16, Value>

    /// Makes the value of each column.
    init(_ make: (BatchLayout.Section) -> Value) {
        all = InlineArray { make(BatchLayout.Section.columns[$0]) }
    }

    /// The value of a section that is a column.
    subscript(section: BatchLayout.Section) -> Value {
        @inline(__always) get { all[section.column] }
        @inline(__always) _modify { yield &all[section.column] }
    }

    /// The value of a column by its index.
    subscript(index: Int) -> Value { all[index] }

    /// Whether a predicate holds for all columns.
    func allSatisfy(_ predicate: (Value) -> Bool) -> Bool {
        for index in all.indices where !predicate(all[index]) { return false }
        return true
    }
}

extension BatchLayout.Section {
    /// The sections that are columns, in the order in which they are stored.
    static let columns: [Self] = allCases.filter {
        switch $0 {
        case .header, .deviceTable, .screen, .buttonMaps, .origins, .demonstration: false
        default: true
        }
    }

    /// What stands in front of a section's bytes: its id and their number.
    func intro(_ count: Int) -> [UInt8] {
        var bytes = [rawValue]
        bytes.append(varint: UInt64(count))
        return bytes
    }

    /// The index of a section in ``columns``, of which it must be one.
    @inline(__always) var column: Int { self == .typing ? 15 : Int(rawValue) - 2 }
}

extension Columns<Column> {
    /// Bytes of all columns' memory together.
    static let size = 16 * Column.capacity

    /// Empty columns in the first ``size`` bytes of a memory.
    init(in memory: LockedMemory) {
        self.init { section in
            let start = section.column * Column.capacity
            return unsafe Column(memory.region(start..<start + Column.capacity))
        }
    }

    /// The bytes of all columns together.
    var count: Int {
        var sum = 0
        for index in 0..<16 { sum &+= all[index].count }
        return sum
    }

    /// The bytes of each column, in the order of the columns.
    var counts: [Int] { all.indices.map { all[$0].count } }

    /// Writes the open runs, so that the columns contain everything appended.
    mutating func endRuns() {
        for index in all.indices { all[index].endRun() }
    }

    /// Keeps the bytes of each column from a given one on.
    mutating func keep(from counts: [Int]) {
        for index in all.indices { all[index].keep(from: counts[index]) }
    }
}
