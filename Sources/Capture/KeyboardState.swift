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
    private var mapIsStale = false

    init() {}

    init(_ connection: X11Connection) throws(CaptureError) {
        (modifiers, group) = try connection.followKeyboard()
        roles = Self.roles(connection.modifierKeysyms())
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
            roles = Self.roles(connection.modifierKeysyms())
        }
        let keysym = connection.keysym(keycode: keycode, modifiers: modifiers, group: group)
        return RawEvent.Key(
            keycode: keycode,
            isDown: isDown,
            keyClass: KeyClass(keysym: keysym),
            modifiers: effectiveModifiers,
            keysym: keysym
        )
    }

    private var effectiveModifiers: Modifiers {
        var result: Modifiers = []
        for bit in 0..<8 where modifiers & (1 << bit) != 0 { result.formUnion(roles[bit]) }
        return result
    }

    /// The meaning of the modifier bits, from the keysyms on their keys.
    ///
    /// A bit that has a third-level key is AltGr and nothing else, for what is typed with it is text.
    static func roles(_ keysyms: [[UInt32]]) -> [Modifiers] {
        (0..<8).map { bit in
            switch bit {
            case 0: return .shift
            case 1: return .lock
            case 2: return .control
            default: break
            }
            var role: Modifiers = []
            for keysym in bit < keysyms.count ? keysyms[bit] : [] {
                switch keysym {
                case 0xFFE7...0xFFEA: role.insert(.alt)  // Meta, Alt
                case 0xFFEB...0xFFEE: role.insert(.super)  // Super, Hyper
                case 0xFE03, 0xFE04, 0xFE05, 0xFE11, 0xFF7E: role.insert(.level3)
                case 0xFF7F: role.insert(.numLock)
                default: break
                }
            }
            return role.contains(.level3) ? .level3 : role
        }
    }
}
