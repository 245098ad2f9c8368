// SPDX-License-Identifier: Apache-2.0

/// The names that pynput gives to keys: the character, or the name of a key without one.
enum PynputName {
    /// The name of a keysym; nil when pynput has none.
    static func of(_ keysym: UInt32) -> String? {
        if let name = named[keysym] { return name }
        let scalar: UInt32
        switch keysym {
        case 0x21...0x7E, 0xA0...0xFF: scalar = keysym
        case 0x0100_0100...0x0110_FFFF: scalar = keysym & 0xFF_FFFF
        case 0xFFB0...0xFFB9: scalar = keysym - 0xFFB0 + 0x30
        // * + , - . / of the numeric keypad.
        case 0xFFAA...0xFFAF: scalar = keysym - 0xFFAA + 0x2A
        case 0xFFBE...0xFFD1: return "f\(keysym - 0xFFBD)"
        default: return nil
        }
        return Unicode.Scalar(scalar).map { String($0) }
    }

    /// The name of a button of the core protocol.
    static func button(_ number: UInt8) -> String {
        switch number {
        case 1: "left"
        case 2: "middle"
        case 3: "right"
        default: "button\(number)"
        }
    }

    private static let named: [UInt32: String] = [
        0x20: "space", 0xFF08: "backspace", 0xFF09: "tab", 0xFE20: "tab", 0xFF0D: "enter",
        0xFF8D: "enter", 0xFF13: "pause", 0xFF14: "scroll_lock", 0xFF1B: "esc", 0xFFFF: "delete",
        0xFF50: "home", 0xFF51: "left", 0xFF52: "up", 0xFF53: "right", 0xFF54: "down",
        0xFF55: "page_up", 0xFF56: "page_down", 0xFF57: "end", 0xFF61: "print_screen",
        0xFF63: "insert", 0xFF67: "menu", 0xFF7E: "alt_gr", 0xFE03: "alt_gr", 0xFF7F: "num_lock",
        0xFFE1: "shift", 0xFFE2: "shift_r", 0xFFE3: "ctrl", 0xFFE4: "ctrl_r",
        0xFFE5: "caps_lock", 0xFFE9: "alt", 0xFFE7: "alt", 0xFFEA: "alt_r", 0xFFE8: "alt_r",
        0xFFEB: "cmd", 0xFFEC: "cmd_r", 0xFF95: "home", 0xFF96: "left", 0xFF97: "up",
        0xFF98: "right", 0xFF99: "down", 0xFF9A: "page_up", 0xFF9B: "page_down", 0xFF9C: "end",
        0xFF9E: "insert", 0xFF9F: "delete", 0xFFBD: "=", 0x1008_FF11: "media_volume_down",
        0x1008_FF12: "media_volume_mute", 0x1008_FF13: "media_volume_up",
        0x1008_FF14: "media_play_pause", 0x1008_FF16: "media_previous",
        0x1008_FF17: "media_next",
    ]
}
