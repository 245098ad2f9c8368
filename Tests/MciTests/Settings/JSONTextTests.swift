// SPDX-License-Identifier: Apache-2.0

import Foundation
import Policy
import Testing

@Suite struct JSONTextTests {
    private func defect(_ text: String) -> JSONDefect? {
        defect(Array(text.utf8))
    }

    private func defect(_ bytes: [UInt8]) -> JSONDefect? {
        do throws(JSONDefect) {
            _ = try JSONText.read(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func `values come with their lines, texts with their escapes`() throws {
        let text = """
            {
              "a": [1, -2.5e+3,
                null, true],

              "b\\u00e9\\ud83d\\ude00\\n": {"c": "“ü”\\/"}
            }

            """
        let root = try JSONText.read(Array(text.utf8))
        guard case .object(let members) = root.value else {
            Issue.record("no object")
            return
        }
        #expect(root.line == 1 && members.map(\.keyLine) == [2, 5])
        #expect(members.map(\.key) == ["a", "bé😀\n"])
        guard case .array(let parts) = members[0].node.value else {
            Issue.record("no array")
            return
        }
        #expect(parts.map(\.line) == [2, 2, 3, 3])
        #expect(parts.map(\.value) == [.number("1"), .number("-2.5e+3"), .null, .bool(true)])
        #expect(members[1].node["c"]?.value == .string("“ü”/"))
    }

    @Test(
        arguments: [
            ("", 1, "The file is empty."),
            ("\n\n{\"a\":1,\n\"a\":2}", 4, "“a” is already on line 3."),
            ("{\"a\":1,\"\\u0061\":2}", 1, "“a” is already on line 1."),
            ("{\"a\":1,\n}", 2, "A comma before “}” is not allowed."),
            ("[1,\n]", 2, "A comma before “]” is not allowed."),
            ("[1\n2]", 2, "Expected a comma or “]” but found “2”."),
            (
                "{\n// why\n\"a\":1}", 2,
                "Expected a key in quotation marks but found “/” (JSON has no comments)."
            ),
            ("{} {}", 1, "Expected the end of the file but found “{”."),
            (
                "{}\n\u{0}", 2,
                "Expected the end of the file but found a byte that is not plain text"
            ),
            ("[\"\\ud800\"]", 1, "A \\u escape is only half of a character."),
            ("[\"\\udc00\"]", 1, "A \\u escape is only half of a character."),
            ("[\"\\ud800\\u0041\"]", 1, "A \\u escape is only half of a character."),
            ("[\"\\x\"]", 1, "JSON does not allow “x” after a backslash."),
            ("[\"a\nb\"]", 1, "A text does not end on its line"),
            ("[\"a\tb\"]", 1, "A text contains a control character."),
            ("[\"a", 1, "The file ends inside a text."),
            ("{'a':1}", 1, "Expected a key in quotation marks but found “'”."),
            ("{a:1}", 1, "Expected a key in quotation marks but found “a”."),
            ("{\"a\"=1}", 1, "Expected a colon but found “=”."),
            ("[01]", 1, "A number must not begin with 0."),
            ("[.5]", 1, "Expected a value but found “.”."),
            ("[5.]", 1, "Expected a digit but found “]”."),
            ("[+5]", 1, "Expected a value but found “+”."),
            ("[NaN]", 1, "Expected a value but found “N”."),
            ("[tru]", 1, "Expected a value but found “t”."),
            ("\u{FEFF}{}", 1, "The file begins with a byte order mark."),
        ]
    )
    func `what RFC 8259 does not allow is refused with its line`(
        text: String,
        line: Int,
        sentence: String
    ) throws {
        let found = try #require(defect(text))
        #expect(found.line == line)
        #expect(found.sentence.hasPrefix(sentence), "\(found)")
    }

    @Test func `depth, length and encoding have their limits`() throws {
        let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(defect(deep) == nil)
        #expect(defect("[\(deep)]")?.sentence == "Values are nested more than 32 deep.")
        let long = "\"" + String(repeating: "x", count: (256 << 10) - 2) + "\""
        #expect(defect(long) == nil)
        #expect(defect(long + " ")?.sentence == "The file is larger than 256 KiB.")
        for wrong: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] {
            let found = defect(Array("[1,\n\"".utf8) + wrong + Array("\"]".utf8))
            #expect(found == JSONDefect(2, "A text is not valid UTF-8."))
        }
    }

    @Test func `random texts are read as Foundation reads them, or refused`() throws {
        var random = SplitMix(seed: 4)
        let seeds = [
            "{\"a\": [1, 2.5, \"x\\u0041\\n\"], \"b\": {\"c\": null, \"d\": true}}",
            "[[], {}, -0, 1e5, \"\\ud83d\\ude00\", \"é\"]",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = seeds[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let near = Array("{}[]:,\"\\ 019-+.eutfn\n/\u{1}".utf8)
                bytes[place] = near[Int.random(in: 0..<near.count, using: &random)]
            }
            guard let node = try? JSONText.read(bytes) else { continue }
            accepted += 1
            let foreign = try JSONSerialization.jsonObject(
                with: Data(bytes),
                options: .fragmentsAllowed
            )
            #expect(isSame(node, foreign), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 1000)
    }

    private func isSame(_ node: JSONText.Node, _ other: Any) -> Bool {
        switch node.value {
        case .null: other is NSNull
        case .bool(let value): other as? Bool == value
        case .number(let text): (other as? NSNumber)?.doubleValue == Double(text)
        case .string(let text): other as? String == text
        case .array(let nodes):
            (other as? [Any]).map { others in
                others.count == nodes.count && zip(nodes, others).allSatisfy(isSame)
            } ?? false
        case .object(let members):
            (other as? [String: Any]).map { others in
                others.count == members.count
                    && members.allSatisfy { member in
                        others[member.key].map { isSame(member.node, $0) } ?? false
                    }
            } ?? false
        }
    }

    @Test(
        arguments: [
            ("retain", "Did you mean retention?"), ("Retention", "Did you mean retention?"),
            ("retentoin", "Did you mean retention?"), ("title", "Did you mean titles?"),
            ("keydetail", "Did you mean keyDetail?"), ("onyl", "Did you mean only?"),
            ("colour", "The keys are retention, titles, keyDetail, only."),
            ("x", "The keys are retention, titles, keyDetail, only."),
        ]
    )
    func `an unknown key is named with its line and with what was probably meant`(
        key: String,
        hint: String
    ) throws {
        let root = try JSONText.read(Array("{\n\"only\": 1,\n\"\(key)\": 2}".utf8))
        let defects = root.defects(
            of: "a policy",
            allowed: ["retention", "titles", "keyDetail", "only"],
            required: ["only"]
        )
        #expect(defects == [JSONDefect(3, "“\(key)” is not a key of a policy. \(hint)")])
    }
}
