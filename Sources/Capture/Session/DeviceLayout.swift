// SPDX-License-Identifier: Apache-2.0

import Events

/// The layout of one device: its key map as it was read, and what follows from it.
struct DeviceLayout {
    private let map: KeyboardMap
    /// The role of each of the protocol's eight modifier bits under this map.
    private let roles: [Modifiers]
    /// Whether each of the four groups writes Latin letters.
    private let latinGroups: [Bool]

    init(_ map: KeyboardMap) {
        self.map = map
        roles = Self.roles(map.modifierKeysyms())
        latinGroups = (0..<4).map { Self.isLatin(group: $0, map) }
    }

    /// The key under this layout, by table lookup without a round trip.
    func key(_ keycode: UInt8, isDown: Bool, _ held: X11Event.HeldModifiers) -> RawEvent.Key {
        let typed = map.translate(
            keycode: keycode,
            modifiers: held.modifiers,
            group: held.group
        )
        let modifiers = meaning(of: held.modifiers)
        return RawEvent.Key(
            keycode: keycode,
            isDown: isDown,
            keyClass: KeyClass(keysym: typed.keysym),
            modifiers: modifiers,
            keysym: typed.keysym,
            shortcut: shortcut(keycode, typed, held, modifiers)
        )
    }

    /// The keysym that identifies the key in a command; 0 if the modifiers write text.
    ///
    /// Toolkits look a key up in the first Latin group if the active group is not Latin. Many fall
    /// back to the US layout if there is none. So Ctrl+C is `c` on every layout.
    private func shortcut(
        _ keycode: UInt8,
        _ typed: KeyTranslation,
        _ held: X11Event.HeldModifiers,
        _ modifiers: Modifiers
    ) -> UInt32 {
        // Input methods compose dead keys even while other modifiers are held.
        guard !modifiers.isDisjoint(with: .command), !modifiers.contains(.level3),
            isPlain(typed), !KeyClass.composes(typed.keysym)
        else { return 0 }
        if latinGroups[Int(held.group & 3)] { return typed.keysym }
        guard let latin = latinGroups.firstIndex(of: true) else {
            return USLayout.keysym(keycode, modifiers) ?? typed.keysym
        }
        let named = map.translate(
            keycode: keycode,
            modifiers: held.modifiers,
            group: UInt8(latin)
        )
        guard named.keysym != 0, isPlain(named), !KeyClass.composes(named.keysym) else {
            return typed.keysym
        }
        return named.keysym
    }

    /// Whether only Shift and locks chose the level.
    ///
    /// If AltGr, Ctrl+Alt in its place, or a modifier of unknown meaning took part, the key writes
    /// text.
    private func isPlain(_ key: KeyTranslation) -> Bool {
        (0..<8).allSatisfy { bit in
            key.chosenBy & (1 << bit) == 0 || bit < 2 || roles[bit] == .numLock
        }
    }

    /// Whether a group contains more than half of the Latin alphabet.
    ///
    /// Some Latin layouts lack q, w, x or y; other layouts have almost no Latin letters.
    private static func isLatin(group: UInt8, _ map: KeyboardMap) -> Bool {
        var letters: Set<UInt32> = []
        for keycode in UInt8(8)...255 {
            let key = map.translate(keycode: keycode, modifiers: 0, group: group)
            if (0x61...0x7A).contains(key.keysym) { letters.insert(key.keysym) }
        }
        return letters.count > 13
    }

    private func meaning(of modifiers: UInt8) -> Modifiers {
        var result: Modifiers = []
        for bit in 0..<8 where modifiers & (1 << bit) != 0 { result.formUnion(roles[bit]) }
        return result
    }

    /// The roles of the modifier bits, derived from the keysyms of their keys.
    ///
    /// A bit with a third-level key is AltGr only, because text is typed with it. A bit with a lock
    /// key is not a command modifier, because it may be active while text is typed.
    static func roles(_ keysyms: [[UInt32]]) -> [Modifiers] {
        (0..<8).map { bit in
            switch bit {
            case 0: return .shift
            case 1: return .lock
            case 2: return .control
            default: break
            }
            var role: Modifiers = []
            var locks = false
            for keysym in bit < keysyms.count ? keysyms[bit] : [] {
                switch keysym {
                case 0xFFE7...0xFFEA: role.insert(.alt)  // Meta, Alt
                case 0xFFEB...0xFFEE: role.insert(.super)  // Super, Hyper
                case 0xFE03, 0xFE04, 0xFE05, 0xFE11, 0xFF7E: role.insert(.level3)
                case 0xFF7F:
                    role.insert(.numLock)
                    locks = true
                case 0xFF14, 0xFFE5, 0xFFE6: locks = true  // Scroll, Caps and Shift Lock
                default: break
                }
            }
            if role.contains(.level3) { return .level3 }
            return locks ? role.subtracting(.command) : role
        }
    }
}

/// The keysym of a key and the modifiers that chose its level.
struct KeyTranslation: Redacted {
    /// The keysym; 0 for none.
    var keysym: UInt32 = 0
    var chosenBy: UInt8 = 0
}
