// SPDX-License-Identifier: Apache-2.0

import Export

/// Text of a page: what is recorded is escaped.
enum HTMLText {
    /// A text for an element or a quoted attribute.
    ///
    /// Names of applications and devices come from programs: control characters and those that
    /// change the direction of text are removed, and what would be markup is escaped.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in SafeText.printable(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A name, shortened so that a person reads it at a glance.
    static func name(_ text: String) -> String {
        let plain = SafeText.printable(text)
        if plain.isEmpty { return "(no name)" }
        return escaped(plain.count > 40 ? plain.prefix(39) + "…" : plain)
    }

    /// A command to copy.
    static func command(_ text: String) -> String { "<code>\(escaped(text))</code>" }

    /// A table with a heading for each column.
    ///
    /// - Parameters:
    ///   - caption: What it says, as text.
    ///   - heads: The headings, as text.
    ///   - rows: The cells, as HTML; the first of each row is its heading.
    /// - Returns: The element.
    static func table(_ caption: String, _ heads: [String], _ rows: [[String]]) -> String {
        let head = heads.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        let body = rows.map { row in
            let cells = row.dropFirst().map { "<td>\($0)</td>" }.joined()
            return "<tr><th scope=\"row\">\(row.first ?? "")</th>\(cells)</tr>"
        }
        .joined(separator: "\n")
        return """
            <table><caption>\(escaped(caption))</caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)
            </tbody></table>

            """
    }

    /// The table behind a picture.
    static func details(_ summary: String, _ table: String) -> String {
        "<details><summary>\(escaped(summary))</summary>\n\(table)</details>\n"
    }
}
