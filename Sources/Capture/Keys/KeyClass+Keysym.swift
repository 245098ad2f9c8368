// SPDX-License-Identifier: Apache-2.0

import Events

extension KeyClass {
    /// Classifies a keysym (X11 protocol, appendix A; keysymdef.h; Unicode keysyms from
    /// 0x01000000).
    ///
    /// An unknown keysym that could write text gets a class whose identity is withheld.
    init(keysym: UInt32) {
        switch keysym {
        case 0x20, 0xA0: self = .space
        case 0x30...0x39: self = .digit
        case 0x21...0xFF: self = KeyClass(scalar: keysym)
        case 0x0100_0020...0x0110_FFFF: self = KeyClass(scalar: keysym & 0xFF_FFFF)
        case 0x100...0x20FF: self = KeyClass(legacy: keysym)
        case 0xFF80...0xFFBD: self = .keypad
        case 0xFF08, 0xFF09, 0xFF0A, 0xFF0B, 0xFF0D, 0xFF63, 0xFFFF, 0xFE20: self = .editing
        case 0xFF65, 0xFF66: self = .editing
        case 0xFF50...0xFF58, 0xFF68: self = .navigation
        case 0xFF13, 0xFF14, 0xFF15, 0xFF1B, 0xFF60...0xFF62, 0xFF67, 0xFF69...0xFF6B:
            self = .function
        case 0xFFBE...0xFFE0: self = .function
        case 0xFFE1...0xFFEE, 0xFF7E, 0xFF7F, 0xFE01...0xFE0F, 0xFE11...0xFE13: self = .modifier
        // XF86keysym.h names these kernel keys by number: dollar and euro, braille dots, and the
        // digits of phones and remote controls write text.
        case 0x1008_11B2, 0x1008_11B3, 0x1008_11F1...0x1008_11FA: self = .other
        case 0x1008_1200...0x1008_120F, 0x1008_126C, 0x1008_126D: self = .keypad
        case 0x1008_FE01...0x1008_FFFF, 0x1008_1000...0x1008_1FFF: self = .media
        default: self = Self.composes(keysym) ? .punctuation : .other
        }
    }

    /// Whether a keysym is a dead key or Compose, which write text together with the next key.
    static func composes(_ keysym: UInt32) -> Bool {
        switch keysym {
        case 0xFF20, 0xFE50...0xFE6F, 0xFE80...0xFE9F: true
        default: false
        }
    }

    /// Classifies the legacy character sets, from Latin 2 to Korean: letters except for those
    /// listed.
    private init(legacy keysym: UInt32) {
        switch keysym {
        case 0xDF0...0xDF9: self = .digit
        case 0xAA1...0xAA8: self = .space
        case 0x8F6: self = .letter
        case 0x1A2, 0x1B2, 0x1BD, 0x1FF, 0x47E, 0x4A1...0x4A5, 0x4DE, 0x4DF, 0x5AC, 0x5BB, 0x5BF,
            0x6B0, 0x7AE, 0x7AF, 0x8A0...0xBFF, 0xCDF, 0xDDE, 0xDDF, 0xEFF, 0x20A0...0x20AF:
            self = .punctuation
        default: self = .letter
        }
    }

    private init(scalar: UInt32) {
        guard let properties = Unicode.Scalar(scalar)?.properties else {
            self = .other
            return
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark:
            self = .letter
        case .decimalNumber: self = .digit
        case .spaceSeparator: self = .space
        case .control, .surrogate: self = .other
        default: self = .punctuation
        }
    }
}
