// SPDX-License-Identifier: Apache-2.0

/// Bech32 as age uses it for keys: BIP 173 without the limit of 90 characters.
package enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let generator: [UInt32] = [
        0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3,
    ]

    /// Encodes bytes as lower-case text behind a human-readable prefix.
    package static func encode(prefix: String, _ bytes: [UInt8]) -> String {
        let data = regroup(bytes, from: 8, to: 5, pad: true) ?? []
        let sum = checksum(expand(prefix) + data + [UInt8](repeating: 0, count: 6)) ^ 1
        let check = (0..<6).map { UInt8(sum >> (5 * (5 - $0)) & 31) }
        return prefix + "1"
            + String(decoding: (data + check).map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// Decodes a text with the given prefix.
    ///
    /// - Parameters:
    ///   - text: The text, all lower or all upper case.
    ///   - prefix: The expected human-readable prefix, in lower case.
    /// - Returns: The bytes; nil for another prefix, a wrong checksum, mixed case, or a character
    ///   outside ASCII. Swift's string comparison would accept the Kelvin sign as a K.
    package static func decode(_ text: String, prefix: String) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }),
            text == text.lowercased() || text == text.uppercased()
        else { return nil }
        let text = text.lowercased()
        guard let separator = text.lastIndex(of: "1"), text[..<separator] == prefix else {
            return nil
        }
        var values: [UInt8] = []
        for character in text[text.index(after: separator)...].utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            values.append(UInt8(value))
        }
        guard values.count >= 6, checksum(expand(prefix) + values) == 1 else { return nil }
        return regroup(Array(values.dropLast(6)), from: 5, to: 8, pad: false)
    }

    private static func expand(_ prefix: String) -> [UInt8] {
        prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
    }

    private static func checksum(_ values: [UInt8]) -> UInt32 {
        values.reduce(1) { sum, value in
            var next = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
            for bit in 0..<5 where sum >> (25 + UInt32(bit)) & 1 != 0 { next ^= generator[bit] }
            return next
        }
    }

    private static func regroup(_ bytes: [UInt8], from: Int, to: Int, pad: Bool) -> [UInt8]? {
        var (bits, count) = (0, 0)
        var result: [UInt8] = []
        for byte in bytes {
            bits = (bits << from | Int(byte)) & 0xFFF
            count += from
            while count >= to {
                count -= to
                result.append(UInt8(bits >> count & (1 << to - 1)))
            }
        }
        let rest = bits << (to - count) & (1 << to - 1)
        if pad {
            if count > 0 { result.append(UInt8(rest)) }
            return result
        }
        return count < from && rest == 0 ? result : nil
    }
}
