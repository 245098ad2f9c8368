// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// What the person's terminal can show.
extension Terminal {
    /// An environment variable; nil if it is not set.
    static func variable(_ name: String) -> String? { CurrentProcess.environment()[name] }

    /// The columns of the terminal at standard output; nil if it is not a terminal, or does not say.
    static var width: Int? {
        guard isatty(1) == 1 else { return nil }
        var size = winsize()
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return variable("COLUMNS").flatMap { Int($0) }
        }
        return Int(size.ws_col)
    }

    /// Whether standard output shows colours.
    static var hasColours: Bool {
        let isRefused = !(variable("NO_COLOR") ?? "").isEmpty
        return isatty(1) == 1 && !isRefused && variable("TERM") ?? "dumb" != "dumb"
    }

    /// Whether text for people must be ASCII because the locale is not UTF-8.
    ///
    /// If no locale is set, a terminal is assumed to lack UTF-8; files and other programs are assumed to
    /// have it, because they get UTF-8 in every other case.
    static let isASCII: Bool = {
        let named = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { variable($0) }
            .first { !$0.isEmpty }
        guard let named else { return isatty(1) == 1 }
        let name = named.lowercased()
        return !name.contains("utf-8") && !name.contains("utf8")
    }()

    /// A text for people as their locale can show it.
    static func shown(_ text: String) -> String { isASCII ? ascii(text) : text }

    /// A text for people in which the symbols of our own sentences have ASCII equivalents; any other
    /// character that ASCII lacks becomes a question mark.
    static func ascii(_ text: String) -> String {
        let signs: [Unicode.Scalar: String] = [
            "“": "\"", "”": "\"", "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "·": "-",
            "●": "*", "○": "o", "‖": "=", "×": "x", "→": "->", "█": "#", "░": ".", "≤": "<=",
            "≥": ">=", "\u{A0}": " ",
            "µ": "u", "²": "2", "³": "3",
        ].reduce(into: [:]) { result, sign in
            if let scalar = sign.key.unicodeScalars.first { result[scalar] = sign.value }
        }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                result.unicodeScalars.append(scalar)
            } else {
                result += signs[scalar] ?? "?"
            }
        }
        return result
    }
}
