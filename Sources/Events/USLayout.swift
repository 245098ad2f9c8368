// SPDX-License-Identifier: Apache-2.0

/// The places of a us keyboard: where a map has no Latin group, and where a format knows places only.
///
/// Keycodes of the alphanumeric block are the same under every set of rules of XKB, and 8 more than
/// the kernel's.
package enum USLayout {
    /// The first keycode of each row, and what its keys write without and with Shift.
    private static let rows: [(first: UInt8, plain: [UInt8], shifted: [UInt8])] = [
        (10, Array("1234567890-=".utf8), Array("!@#$%^&*()_+".utf8)),
        (24, Array("qwertyuiop[]".utf8), Array("QWERTYUIOP{}".utf8)),
        (38, Array("asdfghjkl;'`".utf8), Array("ASDFGHJKL:\"~".utf8)),
        (51, Array("\\zxcvbnm,./".utf8), Array("|ZXCVBNM<>?".utf8)),
    ]

    /// The keysym that a us keyboard has at a place; nil outside the alphanumeric block.
    package static func keysym(_ keycode: UInt8, _ modifiers: Modifiers) -> UInt32? {
        guard let row = rows.last(where: { $0.first <= keycode }),
            keycode < row.first + UInt8(row.plain.count)
        else { return nil }
        let key = Int(keycode - row.first)
        let isLetter = (0x61...0x7A).contains(row.plain[key])
        let isShifted = modifiers.contains(.shift) != (isLetter && modifiers.contains(.lock))
        return UInt32(isShifted ? row.shifted[key] : row.plain[key])
    }

    /// The place of a keysym; the inverse of ``keysym(_:_:)``.
    package static func keycode(_ keysym: UInt32) -> UInt8? {
        guard let byte = UInt8(exactly: keysym) else { return nil }
        for row in rows {
            if let key = row.plain.firstIndex(of: byte) ?? row.shifted.firstIndex(of: byte) {
                return row.first + UInt8(key)
            }
        }
        return nil
    }
}
