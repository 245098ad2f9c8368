// SPDX-License-Identifier: Apache-2.0

import Events

extension KeyClass {
    /// The class of a keysym (X11 protocol, appendix A; keysymdef.h; Unicode keysyms 0x01000000+).
    ///
    /// A keysym that could write text and is not known falls into a class whose identity is withheld.
    init(keysym: UInt32) {
        switch keysym {
        case 0x20, 0xA0: self = .space
        case 0x30...0x39: self = .digit
        case 0x21...0xFF: self = KeyClass(scalar: keysym)
        case 0x0100_0100...0x0110_FFFF: self = KeyClass(scalar: keysym & 0xFF_FFFF)
        // Older letter sets, from Latin 2 to Korean; a few of their symbols pass as letters.
        case 0x100...0x20FF: self = .letter
        case 0xFF80...0xFFBD: self = .keypad
        case 0xFF08, 0xFF09, 0xFF0A, 0xFF0B, 0xFF0D, 0xFF63, 0xFFFF, 0xFE20: self = .editing
        case 0xFF65, 0xFF66: self = .editing
        case 0xFF50...0xFF58, 0xFF68: self = .navigation
        case 0xFF13, 0xFF14, 0xFF15, 0xFF1B, 0xFF60...0xFF62, 0xFF67, 0xFF69...0xFF6B:
            self = .function
        case 0xFFBE...0xFFE0: self = .function
        case 0xFFE1...0xFFEE, 0xFF7E, 0xFF7F, 0xFE01...0xFE0F, 0xFE11...0xFE13: self = .modifier
        // Dead keys and Compose write text together with the next key.
        case 0xFE50...0xFE93, 0xFF20: self = .punctuation
        case 0x1008_FE01...0x1008_FFFF, 0x1008_1000...0x1008_1FFF: self = .media
        default: self = .other
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
        default: self = .punctuation
        }
    }
}
