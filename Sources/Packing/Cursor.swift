// SPDX-License-Identifier: Apache-2.0

import Events

/// A position in a byte string, from which numbers are read.
struct Cursor {
    private let bytes: [UInt8]
    private var next: Int
    private let end: Int
    /// The byte of the run that is being read, and how often it still comes.
    private var value: UInt8 = 0
    private var run: UInt64 = 0

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        (self.bytes, next, end) = (bytes, range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { run == 0 && next == end }
    var left: Int { end - next }

    mutating func byte() throws(PackingError) -> UInt8 {
        guard next < end else { throw PackingError(.badColumns) }
        defer { next += 1 }
        return bytes[next]
    }

    /// Reads the next byte of a column of runs.
    mutating func runByte() throws(PackingError) -> UInt8 {
        if run == 0 {
            value = try byte()
            run = try varint()
            guard run > 0 else { throw PackingError(.badColumns) }
        }
        run -= 1
        return value
    }

    mutating func varint() throws(PackingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || (shift == 63 && byte <= 1) else { throw PackingError(.badColumns) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    mutating func zigzag() throws(PackingError) -> Int64 {
        try varint().unzigzagged
    }

    /// Reads a signed number that fits 32 bits.
    mutating func int32() throws(PackingError) -> Int32 {
        guard let value = Int32(exactly: try zigzag()) else { throw PackingError(.badColumns) }
        return value
    }

    /// Reads axis values.
    mutating func axes() throws(PackingError) -> AxisValues {
        var values = AxisValues()
        let present = try byte()
        for axis in AxisValues.axes where present & 1 << UInt8(axis) != 0 {
            values[axis] = try int32()
        }
        return values
    }

    /// Reads a number that fits 16 bits.
    mutating func unsigned() throws(PackingError) -> UInt16 {
        guard let value = UInt16(exactly: try varint()) else { throw PackingError(.badColumns) }
        return value
    }

    /// Reads a signed number that fits 16 bits.
    mutating func signed() throws(PackingError) -> Int16 {
        guard let value = Int16(exactly: try zigzag()) else { throw PackingError(.badColumns) }
        return value
    }

    mutating func range() throws(PackingError) -> Range<Int> {
        guard let count = Int(exactly: try varint()), count <= left else {
            throw PackingError(.badColumns)
        }
        defer { next += count }
        return next..<next + count
    }

    mutating func text() throws(PackingError) -> String {
        let range = try range()
        return String(decoding: bytes[range], as: UTF8.self)
    }
}
