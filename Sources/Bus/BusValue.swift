// SPDX-License-Identifier: Apache-2.0

/// A value in the body of a message, with the types of the D-Bus specification.
package indirect enum BusValue: Equatable, Sendable {
    /// A number, a boolean or the index of a descriptor, by its type's code and its bits.
    case number(Character, UInt64)
    /// A string (`s`), the path of an object (`o`), or a signature (`g`).
    case text(Character, String)
    /// Values of one type, whose signature is needed where there are none.
    case array(of: String, [BusValue])
    case record([BusValue])
    /// A key and its value, which occur only in an array.
    case entry(BusValue, BusValue)
    case variant(BusValue)

    /// Bytes of the types of numbers, by their codes.
    static let sizes: [Character: Int] = [
        "y": 1, "n": 2, "q": 2, "b": 4, "i": 4, "u": 4, "h": 4, "x": 8, "t": 8, "d": 8,
    ]

    /// A byte, `y`.
    package static func byte(_ value: UInt8) -> Self { .number("y", UInt64(value)) }
    /// A boolean, `b`.
    package static func boolean(_ value: Bool) -> Self { .number("b", value ? 1 : 0) }
    /// An unsigned number, `u`.
    package static func uint32(_ value: UInt32) -> Self { .number("u", UInt64(value)) }
    /// A signed number, `i`.
    package static func int32(_ value: Int32) -> Self {
        .number("i", UInt64(UInt32(bitPattern: value)))
    }
    /// A string, `s`.
    package static func string(_ value: String) -> Self { .text("s", value) }
    /// The path of an object, `o`, such as `/org/freedesktop/login1`.
    package static func path(_ value: String) -> Self { .text("o", value) }
    /// A list of types, `g`, such as `a{sv}`.
    package static func signature(_ value: String) -> Self { .text("g", value) }
    /// An array of strings, `as`.
    package static func strings(_ texts: [String]) -> Self {
        .array(of: "s", texts.map { .string($0) })
    }
    /// A dictionary from strings to variants, `a{sv}`.
    ///
    /// - Parameter fields: The keys and the values, which are not variants yet.
    /// - Returns: The array of entries, in the given order.
    package static func dictionary(_ fields: [(String, BusValue)]) -> Self {
        .array(of: "{sv}", fields.map { .entry(.string($0.0), .variant($0.1)) })
    }

    /// The signature of the value's type.
    package var type: String {
        switch self {
        case .number(let code, _), .text(let code, _): String(code)
        case .array(let element, _): "a" + element
        case .record(let fields): "(" + fields.map(\.type).joined() + ")"
        case .entry(let key, let value): "{" + key.type + value.type + "}"
        case .variant: "v"
        }
    }
}

extension BusValue {
    /// The text of a string, a path or a signature; nil for another type.
    package var text: String? { if case .text(_, let text) = self { text } else { nil } }

    /// The value of a boolean; nil for another type.
    package var flag: Bool? { if case .number("b", let bits) = self { bits == 1 } else { nil } }

    /// The value of an integer of at most 32 bits; nil for another type.
    package var number: Int? {
        guard case .number(let code, let bits) = self else { return nil }
        return switch code {
        case "y", "q", "u", "h": Int(bits)
        case "n": Int(Int16(truncatingIfNeeded: bits))
        case "i": Int(Int32(truncatingIfNeeded: bits))
        default: nil
        }
    }

    /// The contents of an array or a record; empty for another type.
    package var elements: [BusValue] {
        switch self {
        case .array(_, let values), .record(let values): values
        default: []
        }
    }

    /// The value in a variant, and in variants within it; otherwise the value itself.
    package var content: BusValue {
        if case .variant(let value) = self { value.content } else { self }
    }

    /// The value for a key of a dictionary, out of its variant; nil if there is none.
    ///
    /// - Parameter key: A key that is a string.
    package subscript(key key: String) -> BusValue? {
        for case .entry(let name, let value) in elements where name.text == key {
            return value.content
        }
        return nil
    }
}
