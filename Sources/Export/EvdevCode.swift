// SPDX-License-Identifier: Apache-2.0

import Events

/// The kernel's event types (EV_SYN, EV_KEY, EV_REL, EV_ABS).
enum EvdevType {
    static let (synchronization, key, relative, absolute): (UInt16, UInt16, UInt16, UInt16) =
        (0, 1, 2, 3)
}

/// The kernel's codes of keys and buttons (`linux/input-event-codes.h`), as far as X11 reports
/// them.
///
/// A recording holds the keysym of a key and not its position, so the code is that of a US
/// keyboard.
enum EvdevCode {
    /// KEY_A, for a key of which only its class is known, as in libinput's own recordings.
    static let hidden: UInt16 = 30
    /// KEY_UNKNOWN, for a key that a US keyboard does not have.
    static let unknown: UInt16 = 240
    /// BTN_LEFT, the first of the mouse's buttons.
    static let leftButton: UInt16 = 272

    /// The code of the key that has a keysym on a US keyboard; nil when there is none.
    static func key(_ keysym: UInt32) -> UInt16? {
        if let keycode = USLayout.keycode(keysym) { return UInt16(keycode - 8) }
        return others[keysym]
    }

    /// The code of a button of the core protocol, in which a mouse's side buttons begin at 8.
    static func button(_ number: UInt8) -> UInt16 {
        switch number {
        case 1: leftButton
        case 2: leftButton + 2
        case 3: leftButton + 1
        case 8...12: leftButton + 3 + UInt16(number - 8)
        // BTN_0 and the following, for buttons that have no name on a mouse.
        default: 0x100 + UInt16(number % 10)
        }
    }

    /// The codes of all keys that a recording can contain.
    static let keys: [UInt16] = {
        let block = (UInt8(10)...62).compactMap { USLayout.keysym($0, []) == nil ? nil : $0 - 8 }
        return Set(block.map { UInt16($0) } + Array(others.values) + [unknown]).sorted()
    }()

    /// The codes of all buttons that a recording can contain.
    static let buttons: [UInt16] = Set((UInt8(1)...255).map { button($0) }).sorted()

    private static let others: [UInt32: UInt16] = {
        var codes: [UInt32: UInt16] = [
            0x20: 57, 0xFF1B: 1, 0xFF08: 14, 0xFF09: 15, 0xFE20: 15, 0xFF0D: 28, 0xFF8D: 96,
            // Modifiers and locks.
            0xFFE3: 29, 0xFFE4: 97, 0xFFE1: 42, 0xFFE2: 54, 0xFFE9: 56, 0xFFE7: 56, 0xFFEA: 100,
            0xFFE8: 100, 0xFE03: 100, 0xFF7E: 100, 0xFFEB: 125, 0xFFEC: 126, 0xFFE5: 58,
            0xFF7F: 69, 0xFF14: 70,
            // Navigation and editing.
            0xFF50: 102, 0xFF52: 103, 0xFF55: 104, 0xFF51: 105, 0xFF53: 106, 0xFF57: 107,
            0xFF54: 108, 0xFF56: 109, 0xFF63: 110, 0xFFFF: 111, 0xFF61: 99, 0xFF15: 99,
            0xFF13: 119, 0xFF67: 127, 0xFF66: 129, 0xFF65: 131, 0xFF68: 136, 0xFF6A: 138,
            // The numeric keypad's signs, and its decimal point under both names.
            0xFFAA: 55, 0xFFAD: 74, 0xFFAB: 78, 0xFFAE: 83, 0xFF9F: 83, 0xFFAF: 98, 0xFFBD: 117,
            0xFFAC: 121,
            // Media keys.
            0x1008_FF12: 113, 0x1008_FF11: 114, 0x1008_FF13: 115, 0x1008_FF17: 163,
            0x1008_FF14: 164, 0x1008_FF16: 165, 0x1008_FF15: 166, 0x1008_FF03: 224,
            0x1008_FF02: 225,
        ]
        // The numeric keypad from 0 to 9, and the functions of its keys without NumLock.
        let block: [UInt16] = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73]
        let moves: [UInt32] = [
            0xFF9E, 0xFF9C, 0xFF99, 0xFF9B, 0xFF96, 0xFF9D, 0xFF98, 0xFF95, 0xFF97, 0xFF9A,
        ]
        for digit in 0..<10 {
            codes[0xFFB0 + UInt32(digit)] = block[digit]
            codes[moves[digit]] = block[digit]
        }
        let functions = Array(UInt16(59)...68) + [87, 88] + Array(UInt16(183)...194)
        for (index, code) in functions.enumerated() { codes[0xFFBE + UInt32(index)] = code }
        return codes
    }()
}
