// SPDX-License-Identifier: Apache-2.0

/// Parses one JSON text (RFC 8259), from its first byte to its last.
struct JSONReader {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Parses the only value of the text.
    mutating func readAll() throws(JSONDefect) -> JSONText.Node {
        guard bytes.count <= JSONText.maxBytes else {
            throw JSONDefect(1, "The file is larger than \(JSONText.maxBytes >> 10) KiB.")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw wrong("The file begins with a byte order mark. Save it as plain UTF-8.")
        }
        skipSpaces()
        if next == nil { throw wrong("The file is empty.") }
        let node = try readValue()
        skipSpaces()
        if next != nil { throw wrong("Expected the end of the file but found \(found).") }
        return node
    }

    // MARK: Values

    private mutating func readValue() throws(JSONDefect) -> JSONText.Node {
        let start = line
        let value: JSONText.Value
        switch next {
        case UInt8(ascii: "{"): value = try readNested(Self.readObject)
        case UInt8(ascii: "["): value = try readNested(Self.readArray)
        case UInt8(ascii: "\""): value = .string(try readString())
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte):
            value = try readNumber()
        default: value = try readWord()
        }
        return JSONText.Node(line: start, value: value)
    }

    private mutating func readNested(
        _ read: (inout JSONReader) throws(JSONDefect) -> JSONText.Value
    ) throws(JSONDefect) -> JSONText.Value {
        depth += 1
        guard depth <= JSONText.maxDepth else {
            throw wrong("Values are nested more than \(JSONText.maxDepth) deep.")
        }
        offset += 1
        skipSpaces()
        let value = try read(&self)
        depth -= 1
        return value
    }

    private static func readObject(
        _ reader: inout JSONReader
    ) throws(JSONDefect) -> JSONText.Value {
        var members: [JSONText.Member] = []
        var lines: [String: Int] = [:]
        if reader.take("}") { return .object(members) }
        while true {
            guard reader.next == UInt8(ascii: "\"") else {
                throw reader.wrong("Expected a key in quotation marks but found \(reader.found).")
            }
            let keyLine = reader.line
            let key = try reader.readString()
            if let first = lines.updateValue(keyLine, forKey: key) {
                let name = JSONText.quoted(key)
                throw JSONDefect(keyLine, "\(name) is already on line \(first).")
            }
            reader.skipSpaces()
            guard reader.take(":") else {
                throw reader.wrong("Expected a colon but found \(reader.found).")
            }
            reader.skipSpaces()
            let node = try reader.readValue()
            members.append(JSONText.Member(key: key, keyLine: keyLine, node: node))
            if try reader.ends(with: "}") { return .object(members) }
        }
    }

    private static func readArray(_ reader: inout JSONReader) throws(JSONDefect) -> JSONText.Value {
        var nodes: [JSONText.Node] = []
        if reader.take("]") { return .array(nodes) }
        while true {
            nodes.append(try reader.readValue())
            if try reader.ends(with: "]") { return .array(nodes) }
        }
    }

    /// Takes the end of an object or array, or the comma before its next element.
    private mutating func ends(with end: Unicode.Scalar) throws(JSONDefect) -> Bool {
        skipSpaces()
        if take(end) { return true }
        guard take(",") else {
            throw wrong("Expected a comma or “\(end)” but found \(found).")
        }
        skipSpaces()
        if next == UInt8(ascii: end) { throw wrong("A comma before “\(end)” is not allowed.") }
        return false
    }

    private mutating func readWord() throws(JSONDefect) -> JSONText.Value {
        let words: [(String, JSONText.Value)] = [
            ("true", .bool(true)), ("false", .bool(false)), ("null", .null),
        ]
        for (word, value) in words where bytes[offset...].starts(with: word.utf8) {
            offset += word.utf8.count
            return value
        }
        throw wrong("Expected a value but found \(found).")
    }

    private mutating func readNumber() throws(JSONDefect) -> JSONText.Value {
        let start = offset
        _ = take("-")
        if take("0") {
            if next.map(Self.isDigit) == true { throw wrong("A number must not begin with 0.") }
        } else {
            try takeDigits()
        }
        if take(".") { try takeDigits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try takeDigits()
        }
        return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func takeDigits() throws(JSONDefect) {
        guard next.map(Self.isDigit) == true else {
            throw wrong("Expected a digit but found \(found).")
        }
        while next.map(Self.isDigit) == true { offset += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    // MARK: Strings

    private mutating func readString() throws(JSONDefect) -> String {
        let start = line
        var text: [UInt8] = []
        offset += 1
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw JSONDefect(start, "A text is not valid UTF-8.")
                }
                return string
            case UInt8(ascii: "\\"): text += Array(String(try readEscape()).utf8)
            case 0x0A:
                throw JSONDefect(
                    start,
                    "A text does not end on its line: a quotation mark is missing."
                )
            case ..<0x20: throw wrong("A text contains a control character. Write it as \\u00XX.")
            default: text.append(byte)
            }
        }
        throw JSONDefect(start, "The file ends inside a text.")
    }

    private mutating func readEscape() throws(JSONDefect) -> Unicode.Scalar {
        let short: [UInt8: Unicode.Scalar] = [
            UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
            UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n",
            UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
        ]
        guard let byte = next else { throw wrong("The file ends inside a text.") }
        if let scalar = short[byte] {
            offset += 1
            return scalar
        }
        guard take("u") else { throw wrong("JSON does not allow \(found) after a backslash.") }
        let unit = try readHex()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A high surrogate (UTF-16): the low surrogate must follow.
        guard unit < 0xDC00, take("\\"), take("u") else { throw halfCharacter }
        let second = try readHex()
        guard 0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(second & 0x3FF)
            )
        else { throw halfCharacter }
        return scalar
    }

    private var halfCharacter: JSONDefect {
        wrong("A \\u escape is only half of a character.")
    }

    private mutating func readHex() throws(JSONDefect) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw wrong("Expected a hexadecimal digit of \\u but found \(found).")
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }

    // MARK: Bytes

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: scalar) else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpaces() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
            if byte == 0x0A { line += 1 }
            offset += 1
        }
    }

    /// What stands here, at the end of a sentence.
    private var found: String {
        guard let byte = next else { return "the end of the file" }
        if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "/") {
            return "“\(Unicode.Scalar(byte))” (JSON has no comments)"
        }
        guard byte == 0x0A || 0x20..<0x7F ~= byte else { return "a byte that is not plain text" }
        return byte == 0x0A ? "the end of the line" : "“\(Unicode.Scalar(byte))”"
    }

    private func wrong(_ sentence: String) -> JSONDefect { JSONDefect(line, sentence) }
}
