// SPDX-License-Identifier: Apache-2.0

/// How many columns of a terminal a text takes.
enum TextWidth {
    /// The columns of a character: two for those of East Asian scripts and for emoji.
    private static func of(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF,
            0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// The columns of a text.
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    /// A text that takes at most some columns; a longer one ends in an ellipsis.
    static func fitted(_ text: String, _ columns: Int) -> String {
        guard of(text) > columns else { return text }
        guard columns > 0 else { return "" }
        var (result, width) = ("", 0)
        for character in text {
            width += of(character)
            // The ellipsis takes the last column, or three where it is written with full stops.
            if width > columns - (Terminal.isASCII ? 3 : 1) { break }
            result.append(character)
        }
        let dots = Terminal.isASCII ? String("...".prefix(columns)) : "…"
        return result + dots
    }
}
