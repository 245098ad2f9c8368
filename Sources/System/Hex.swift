// SPDX-License-Identifier: Apache-2.0

/// Hexadecimal encoding of bytes.
package enum Hex {
    /// Encodes bytes as two lower-case digits each.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// Decodes pairs of digits, upper or lower case; nil for anything else.
    package static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { letter in
            letter < 0x80 ? Character(Unicode.Scalar(letter)).hexDigitValue : nil
        }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
