// SPDX-License-Identifier: Apache-2.0

package import Events

/// A keysym and the level of the key on which it was found.
package struct WantedKey: Hashable, Sendable, Redacted {
    package let keysym: UInt32
    /// 0 plain, 1 with Shift, 2 with AltGr, 3 with both.
    let level: Int
    /// Whether Caps Lock may have chosen the other of two cases.
    let isLocked: Bool

    /// - Parameters:
    ///   - keysym: what the key stood for.
    ///   - modifiers: those in force then.
    package init(_ keysym: UInt32, _ modifiers: Modifiers) {
        self.keysym = keysym
        var level = modifiers.contains(.shift) ? 1 : 0
        // On the numeric block NumLock and Shift undo each other.
        if (0xFF80...0xFFBD).contains(keysym), modifiers.contains(.numLock) { level ^= 1 }
        self.level = level + (modifiers.contains(.level3) ? 2 : 0)
        isLocked = modifiers.contains(.lock)
    }
}

/// Which key of a display gives which keysym, as its core keyboard map tells.
package struct KeyMap {
    private let first: UInt8
    /// The keysyms of each keycode from the first on: group 1, group 2, then group 1 with AltGr.
    private let keys: [[UInt32]]

    /// - Parameters:
    ///   - first: the lowest keycode.
    ///   - width: how many keysyms a keycode has.
    ///   - keysyms: of all keycodes.
    package init(first: UInt8, width: Int, keysyms: [UInt32]) {
        self.first = first
        let width = max(width, 1)
        keys = stride(from: 0, to: keysyms.count - width + 1, by: width).map {
            Array(keysyms[$0..<$0 + width])
        }
    }

    /// The keycodes that stand for nothing.
    package var spares: [UInt8] {
        keys.indices.filter { keys[$0].allSatisfy { $0 == 0 } }.map { first + UInt8($0) }
    }

    /// The lowest key that gives a keysym at its level, or nil where there is none.
    package func keycode(for wanted: WantedKey) -> UInt8? {
        let levels = wanted.isLocked ? [wanted.level, wanted.level ^ 1] : [wanted.level]
        for level in levels {
            let index = keys.firstIndex { Self.keysym(of: $0, at: level) == wanted.keysym }
            if let index { return first + UInt8(index) }
        }
        return nil
    }

    /// The lowest key that has a keysym at any level.
    package func keycode(holding keysym: UInt32) -> UInt8? {
        keys.firstIndex { $0.contains(keysym) }.map { first + UInt8($0) }
    }

    /// What a key gives at a level: one that lacks the level gives what it has below.
    private static func keysym(of key: [UInt32], at level: Int) -> UInt32 {
        let third = level >= 2 && key.count > 4 && key[4] != 0
        let base = third ? 4 : 0
        let shifted = base + (level & 1)
        if shifted < key.count, key[shifted] != 0 { return key[shifted] }
        return key[base]
    }
}
