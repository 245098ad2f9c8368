// SPDX-License-Identifier: Apache-2.0

import Events

/// Names the keys: layout, group and modifiers in force, kept in memory only.
///
/// Modifiers come from the server's state notifications and never from presses and releases, for
/// a release may be withheld during a grab.
struct KeyboardState {
    private var modifiers: UInt8 = 0
    private var group: UInt8 = 0
    /// What each of the eight modifier bits of the protocol does under this map.
    private var roles = [Modifiers](repeating: [], count: 8)
    /// Which of the four groups write Latin letters.
    private var latinGroups = [Bool](repeating: false, count: 4)
    private var mapIsStale = false

    init() {}

    init(_ connection: X11Connection) throws(CaptureError) {
        (modifiers, group) = try connection.followKeyboard()
        learnMap(connection)
    }

    mutating func update(modifiers: UInt8, group: UInt8) {
        self.modifiers = modifiers
        self.group = group
    }

    /// Notes that the map changed; it is read again before the next key, once for many notices.
    mutating func mapDidChange() {
        mapIsStale = true
    }

    /// The key as the layout names it, by table look-up in memory.
    mutating func key(_ keycode: UInt8, isDown: Bool, _ connection: X11Connection) -> RawEvent.Key {
        if mapIsStale {
            mapIsStale = !connection.loadKeyboardMap()
            learnMap(connection)
        }
        let typed = connection.translate(keycode: keycode, modifiers: modifiers, group: group)
        return RawEvent.Key(
            keycode: keycode,
            isDown: isDown,
            keyClass: KeyClass(keysym: typed.keysym),
            modifiers: effectiveModifiers,
            keysym: typed.keysym,
            shortcut: shortcut(keycode, typed, connection)
        )
    }

    private mutating func learnMap(_ connection: X11Connection) {
        roles = Self.roles(connection.modifierKeysyms())
        latinGroups = (0..<4).map { Self.isLatin(group: $0, connection) }
    }

    /// The keysym by which a command knows the key; 0 where the modifiers in force write text.
    ///
    /// Toolkits look a key up in the first Latin group when the group in force is not Latin, and
    /// many fall back on the us position when there is none: so Ctrl+C is `c` on every layout.
    private func shortcut(
        _ keycode: UInt8,
        _ typed: KeyTranslation,
        _ connection: X11Connection
    ) -> UInt32 {
        let held = effectiveModifiers
        // Input methods compose dead keys whatever else is held.
        guard !held.isDisjoint(with: .command), !held.contains(.level3),
            isPlain(typed), !KeyClass.composes(typed.keysym)
        else { return 0 }
        if latinGroups[Int(group & 3)] { return typed.keysym }
        guard let latin = latinGroups.firstIndex(of: true) else {
            return USLayout.keysym(keycode, held) ?? typed.keysym
        }
        let named = connection.translate(
            keycode: keycode,
            modifiers: modifiers,
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
    private static func isLatin(group: UInt8, _ connection: X11Connection) -> Bool {
        var letters: Set<UInt32> = []
        for keycode in UInt8(8)...255 {
            let key = connection.translate(keycode: keycode, modifiers: 0, group: group)
            if (0x61...0x7A).contains(key.keysym) { letters.insert(key.keysym) }
        }
        return letters.count > 13
    }

    private var effectiveModifiers: Modifiers {
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
struct KeyTranslation {
    /// 0 is none.
    var keysym: UInt32 = 0
    var chosenBy: UInt8 = 0
}
