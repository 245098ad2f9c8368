// SPDX-License-Identifier: Apache-2.0

/// Reads values of the wire format of D-Bus; whatever the bytes are, it only throws.
struct BusReader {
    private let bytes: [UInt8]
    private let isBigEndian: Bool
    private(set) var offset: Int

    /// The maximum number of containers within each other, variants included.
    private static let maxDepth = 32

    /// Reads from an offset on; alignment counts from the first byte.
    init(_ bytes: [UInt8], isBigEndian: Bool, at offset: Int = 0) {
        self.bytes = bytes
        self.isBigEndian = isBigEndian
        self.offset = offset
    }

    /// The alignment of a type by the first byte of its signature, in bytes.
    static func alignment(of type: UInt8) -> Int {
        switch Character(UnicodeScalar(type)) {
        case "n", "q": 2
        case "b", "i", "u", "s", "o", "a", "h": 4
        case "x", "t", "d", "(", "{": 8
        default: 1
        }
    }

    /// Skips padding, which must be zeros.
    mutating func align(to size: Int) throws(BusError) {
        while offset % size != 0 {
            guard offset < bytes.count, bytes[offset] == 0 else { throw BusError(.malformed) }
            offset += 1
        }
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type
    ) throws(BusError) -> Number {
        let size = Number.bitWidth / 8
        try align(to: size)
        guard bytes.count - offset >= size else { throw BusError(.malformed) }
        defer { offset += size }
        return (0..<size).reduce(0) { sum, index in
            let place = isBigEndian ? size - 1 - index : index
            return sum | Number(bytes[offset + index]) << Number(8 * place)
        }
    }

    private mutating func text(_ length: Int) throws(BusError) -> String {
        // The terminating NUL is not part of the length.
        guard length >= 0, length < bytes.count - offset, bytes[offset + length] == 0 else {
            throw BusError(.malformed)
        }
        let content = bytes[offset..<offset + length]
        guard !content.contains(0), let text = String(validating: content, as: UTF8.self) else {
            throw BusError(.malformed)
        }
        offset += length + 1
        return text
    }

    private mutating func signature() throws(BusError) -> String {
        guard offset < bytes.count else { throw BusError(.malformed) }
        offset += 1
        return try text(Int(bytes[offset - 1]))
    }

    /// Reads the values of a signature.
    ///
    /// - Parameter signature: Complete types, one after the other.
    /// - Returns: A value for each type.
    /// - Throws: ``BusError`` `malformed`.
    mutating func values(_ signature: String) throws(BusError) -> [BusValue] {
        var types = Array(signature.utf8)[...]
        var values: [BusValue] = []
        while !types.isEmpty { values.append(try value(&types, depth: 0)) }
        return values
    }

    /// Removes the first complete type of a signature.
    private static func take(
        _ types: inout ArraySlice<UInt8>,
        depth: Int
    ) throws(BusError) -> ArraySlice<UInt8> {
        guard let first = types.first, depth <= maxDepth else { throw BusError(.malformed) }
        var rest = types.dropFirst()
        switch Character(UnicodeScalar(first)) {
        case "a": _ = try take(&rest, depth: depth + 1)
        case "(":
            repeat { _ = try take(&rest, depth: depth + 1) } while rest.first != UInt8(ascii: ")")
            rest.removeFirst()
        case "{":
            for _ in 0..<2 { _ = try take(&rest, depth: depth + 1) }
            guard rest.first == UInt8(ascii: "}") else { throw BusError(.malformed) }
            rest.removeFirst()
        case "y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g", "h", "v": break
        default: throw BusError(.malformed)
        }
        defer { types = rest }
        return types[types.startIndex..<rest.startIndex]
    }

    /// Reads a value of the first type of a signature, and removes the type.
    private mutating func value(
        _ types: inout ArraySlice<UInt8>,
        depth: Int
    ) throws(BusError) -> BusValue {
        let type = try Self.take(&types, depth: depth)
        guard let first = type.first, depth < Self.maxDepth else { throw BusError(.malformed) }
        var inner = type.dropFirst()
        switch Character(UnicodeScalar(first)) {
        case "y":
            guard offset < bytes.count else { throw BusError(.malformed) }
            offset += 1
            return .byte(bytes[offset - 1])
        case "b":
            let number = try number(UInt32.self)
            guard number <= 1 else { throw BusError(.malformed) }
            return .boolean(number == 1)
        case "n": return .int16(Int16(bitPattern: try number(UInt16.self)))
        case "q": return .uint16(try number(UInt16.self))
        case "i": return .int32(Int32(bitPattern: try number(UInt32.self)))
        case "u": return .uint32(try number(UInt32.self))
        case "h": return .descriptor(try number(UInt32.self))
        case "x": return .int64(Int64(bitPattern: try number(UInt64.self)))
        case "t": return .uint64(try number(UInt64.self))
        case "d": return .double(Double(bitPattern: try number(UInt64.self)))
        case "s": return .string(try text(Int(try number(UInt32.self))))
        case "o": return .path(try text(Int(try number(UInt32.self))))
        case "g": return .signature(try signature())
        case "v":
            var content = Array(try signature().utf8)[...]
            let value = try value(&content, depth: depth + 1)
            guard content.isEmpty else { throw BusError(.malformed) }
            return .variant(value)
        case "a": return try array(inner, depth: depth)
        case "(":
            try align(to: 8)
            inner.removeLast()
            var fields: [BusValue] = []
            while !inner.isEmpty { fields.append(try value(&inner, depth: depth + 1)) }
            return .record(fields)
        case "{":
            try align(to: 8)
            inner.removeLast()
            let key = try value(&inner, depth: depth + 1)
            return .entry(key, try value(&inner, depth: depth + 1))
        default: throw BusError(.malformed)
        }
    }

    private mutating func array(
        _ element: ArraySlice<UInt8>,
        depth: Int
    ) throws(BusError) -> BusValue {
        let length = Int(try number(UInt32.self))
        try align(to: Self.alignment(of: element.first ?? 0))
        guard length <= bytes.count - offset else { throw BusError(.malformed) }
        let end = offset + length
        var values: [BusValue] = []
        while offset < end {
            var types = element
            values.append(try value(&types, depth: depth + 1))
        }
        guard offset == end else { throw BusError(.malformed) }
        return .array(of: String(decoding: element, as: UTF8.self), values)
    }
}
