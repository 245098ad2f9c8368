// SPDX-License-Identifier: Apache-2.0

/// Recorded text on its way to programs that take some of it for commands: terminals, spreadsheets.
package enum SafeText {
    /// A text without what a terminal would take for a command or a reader would not see.
    package static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    ![.control, .format, .lineSeparator, .paragraphSeparator]
                        .contains($0.properties.generalCategory)
                }
            )
        )
    }

    /// Whether a character within a JSON string is written as an escape though JSON does not ask for it.
    ///
    /// These are DEL and C1, which terminals obey, and what ends a line or turns the direction of text.
    static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7F...0x9F, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The escape of a character of the basic plane in a JSON string.
    static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// A JSON text in which no string holds a character that a terminal would obey; it means the same.
    package static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isEscaped) else { return json }
        var result = ""
        for scalar in json.unicodeScalars {
            if isEscaped(scalar) {
                result += escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A text as a cell that no spreadsheet takes for a formula.
    ///
    /// At the beginning, and behind each semicolon, tab and line end (where a spreadsheet of another
    /// language begins a cell), an apostrophe is put in front of a formula and of an apostrophe. To undo
    /// it, take away one apostrophe in each of these places.
    package static func cell(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isFormula($0) || $0 == "'" }) else {
            return text
        }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var isStart = true
        for (index, scalar) in scalars.enumerated() {
            if isStart {
                let first = scalars[index...].first { !isSkipped($0) }
                if scalar == "'" || first.map(isFormula) == true { result.append("'") }
            }
            result.append(scalar)
            isStart = isCellEnd(scalar)
        }
        return String(result)
    }

    private static func isCellEnd(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ";" || scalar == "\t" || scalar == "\n" || scalar == "\r"
    }

    /// Whether a formula begins with it; the wide forms are those of East Asian keyboards.
    private static func isFormula(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}": true
        default: false
        }
    }

    /// Whether spreadsheets pass over it before a formula.
    private static func isSkipped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\"" || scalar.properties.isWhitespace { return true }
        switch scalar.properties.generalCategory {
        case .control, .format: return true
        default: return false
        }
    }
}
