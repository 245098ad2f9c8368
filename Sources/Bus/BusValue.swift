// SPDX-License-Identifier: Apache-2.0

/// A value in the body of a message, with the types of the D-Bus specification.
package indirect enum BusValue: Equatable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    /// The path of an object, such as `/org/freedesktop/login1`.
    case path(String)
    /// A list of types, such as `a{sv}`.
    case signature(String)
    /// The index of a descriptor among those that came with the message.
    case descriptor(UInt32)
    /// Values of one type, whose signature is needed where there are none.
    case array(of: String, [BusValue])
    case record([BusValue])
    /// A key and its value, which occur only in an array.
    case entry(BusValue, BusValue)
    case variant(BusValue)

    /// The signature of the value's type.
    package var type: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .path: "o"
        case .signature: "g"
        case .descriptor: "h"
        case .array(let element, _): "a" + element
        case .record(let fields): "(" + fields.map(\.type).joined() + ")"
        case .entry(let key, let value): "{" + key.type + value.type + "}"
        case .variant: "v"
        }
    }

    /// A dictionary from strings to variants, `a{sv}`.
    ///
    /// - Parameter fields: The keys and the values, which are not variants yet.
    /// - Returns: The array of entries, in the given order.
    package static func dictionary(_ fields: [(String, BusValue)]) -> BusValue {
        .array(of: "{sv}", fields.map { .entry(.string($0.0), .variant($0.1)) })
    }

    /// An array of strings, `as`.
    package static func strings(_ texts: [String]) -> BusValue {
        .array(of: "s", texts.map { .string($0) })
    }
}

extension BusValue {
    /// The text of a string, a path or a signature; nil for another type.
    package var text: String? {
        switch self {
        case .string(let text), .path(let text), .signature(let text): text
        default: nil
        }
    }

    /// The value of a boolean; nil for another type.
    package var flag: Bool? {
        if case .boolean(let flag) = self { flag } else { nil }
    }

    /// The value of an integer of at most 32 bits; nil for another type.
    package var number: Int? {
        switch self {
        case .byte(let number): Int(number)
        case .int16(let number): Int(number)
        case .uint16(let number): Int(number)
        case .int32(let number): Int(number)
        case .uint32(let number), .descriptor(let number): Int(number)
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
