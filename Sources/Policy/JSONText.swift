// SPDX-License-Identifier: Apache-2.0

/// Parses JSON that people write by hand, and reports each defect with its line.
///
/// FoundationEssentials' decoder reports no lines and accepts unknown and duplicate keys. A YAML
/// parser would need all of Foundation.
package enum JSONText {
    /// Maximum size of a text, in bytes.
    package static let maxBytes = 256 << 10

    /// Maximum depth of nested objects and arrays.
    package static let maxDepth = 32

    /// Parses a text strictly (RFC 8259): one value, no duplicate keys, only white space after it.
    ///
    /// - Parameter bytes: the whole text in UTF-8, without a byte order mark.
    /// - Returns: its value.
    /// - Throws: the first ``JSONDefect``.
    package static func read(_ bytes: [UInt8]) throws(JSONDefect) -> Node {
        var reader = JSONReader(bytes)
        return try reader.readAll()
    }

    /// A value and its position.
    package struct Node: Equatable, Sendable {
        /// The line in which it begins, from 1.
        package let line: Int
        /// The value itself.
        package let value: Value
    }

    /// A JSON value (RFC 8259, section 3).
    package enum Value: Equatable, Sendable {
        case null
        case bool(Bool)
        /// The number as it is written, not converted.
        case number(String)
        /// A string without escapes.
        case string(String)
        case array([Node])
        /// The members in the order of the text.
        case object([Member])
    }

    /// A key of an object with its value.
    package struct Member: Equatable, Sendable {
        /// The key without escapes.
        package let key: String
        /// The line of the key, from 1.
        package let keyLine: Int
        /// The value of the key.
        package let node: Node
    }

    /// Quotes a text for an error message.
    ///
    /// - Parameter text: any text.
    /// - Returns: at most 60 characters in quotation marks, with unprintable ones as U+FFFD.
    package static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map { isPrintable($0) ? $0 : "\u{FFFD}" }
        let rest = text.unicodeScalars.count > 60 ? "…" : ""
        return "“\(String(String.UnicodeScalarView(shown)))\(rest)”"
    }

    /// Whether a character has a visible form and does not affect the text around it.
    ///
    /// - Parameter scalar: any character.
    /// - Returns: false for Unicode's Cc, Cf, Zl, Zp, Co and Cn.
    package static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            false
        default: true
        }
    }
}

/// A defect of a JSON text, with its line.
package struct JSONDefect: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line, from 1.
    package let line: Int
    /// What is wrong, in one or two English sentences.
    package let sentence: String

    package init(_ line: Int, _ sentence: String) {
        self.line = line
        self.sentence = sentence
    }

    /// The line and the sentence.
    package var description: String { "line \(line): \(sentence)" }
}
