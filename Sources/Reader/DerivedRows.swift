// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The plaintext of derived rows: a salt, their length, the rows, and zeros.
///
/// Without the salt the digest in the note, and without the zeros the size, would let everybody try
/// what is in small ones.
enum DerivedRows {
    private static let saltSize = 32
    private static let unit = 4096

    /// Adds what stands around rows.
    static func padded(_ rows: [UInt8]) -> [UInt8] {
        var bytes = Age.random(saltSize)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: UInt64(rows.count) >> UInt64(shift)))
        }
        bytes += rows
        let rest = bytes.count % unit
        return rest == 0 ? bytes : bytes + [UInt8](repeating: 0, count: unit - rest)
    }

    /// The rows; nil for anything else.
    static func rows(_ plaintext: [UInt8]) -> [UInt8]? {
        guard plaintext.count.isMultiple(of: unit), plaintext.count >= unit else { return nil }
        let length = plaintext[saltSize..<saltSize + 8].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        let room = plaintext.count - saltSize - 8
        guard length <= UInt64(room) else { return nil }
        let end = saltSize + 8 + Int(length)
        guard plaintext[end...].allSatisfy({ $0 == 0 }) else { return nil }
        return Array(plaintext[saltSize + 8..<end])
    }
}
