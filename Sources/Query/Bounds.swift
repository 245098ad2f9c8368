// SPDX-License-Identifier: Apache-2.0

import Events

/// What a query says about the rows it wants, as far as it tells which batches to open.
///
/// It never leaves out a batch that holds a wanted row; SQLite checks every row again.
struct Bounds: Equatable {
    /// The comparisons that tell something.
    enum Comparison: UInt8 {
        case equal = 0x3D
        case atLeast = 0x3E
        case atMost = 0x3C
    }

    private(set) var moments: (lower: Int64, upper: Int64) = (.min, .max)
    private(set) var batches: (lower: Int64, upper: Int64) = (.min, .max)

    static func == (left: Bounds, right: Bounds) -> Bool {
        left.moments == right.moments && left.batches == right.batches
    }

    /// Takes one comparison of the query into account.
    mutating func narrow(_ place: Place, _ comparison: Comparison, _ value: Cell) {
        // Nothing compares with NULL.
        if value == .null { moments = (.max, .min) }
        switch place {
        case .milliseconds: Self.narrow(&moments, comparison, Self.whole(value))
        case .batch: Self.narrow(&batches, comparison, Self.whole(value))
        case .text: Self.narrow(&moments, comparison, Self.moments(value))
        }
    }

    /// Whether a batch can hold a wanted row.
    ///
    /// - Parameters:
    ///   - batch: its number.
    ///   - end: its end, rounded up to the minute.
    ///   - reach: how far before the end a row can lie.
    /// - Returns: false only when it cannot.
    func mayTouch(_ batch: Int64, end: Int64, reach: Int64) -> Bool {
        let (start, overflow) = end.subtractingReportingOverflow(reach)
        return batches.lower <= batch && batch <= batches.upper && moments.lower <= end
            && (overflow || start <= moments.upper)
    }

    /// Whether a row at a moment can be wanted.
    func mayHold(_ moment: Int64) -> Bool { moments.lower <= moment && moment <= moments.upper }

    private static func narrow(
        _ range: inout (lower: Int64, upper: Int64),
        _ comparison: Comparison,
        _ value: (down: Int64, up: Int64)?
    ) {
        guard let value else { return }
        if comparison != .atMost { range.lower = max(range.lower, value.down) }
        if comparison != .atLeast { range.upper = min(range.upper, value.up) }
    }

    /// A number rounded down and up; nil for what SQLite would first have to convert.
    private static func whole(_ value: Cell) -> (down: Int64, up: Int64)? {
        switch value {
        case .integer(let number): (number, number)
        case .real(let number):
            (Int64(saturating: number.rounded(.down)), Int64(saturating: number.rounded(.up)))
        case .null, .text, .bytes: nil
        }
    }

    /// The first moment whose text is not before a text, and the last whose text is not after it.
    ///
    /// Any text will do, whole or the beginning of a time: the texts of times are in the order of the
    /// times, so that the place of the text among them can be searched.
    private static func moments(_ value: Cell) -> (down: Int64, up: Int64)? {
        guard case .text(let text) = value, text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let bytes = Array(text.utf8)
        func isBefore(_ moment: Int64) -> Bool {
            WallTime(moment).text.utf8.lexicographicallyPrecedes(bytes)
        }
        func isAfter(_ moment: Int64) -> Bool {
            bytes.lexicographicallyPrecedes(WallTime(moment).text.utf8)
        }
        let down = first { !isBefore($0) }
        let up = first(where: isAfter)
        return (
            down == sayable.lowerBound ? .min : down ?? .max,
            up.map { $0 == sayable.lowerBound ? .min : $0 - 1 } ?? .max
        )
    }

    /// The moments with texts of their own: the years 0000 to 9999.
    private static let sayable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// The first moment that meets a condition which all later ones meet too.
    private static func first(where condition: (Int64) -> Bool) -> Int64? {
        guard condition(sayable.upperBound) else { return nil }
        var (low, high) = (sayable.lowerBound, sayable.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension Int64 {
    fileprivate init(saturating number: Double) {
        self = Int64(exactly: number) ?? (number > 0 ? .max : .min)
    }
}
