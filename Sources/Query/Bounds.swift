// SPDX-License-Identifier: Apache-2.0

import Events

/// The constraints of a query that limit which batches to open.
///
/// They never exclude a batch that holds a wanted row; SQLite checks every row again.
struct Bounds: Equatable {
    /// The comparisons that limit the batches; the raw values are the characters that `plan` uses.
    enum Comparison: UInt8 {
        case equal = 0x3D
        case atLeast = 0x3E
        case atMost = 0x3C
        case above = 0x7D
        case below = 0x7B
    }

    /// Wanted times in milliseconds since 1970, both bounds included.
    private(set) var moments: (lower: Int64, upper: Int64) = (.min, .max)
    /// Wanted sequence numbers of batches, both bounds included.
    private(set) var batches: (lower: Int64, upper: Int64) = (.min, .max)

    static func == (left: Bounds, right: Bounds) -> Bool {
        left.moments == right.moments && left.batches == right.batches
    }

    /// Adds one comparison of the query.
    mutating func narrow(_ bound: BoundColumn, _ comparison: Comparison, _ value: Cell) {
        // A comparison with NULL is never true.
        if value == .null { moments = (.max, .min) }
        switch bound {
        case .milliseconds: Self.narrow(&moments, comparison, Self.whole(value))
        case .batch: Self.narrow(&batches, comparison, Self.whole(value))
        case .text: Self.narrow(&moments, comparison, Self.moments(value))
        case .local:
            // The maximum difference between any local time and UTC.
            let most: Int64 = 26 * 3_600_000
            let range = Self.moments(value).map { (down: $0.down - most, up: $0.up + most) }
            Self.narrow(&moments, comparison, range)
        }
    }

    /// Whether a batch can hold a wanted row.
    ///
    /// - Parameters:
    ///   - batch: its sequence number.
    ///   - end: its end in milliseconds since 1970, rounded up to the minute.
    ///   - reach: the maximum milliseconds by which a row can precede the end.
    /// - Returns: false only when it cannot.
    func mayTouch(_ batch: Int64, end: Int64, reach: Int64) -> Bool {
        let (start, overflow) = end.subtractingReportingOverflow(reach)
        return batches.lower <= batch && batch <= batches.upper && moments.lower <= end
            && (overflow || start <= moments.upper)
    }

    /// Whether a row at a time can be wanted.
    func mayHold(_ moment: Int64) -> Bool { moments.lower <= moment && moment <= moments.upper }

    private static func narrow(
        _ range: inout (lower: Int64, upper: Int64),
        _ comparison: Comparison,
        _ value: (down: Int64, up: Int64)?
    ) {
        guard let value else { return }
        // Only a value that is exactly one moment can itself be excluded.
        let step: Int64 = value.down == value.up ? 1 : 0
        switch comparison {
        case .equal:
            range.lower = max(range.lower, value.down)
            range.upper = min(range.upper, value.up)
        case .atLeast: range.lower = max(range.lower, value.down)
        case .atMost: range.upper = min(range.upper, value.up)
        case .above:
            range.lower = max(range.lower, value.down == .max ? .max : value.down + step)
        case .below:
            range.upper = min(range.upper, value.up == .min ? .min : value.up - step)
        }
    }

    /// A number rounded down and up; nil for values that SQLite would convert first.
    private static func whole(_ value: Cell) -> (down: Int64, up: Int64)? {
        switch value {
        case .integer(let number): (number, number)
        case .real(let number):
            (Int64(saturating: number.rounded(.down)), Int64(saturating: number.rounded(.up)))
        case .null, .text, .bytes: nil
        }
    }

    /// The first moment that is not before a time in a query, and the last that is not after it.
    ///
    /// Any text is accepted, a time or the beginning of one. Moments and texts share one order
    /// (``MomentText``), so a binary search finds where the text belongs.
    private static func moments(_ value: Cell) -> (down: Int64, up: Int64)? {
        switch value {
        case .text(let text):
            let order = MomentText.order(Array(text.utf8))
            let down = first { !MomentText.order($0).lexicographicallyPrecedes(order) }
            let up = first { order.lexicographicallyPrecedes(MomentText.order($0)) }
            return (
                down == sayable.lowerBound ? beforeAll : down ?? afterAll,
                up.map { $0 == sayable.lowerBound ? beforeAll : $0 - 1 } ?? afterAll
            )
        // SQLite converts these to text of 15 digits before it compares.
        case .integer(let number): return moments(Double(number))
        case .real(let number): return moments(number)
        case .null, .bytes: return nil
        }
    }

    private static func moments(_ number: Double) -> (down: Int64, up: Int64)? {
        MomentText.milliseconds(number).map { ($0 - 1000, $0 + 1000) }
    }

    /// Values beyond all moments that can still be added to without overflow.
    private static let (beforeAll, afterAll): (Int64, Int64) = (.min / 2, .max / 2)

    /// The moments that have a text form: the years 0000 to 9999.
    private static let sayable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// Binary search for the first moment that satisfies a monotone predicate.
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
