// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// One value of a row, in one of SQLite's storage classes.
package enum Cell: Equatable, Sendable, Redacted {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
}

extension Cell {
    init(_ number: some FixedWidthInteger) { self = .integer(Int64(clamping: number)) }

    init(_ time: WallTime) { self = .text(time.text) }

    /// The local time of a moment in SQLite's format with milliseconds: `2026-11-21 14:05:02.118`.
    init(local time: WallTime) {
        let local = LocalTime(time)
        let thousandths = ((time.milliseconds % 1000) + 1000) % 1000
        let fraction = String(1000 + thousandths).dropFirst()
        self = .text("\(local.date) \(local.clock):\(LocalTime.two(local.second)).\(fraction)")
    }
}
