// SPDX-License-Identifier: Apache-2.0

extension JSONText.Node {
    /// The value of a key; nil when the object has no such key, or this is not an object.
    ///
    /// - Parameter key: any text.
    package subscript(key: String) -> JSONText.Node? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.node
    }

    /// Checks the keys of an object: unknown ones, and missing ones.
    ///
    /// - Parameters:
    ///   - what: the object in words, such as `a policy`.
    ///   - allowed: all keys that it may have.
    ///   - required: the keys that it must have.
    /// - Returns: unknown keys in the order of the text, and then missing ones; empty for a valid
    ///   object.
    package func defects(
        of what: String,
        allowed: [String],
        required: [String] = []
    ) -> [JSONDefect] {
        guard case .object(let members) = value else {
            let article = what.split(separator: " ").count > 1 ? what : "An object"
            return [JSONDefect(line, "\(article.capitalizedFirst) must be an object in { }.")]
        }
        var defects: [JSONDefect] = []
        var missing = required.filter { self[$0] == nil }
        for member in members where !allowed.contains(member.key) {
            let likely = Self.likely(member.key, among: allowed)
            // Report a misspelt key once, and not also as missing.
            missing.removeAll { $0 == likely }
            let question =
                likely.map { " Did you mean \($0)?" }
                ?? " The keys are \(allowed.joined(separator: ", "))."
            defects.append(
                JSONDefect(
                    member.keyLine,
                    "\(JSONText.quoted(member.key)) is not a key of \(what).\(question)"
                )
            )
        }
        for key in missing {
            defects.append(JSONDefect(line, "\(key) is missing from \(what)."))
        }
        return defects
    }

    /// Returns the value of a string.
    ///
    /// - Parameter what: names the value in an error.
    /// - Returns: the text without escapes.
    /// - Throws: ``JSONDefect`` when it is not a string.
    package func string(_ what: String) throws(JSONDefect) -> String {
        guard case .string(let text) = value else {
            throw expected(what, "a text in quotation marks")
        }
        return text
    }

    /// Returns the value of an integer.
    ///
    /// - Parameter what: names the value in an error.
    /// - Returns: the number.
    /// - Throws: ``JSONDefect`` when it is not a number that `Int` can represent, written as an
    ///   integer.
    package func integer(_ what: String) throws(JSONDefect) -> Int {
        guard case .number(let text) = value, let number = Int(text) else {
            throw expected(what, "a whole number")
        }
        return number
    }

    /// Returns the value of true or false.
    ///
    /// - Parameter what: names the value in an error.
    /// - Returns: the value.
    /// - Throws: ``JSONDefect`` when it is neither.
    package func bool(_ what: String) throws(JSONDefect) -> Bool {
        guard case .bool(let value) = value else { throw expected(what, "true or false") }
        return value
    }

    /// Returns the elements of an array.
    ///
    /// - Parameter what: names the value in an error.
    /// - Returns: the elements.
    /// - Throws: ``JSONDefect`` when it is not an array.
    package func array(_ what: String) throws(JSONDefect) -> [JSONText.Node] {
        guard case .array(let nodes) = value else { throw expected(what, "a list in [ ]") }
        return nodes
    }

    private func expected(_ what: String, _ kind: String) -> JSONDefect {
        JSONDefect(line, "\(what) is \(kind), not \(kindName).")
    }

    private var kindName: String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number(let text): "the number \(text.prefix(20))"
        case .string(let text): JSONText.quoted(text)
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The key that was probably meant: one with at most two edits, or with the same beginning.
    private static func likely(_ word: String, among keys: [String]) -> String? {
        let near = keys.map { (key: $0, distance: distance(word.lowercased(), $0.lowercased())) }
            .min { $0.distance < $1.distance }
        if let near, near.distance <= 2, near.distance < near.key.count { return near.key }
        return keys.first {
            word.count >= 3 && $0.lowercased().hasPrefix(word.lowercased().prefix(3))
        }
    }

    /// The Levenshtein distance between two words.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.prefix(40)), Array(right))
        var row = Array(0...right.count)
        for (number, letter) in left.enumerated() {
            var corner = row[0]
            row[0] = number + 1
            for column in right.indices {
                let change = corner + (letter == right[column] ? 0 : 1)
                corner = row[column + 1]
                row[column + 1] = min(change, corner + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
