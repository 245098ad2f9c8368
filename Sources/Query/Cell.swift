// SPDX-License-Identifier: Apache-2.0

import Events

/// One value of a row.
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
}
