// SPDX-License-Identifier: Apache-2.0

/// Reads JSON that people write by hand, so that what is wrong with it can be told with its line.
///
/// FoundationEssentials' decoder tells no lines and lets unknown and doubled keys pass; a YAML parser
/// would bring full Foundation.
package enum JSONText {
    /// The most bytes of a text.
    package static let longest = 256 << 10

    /// The most values within each other.
    package static let deepest = 32

    /// Reads a text of RFC 8259, strictly: one value, no key twice, nothing but spaces after it.
    ///
    /// - Parameter bytes: the whole text.
    /// - Returns: its value.
    /// - Throws: ``JSONDefect``, the first there is.
    package static func read(_ bytes: [UInt8]) throws(JSONDefect) -> Node {
        var reader = JSONReader(bytes)
        return try reader.readAll()
    }

    /// A value and where it begins.
    package struct Node: Equatable, Sendable {
        /// Counted from 1.
        package let line: Int
        package let value: Value
    }

    package enum Value: Equatable, Sendable {
        case null
        case bool(Bool)
        /// As it was written.
        case number(String)
        case string(String)
        case array([Node])
        case object([Member])
    }

    /// A key of an object with its value.
    package struct Member: Equatable, Sendable {
        package let key: String
        package let keyLine: Int
        package let node: Node
    }

    /// A text between quotation marks, shortened, and without what a terminal would obey.
    package static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map { isPrintable($0) ? $0 : "\u{FFFD}" }
        let rest = text.unicodeScalars.count > 60 ? "…" : ""
        return "“\(String(String.UnicodeScalarView(shown)))\(rest)”"
    }

    /// Whether a character is shown where it stands and changes nothing around it.
    package static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            false
        default: true
        }
    }
}

/// What is wrong with a JSON text, and where.
package struct JSONDefect: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    /// What is wrong, in one sentence or two.
    package let sentence: String

    package init(_ line: Int, _ sentence: String) {
        self.line = line
        self.sentence = sentence
    }

    package var description: String { "line \(line): \(sentence)" }
}
