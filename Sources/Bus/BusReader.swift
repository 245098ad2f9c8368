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
        (self.bytes, self.isBigEndian, self.offset) = (bytes, isBigEndian, offset)
    }

    /// The alignment of a type by the first code of its signature, in bytes.
    static func alignment(of code: Character?) -> Int {
        switch code {
        case "s", "o", "a": 4
        case "(", "{": 8
        default: code.flatMap { BusValue.sizes[$0] } ?? 1
        }
    }

    /// Skips padding, which must be zeros.
    mutating func align(to size: Int) throws(BusError) {
        while offset % size != 0 {
            guard offset < bytes.count, bytes[offset] == 0 else { throw BusError(.malformed) }
            offset += 1
        }
    }

    private mutating func number(_ size: Int) throws(BusError) -> UInt64 {
        try align(to: size)
        guard bytes.count - offset >= size else { throw BusError(.malformed) }
        defer { offset += size }
        let part = bytes[offset..<offset + size]
        return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads a text, which has the given length and a NUL behind it.
    private mutating func text(_ length: Int) throws(BusError) -> String {
        guard length < bytes.count - offset, bytes[offset + length] == 0 else {
            throw BusError(.malformed)
        }
        let content = bytes[offset..<offset + length]
        guard !content.contains(0), let text = String(validating: content, as: UTF8.self) else {
            throw BusError(.malformed)
        }
        offset += length + 1
        return text
    }

    /// Reads the values of a signature.
    ///
    /// - Parameter signature: Complete types, one after the other.
    /// - Returns: A value for each type.
    /// - Throws: ``BusError`` `malformed`.
    mutating func values(_ signature: String) throws(BusError) -> [BusValue] {
        var types = Array(signature)[...]
        var values: [BusValue] = []
        while !types.isEmpty { values.append(try value(&types, depth: 0)) }
        return values
    }

    /// Removes the first complete type of a signature.
    private static func take(
        _ types: inout ArraySlice<Character>,
        depth: Int
    ) throws(BusError) -> ArraySlice<Character> {
        guard let first = types.first, depth <= maxDepth else { throw BusError(.malformed) }
        var rest = types.dropFirst()
        switch first {
        case "a": _ = try take(&rest, depth: depth + 1)
        case "(", "{":
            let end: Character = first == "(" ? ")" : "}"
            var count = 0
            while rest.first != end || count == 0 {
                _ = try take(&rest, depth: depth + 1)
                count += 1
            }
            guard first == "(" || count == 2 else { throw BusError(.malformed) }
            rest.removeFirst()
        case "s", "o", "g", "v": break
        default: guard BusValue.sizes[first] != nil else { throw BusError(.malformed) }
        }
        defer { types = rest }
        return types[types.startIndex..<rest.startIndex]
    }

    /// Reads a value of the first type of a signature, and removes the type.
    private mutating func value(
        _ types: inout ArraySlice<Character>,
        depth: Int
    ) throws(BusError) -> BusValue {
        let type = try Self.take(&types, depth: depth)
        guard let first = type.first, depth < Self.maxDepth else { throw BusError(.malformed) }
        var inner = type.dropFirst()
        switch first {
        case "s", "o": return .text(first, try text(Int(try number(4))))
        case "g": return .text(first, try text(Int(try number(1))))
        case "v":
            var content = Array(try text(Int(try number(1))))[...]
            let value = try value(&content, depth: depth + 1)
            guard content.isEmpty else { throw BusError(.malformed) }
            return .variant(value)
        case "a": return try array(inner, depth: depth)
        case "(", "{":
            try align(to: 8)
            inner.removeLast()
            var fields: [BusValue] = []
            while !inner.isEmpty { fields.append(try value(&inner, depth: depth + 1)) }
            return first == "(" ? .record(fields) : .entry(fields[0], fields[1])
        default:
            let bits = try number(BusValue.sizes[first] ?? 1)
            guard first != "b" || bits <= 1 else { throw BusError(.malformed) }
            return .number(first, bits)
        }
    }

    private mutating func array(
        _ element: ArraySlice<Character>,
        depth: Int
    ) throws(BusError) -> BusValue {
        let length = Int(try number(4))
        try align(to: Self.alignment(of: element.first))
        guard length <= bytes.count - offset else { throw BusError(.malformed) }
        let end = offset + length
        var values: [BusValue] = []
        while offset < end {
            var types = element
            values.append(try value(&types, depth: depth + 1))
        }
        guard offset == end else { throw BusError(.malformed) }
        return .array(of: String(element), values)
    }
}
