// SPDX-License-Identifier: Apache-2.0

/// Writes values as the little-endian wire format of D-Bus.
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    /// Appends zeros until the length is a multiple of a number.
    mutating func align(to size: Int) {
        while bytes.count % size != 0 { bytes.append(0) }
    }

    /// Appends bytes as they are.
    mutating func append(_ raw: [UInt8]) { bytes += raw }

    /// Replaces a number that was written before.
    mutating func replace(_ number: UInt32, at offset: Int) {
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index)))
        }
    }

    private mutating func append<Number: FixedWidthInteger>(number: Number) {
        let size = Number.bitWidth / 8
        align(to: size)
        for index in 0..<size {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(8 * index)))
        }
    }

    private mutating func append(text: String) {
        // A NUL would end the text for the reader.
        let text = Array(text.utf8.filter { $0 != 0 })
        append(number: UInt32(text.count))
        bytes += text + [0]
    }

    /// Appends a value with its alignment.
    mutating func append(_ value: BusValue) {
        switch value {
        case .byte(let number): bytes.append(number)
        case .boolean(let flag): append(number: UInt32(flag ? 1 : 0))
        case .int16(let number): append(number: UInt16(bitPattern: number))
        case .uint16(let number): append(number: number)
        case .int32(let number): append(number: UInt32(bitPattern: number))
        case .uint32(let number), .descriptor(let number): append(number: number)
        case .int64(let number): append(number: UInt64(bitPattern: number))
        case .uint64(let number): append(number: number)
        case .double(let number): append(number: number.bitPattern)
        case .string(let text), .path(let text): append(text: text)
        case .signature(let text): append(signature: text)
        case .variant(let inner):
            append(signature: inner.type)
            append(inner)
        case .record(let fields):
            align(to: 8)
            for field in fields { append(field) }
        case .entry(let key, let value):
            align(to: 8)
            append(key)
            append(value)
        case .array(let element, let values):
            append(number: UInt32(0))
            let length = bytes.count - 4
            align(to: BusReader.alignment(of: element.utf8.first ?? 0))
            let start = bytes.count
            for value in values { append(value) }
            replace(UInt32(bytes.count - start), at: length)
        }
    }

    private mutating func append(signature text: String) {
        let text = Array(text.utf8.prefix(255))
        bytes += [UInt8(text.count)] + text + [0]
    }
}
