// SPDX-License-Identifier: Apache-2.0

package import Events

/// A keysym and the shift level of the key that produced it.
package struct WantedKey: Hashable, Sendable, Redacted {
    /// The X keysym that the key produced.
    package let keysym: UInt32
    /// 0 without modifiers, 1 with Shift, 2 with AltGr, 3 with both.
    let level: Int
    /// Whether Caps Lock was on, which may have chosen the other of two cases.
    let isLocked: Bool

    /// Derives the level from the modifiers.
    ///
    /// - Parameters:
    ///   - keysym: the X keysym that the key produced.
    ///   - modifiers: those in force at that time.
    package init(_ keysym: UInt32, _ modifiers: Modifiers) {
        self.keysym = keysym
        var level = modifiers.contains(.shift) ? 1 : 0
        // On the numeric keypad, NumLock and Shift cancel each other.
        if (0xFF80...0xFFBD).contains(keysym), modifiers.contains(.numLock) { level ^= 1 }
        self.level = level + (modifiers.contains(.level3) ? 2 : 0)
        isLocked = modifiers.contains(.lock)
    }
}

/// A display's core keyboard mapping (GetKeyboardMapping): which key gives which keysym.
package struct KeyMap {
    private let first: UInt8
    /// The keysyms of each keycode from `first` on: two of group 1, two of group 2, two of AltGr.
    private let keys: [[UInt32]]

    /// Splits the server's reply into keycodes.
    ///
    /// - Parameters:
    ///   - first: the lowest keycode.
    ///   - width: the number of keysyms per keycode.
    ///   - keysyms: those of all keycodes in order; 0 is NoSymbol.
    package init(first: UInt8, width: Int, keysyms: [UInt32]) {
        self.first = first
        let width = max(width, 1)
        keys = stride(from: 0, to: keysyms.count - width + 1, by: width).map {
            Array(keysyms[$0..<$0 + width])
        }
    }

    /// The keycodes without any keysym.
    package var spares: [UInt8] {
        keys.indices.filter { keys[$0].allSatisfy { $0 == 0 } }.map { first + UInt8($0) }
    }

    /// Finds the lowest keycode that gives a keysym at its level.
    ///
    /// - Parameter wanted: the keysym and the level.
    /// - Returns: a keycode; nil when there is none.
    package func keycode(for wanted: WantedKey) -> UInt8? {
        let levels = wanted.isLocked ? [wanted.level, wanted.level ^ 1] : [wanted.level]
        for level in levels {
            let index = keys.firstIndex { Self.keysym(of: $0, at: level) == wanted.keysym }
            if let index { return first + UInt8(index) }
        }
        return nil
    }

    /// Finds the lowest keycode that has a keysym at any level.
    ///
    /// - Parameter keysym: an X keysym.
    /// - Returns: a keycode; nil when there is none.
    package func keycode(holding keysym: UInt32) -> UInt8? {
        keys.firstIndex { $0.contains(keysym) }.map { first + UInt8($0) }
    }

    /// The keysym of a key at a level; a key without that level uses the one below.
    private static func keysym(of key: [UInt32], at level: Int) -> UInt32 {
        let third = level >= 2 && key.count > 4 && key[4] != 0
        let base = third ? 4 : 0
        let shifted = base + (level & 1)
        if shifted < key.count, key[shifted] != 0 { return key[shifted] }
        return key[base]
    }
}
