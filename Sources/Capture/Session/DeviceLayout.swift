// SPDX-License-Identifier: Apache-2.0

import Events

/// What the keys of one device stand for: its map as it was read, with what follows from it.
struct DeviceLayout {
    private let map: KeyboardMap
    /// What each of the eight modifier bits of the protocol does under this map.
    private let roles: [Modifiers]
    /// Which of the four groups write Latin letters.
    private let latinGroups: [Bool]

    init(_ map: KeyboardMap) {
        self.map = map
        roles = Self.roles(map.modifierKeysyms())
        latinGroups = (0..<4).map { Self.isLatin(group: $0, map) }
    }

    /// The key as the layout names it, by table look-up in memory.
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

    /// The keysym by which a command knows the key; 0 where the modifiers in force write text.
    ///
    /// Toolkits look a key up in the first Latin group when the group in force is not Latin, and
    /// many fall back on the us position when there is none: so Ctrl+C is `c` on every layout.
    private func shortcut(
        _ keycode: UInt8,
        _ typed: KeyTranslation,
        _ held: X11Event.HeldModifiers,
        _ modifiers: Modifiers
    ) -> UInt32 {
        // Input methods compose dead keys whatever else is held.
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

    /// Whether Shift and locks alone chose the level: where AltGr, or Ctrl and Alt in its stead, or
    /// a modifier of no known meaning had a part in it, the key writes text.
    private func isPlain(_ key: KeyTranslation) -> Bool {
        (0..<8).allSatisfy { bit in
            key.chosenBy & (1 << bit) == 0 || bit < 2 || roles[bit] == .numLock
        }
    }

    /// Whether the larger part of the Latin alphabet is on the keys of a group: some Latin layouts
    /// lack q, w, x or y, the others have next to none.
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

    /// The meaning of the modifier bits, from the keysyms on their keys.
    ///
    /// A bit that has a third-level key is AltGr and nothing else, for what is typed with it is text;
    /// a bit with a lock is no command, for it may be in force while text is typed.
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

/// What a key stands for, and the modifiers by which its level was chosen.
struct KeyTranslation: Redacted {
    /// 0 is none.
    var keysym: UInt32 = 0
    var chosenBy: UInt8 = 0
}
