// SPDX-License-Identifier: Apache-2.0

/// Parses single values; a defect is recorded, and the value is then nil.
extension PolicyReader {
    mutating func add(_ line: Int, _ sentence: String) {
        defects.append(JSONDefect(line, sentence))
    }

    @discardableResult
    mutating func take<Value>(
        _ object: JSONText.Node,
        _ key: String,
        _ read: (JSONText.Node) throws(JSONDefect) -> Value
    ) -> Value? {
        guard let node = object[key] else { return nil }
        do throws(JSONDefect) {
            return try read(node)
        } catch {
            defects.append(error)
            return nil
        }
    }

    mutating func text(
        _ object: JSONText.Node,
        _ key: String,
        _ maxLength: Int,
        lines: Bool = false
    ) -> String? {
        object[key].flatMap { checked($0, key, maxLength, lines: lines) }
    }

    /// Parses a text that is not empty and has only printable characters.
    mutating func checked(
        _ node: JSONText.Node,
        _ what: String,
        _ maxLength: Int,
        lines: Bool = false
    ) -> String? {
        let text: String
        do throws(JSONDefect) {
            text = try node.string(what)
        } catch {
            defects.append(error)
            return nil
        }
        let scalars = text.unicodeScalars
        if !scalars.contains(where: { !$0.properties.isWhitespace }) {
            add(node.line, "\(what) is empty.")
        } else if scalars.count > maxLength {
            add(node.line, "\(what) is longer than \(maxLength) characters.")
        } else if !scalars.allSatisfy({ JSONText.isPrintable($0) || (lines && $0 == "\n") }) {
            add(node.line, "\(what) contains a character that cannot be shown.")
        } else {
            return text
        }
        return nil
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ root: JSONText.Node,
        _ key: String,
        former: (word: String, now: String)? = nil
    ) -> Value? where Value.RawValue == String {
        take(root, key) { node throws(JSONDefect) in
            let text = try node.string(key)
            if let former, text == former.word {
                throw JSONDefect(
                    node.line,
                    "\(JSONText.quoted(text)) is no longer a \(key). Write \(JSONText.quoted(former.now))."
                )
            }
            guard let value = Value(rawValue: text) else {
                let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
                throw JSONDefect(
                    node.line,
                    "\(JSONText.quoted(text)) is not a \(key). Choose one of \(names)."
                )
            }
            return value
        }
    }

    mutating func amount(
        _ root: JSONText.Node,
        _ key: String,
        _ read: (String) -> Int?,
        _ range: ClosedRange<Int>,
        _ words: String
    ) -> Int? {
        take(root, key) { node throws(JSONDefect) in
            let text = try node.string(key)
            guard let value = read(text), range.contains(value) else {
                throw JSONDefect(node.line, "\(key) is \(JSONText.quoted(text)), not \(words).")
            }
            return value
        }
    }

    mutating func list<Part>(
        _ root: JSONText.Node,
        _ key: String,
        most: Int,
        _ read: (inout PolicyReader, JSONText.Node) -> Part?
    ) -> [Part] {
        let nodes = take(root, key) { node throws(JSONDefect) in
            let nodes = try node.array(key)
            guard 1...most ~= nodes.count else {
                throw JSONDefect(
                    node.line,
                    nodes.isEmpty
                        ? "\(key) is an empty list. Leave the key out."
                        : "\(key) has more than \(most) parts."
                )
            }
            return nodes
        }
        return (nodes ?? []).compactMap { read(&self, $0) }
    }
}
