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

    private static func little(_ bits: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }

    /// Appends a value with its alignment.
    mutating func append(_ value: BusValue) {
        switch value {
        case .number(let code, let bits):
            let size = BusValue.sizes[code] ?? 1
            align(to: size)
            bytes += Self.little(bits, size)
        case .text(let code, let text):
            // A NUL would end the text for the reader.
            let text = Array(text.utf8.filter { $0 != 0 }.prefix(code == "g" ? 255 : .max))
            append(code == "g" ? .byte(UInt8(text.count)) : .uint32(UInt32(text.count)))
            bytes += text + [0]
        case .variant(let inner):
            append(.signature(inner.type))
            append(inner)
        case .record(let fields):
            align(to: 8)
            for field in fields { append(field) }
        case .entry(let key, let value): append(.record([key, value]))
        case .array(let element, let values):
            append(.uint32(0))
            let length = bytes.count - 4
            align(to: BusReader.alignment(of: element.first))
            let start = bytes.count
            for value in values { append(value) }
            let size = Self.little(UInt64(bytes.count - start), 4)
            bytes.replaceSubrange(length..<length + 4, with: size)
        }
    }
}
