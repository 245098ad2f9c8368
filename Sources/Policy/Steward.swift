// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import System

/// A person who decides about exemptions, identified by an Ed25519 key.
package struct Steward: Hashable, Sendable {
    /// The name in the policy, at most 200 characters.
    package let name: String
    /// The key that verifies their decisions.
    package let key: StewardKey

    package init(name: String, key: StewardKey) {
        self.name = name
        self.key = key
    }
}

/// The public half of an Ed25519 key (RFC 8032).
package struct StewardKey: Hashable, Sendable {
    /// 32 bytes, the encoded point.
    package let bytes: [UInt8]

    /// The key as 64 lowercase hexadecimal digits.
    package var text: String {
        Hex.encode(bytes)
    }

    /// Takes 32 bytes; nil for an invalid key.
    ///
    /// Non-canonical encodings are invalid, because a point must have only one. So are points of
    /// small order, under which one signature is valid for every message.
    ///
    /// - Parameter bytes: the encoded point.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        // The sign bit of x does not matter here; the rest is y.
        var y = bytes
        y[31] &= 0x7F
        guard Self.isBelowPrime(y), !Self.smallOrders.contains(y) else { return nil }
        self.bytes = bytes
    }

    /// Parses the text form; nil for anything else.
    ///
    /// - Parameter text: 64 hexadecimal digits, or 44 characters of Base64.
    package init?(_ text: String) {
        let letters = Array(text.utf8)
        if letters.count == 64 {
            guard let bytes = Hex.decode(text) else { return nil }
            self.init(bytes: bytes)
        } else {
            // Compare the encoding again, because the decoder ignores unused bits.
            guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else {
                return nil
            }
            self.init(bytes: Array(data))
        }
    }

    /// Whether a little-endian number is below 2^255 − 19, the prime of the field.
    private static func isBelowPrime(_ y: [UInt8]) -> Bool {
        y[31] < 0x7F || y[1..<31].contains { $0 < 0xFF } || y[0] < 0xED
    }

    /// The y coordinates of the eight points whose order divides 8.
    private static let smallOrders: Set<[UInt8]> = {
        let zero = [UInt8](repeating: 0, count: 32)
        let one = [1] + zero.dropLast()
        let minusOne = [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        let eighth: [UInt8] = [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF,
            0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88,
            0x6D, 0x53, 0xFC, 0x05,
        ]
        // p − eighth.
        var other = [UInt8](repeating: 0, count: 32)
        var borrow = 0
        for index in 0..<32 {
            let prime = index == 0 ? 0xED : index == 31 ? 0x7F : 0xFF
            let difference = prime - Int(eighth[index]) - borrow
            borrow = difference < 0 ? 1 : 0
            other[index] = UInt8((difference + 256) % 256)
        }
        return [zero, one, minusOne, eighth, other]
    }()
}
