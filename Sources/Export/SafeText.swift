// SPDX-License-Identifier: Apache-2.0

/// Makes recorded text safe for programs that obey some of it: terminals, spreadsheets.
package enum SafeText {
    /// Removes the characters that a terminal obeys or a reader cannot see.
    ///
    /// - Parameter text: any text.
    /// - Returns: the text without Unicode's Cc, Cf, Zl and Zp.
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

    /// Quotes a word for a shell, without the characters that a terminal obeys.
    ///
    /// - Parameter text: any text.
    /// - Returns: the text, in quotation marks unless it is plain.
    package static func shellWord(_ text: String) -> String {
        let plain = printable(text)
        let isSafe = plain.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2E, 0x5F, 0x2F, 0x3A: true
            // A dash, if it cannot begin an option.
            case 0x2D: plain.utf8.first != 0x2D
            default: false
            }
        }
        return isSafe && !plain.isEmpty ? plain : "'\(plain.replacing("'", with: "'\\''"))'"
    }

    /// Whether a character in a JSON string is escaped although JSON does not require it.
    ///
    /// These are DEL and C1, which terminals obey, and characters that end a line or change its
    /// direction.
    static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7F...0x9F, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The JSON escape of a character of the Basic Multilingual Plane.
    static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Escapes all characters in a JSON text that a terminal would obey; its meaning stays the
    /// same.
    ///
    /// - Parameter json: any JSON text.
    /// - Returns: the JSON text with escapes.
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

    /// Prefixes text with apostrophes, so that no spreadsheet takes a cell for a formula.
    ///
    /// An apostrophe precedes each formula and each apostrophe at the beginning, and after each
    /// semicolon, tab and line end (where a spreadsheet of another language begins a cell). To undo
    /// it, remove one apostrophe at each of these positions.
    ///
    /// - Parameter text: any text.
    /// - Returns: the text for a cell.
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

    /// Whether a formula begins with it; the wide forms come from East Asian keyboards.
    private static func isFormula(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}": true
        default: false
        }
    }

    /// Whether spreadsheets skip it before a formula.
    private static func isSkipped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\"" || scalar.properties.isWhitespace { return true }
        switch scalar.properties.generalCategory {
        case .control, .format: return true
        default: return false
        }
    }
}
