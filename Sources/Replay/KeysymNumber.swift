// SPDX-License-Identifier: Apache-2.0

import Timeline

/// Parses the names of keysyms in an export.
enum KeysymNumber {
    /// The keysym of a name, the inverse of `KeysymName.of`; nil for an unknown name.
    static func of(_ name: String) -> UInt32? {
        if let keysym = KeysymName.numbers[name] { return keysym }
        if name.hasPrefix("0x") { return UInt32(name.dropFirst(2), radix: 16) }
        guard name.hasPrefix("U"), let scalar = UInt32(name.dropFirst(), radix: 16) else {
            return nil
        }
        return scalar < 0x100 ? scalar : 0x0100_0000 + scalar
    }
}
