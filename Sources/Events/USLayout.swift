// SPDX-License-Identifier: Apache-2.0

/// The keys of a US keyboard, for maps without a Latin group and formats that know only keycodes.
///
/// Keycodes of the alphanumeric block are the same under every XKB rules file. Each is the kernel's
/// code plus 8.
package enum USLayout {
    /// The first keycode of each row, and the ASCII characters of its keys without and with Shift.
    private static let rows: [(first: UInt8, plain: [UInt8], shifted: [UInt8])] = [
        (10, Array("1234567890-=".utf8), Array("!@#$%^&*()_+".utf8)),
        (24, Array("qwertyuiop[]".utf8), Array("QWERTYUIOP{}".utf8)),
        (38, Array("asdfghjkl;'`".utf8), Array("ASDFGHJKL:\"~".utf8)),
        (51, Array("\\zxcvbnm,./".utf8), Array("|ZXCVBNM<>?".utf8)),
    ]

    /// The keysym of a key under the given modifiers; nil outside the alphanumeric block.
    package static func keysym(_ keycode: UInt8, _ modifiers: Modifiers) -> UInt32? {
        guard let row = rows.last(where: { $0.first <= keycode }),
            keycode < row.first + UInt8(row.plain.count)
        else { return nil }
        let key = Int(keycode - row.first)
        let isLetter = (0x61...0x7A).contains(row.plain[key])
        let isShifted = modifiers.contains(.shift) != (isLetter && modifiers.contains(.lock))
        return UInt32(isShifted ? row.shifted[key] : row.plain[key])
    }

    /// The keycode that writes a keysym; nil if no key does.
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
