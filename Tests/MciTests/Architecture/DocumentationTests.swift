// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Checks that whoever uses a module can read what it offers without reading its code.
///
/// swift-format checks this for `public` declarations only, and nothing here is public.
@Suite struct DocumentationTests {
    @Test func `every declaration that crosses a module has a doc comment`() throws {
        let start = Program.root + "/Sources"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        var count = 0
        for name in names.sorted() where name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(start)/\(name)", encoding: .utf8)
            let source = Source(text)
            for index in source.lines.indices where Source.isDeclaration(source.lines[index]) {
                count += 1
                #expect(
                    source.isDocumented(at: index) || source.isMemberwise(at: index),
                    "Sources/\(name):\(index + 1): \(source.lines[index])"
                )
            }
        }
        #expect(count > 1200)
    }

    @Test(
        arguments: [
            ("package struct Batch {", true),
            ("@safe package struct Batch: ~Copyable {", true),
            ("@discardableResult package func send() -> Bool {", true),
            ("package private(set) var now = 0", true),
            ("package static let all: [Int] = []", true),
            ("package init?(_ text: String) {", true),
            ("package mutating func take() {", true),
            ("package subscript(axis: Int) -> Int32? {", true),
            ("package import Events", false),
            ("package extension Int {", false),
            ("private(set) package var now = 0", true),
            ("var package = 0", false),
            ("/// The package struct of all.", false),
        ]
    )
    func `a declaration is recognised by its words`(line: String, isDeclaration: Bool) {
        #expect(Source.isDeclaration(line) == isDeclaration)
    }

    @Test func `an initialiser that only assigns needs no comment, any other does`() {
        let source = Source(
            """
            package init() {}
            package init(a: Int, b: Int) {
                self.a = a
                (self.b, self.c) = (b, b)
            }
            package init(
                a: Int
            ) {
                self.a = max(a, 1)
            }
            """
        )
        #expect(source.isMemberwise(at: 0))
        #expect(source.isMemberwise(at: 1))
        #expect(!source.isMemberwise(at: 5))
    }
}

/// The lines of a Swift file, without their indentation.
private struct Source {
    let lines: [String]

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static let modifiers: Set<Substring> = [
        "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "override",
        "indirect", "convenience", "required", "lazy", "weak", "unowned", "nonisolated", "isolated",
        "private", "fileprivate", "internal", "prefix", "infix", "postfix",
    ]

    private static let keywords: Set<Substring> = [
        "struct", "enum", "class", "protocol", "actor", "func", "var", "let", "init", "subscript",
        "typealias", "macro",
    ]

    /// Whether a line declares something with the access level `package`.
    static func isDeclaration(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        func isModifier(_ word: Substring) -> Bool {
            word.hasPrefix("@") || modifiers.contains(word.prefix(while: \.isLetter))
        }
        let rest = words.drop(while: isModifier)
        guard rest.first == "package" else { return false }
        let keyword = rest.dropFirst().drop(while: isModifier).first
        return keyword.map { keywords.contains($0.prefix(while: \.isLetter)) } ?? false
    }

    /// Whether a doc comment stands above a declaration, with attributes between them at most.
    func isDocumented(at index: Int) -> Bool {
        lines[..<index].last { !$0.hasPrefix("@") }?.hasPrefix("///") ?? false
    }

    /// Whether a declaration is an initialiser whose body only assigns properties.
    func isMemberwise(at index: Int) -> Bool {
        guard lines[index].hasPrefix("package init(") else { return false }
        if lines[index].hasSuffix("{}") { return true }
        guard let start = lines[index...].firstIndex(where: { $0.hasSuffix("{") }) else {
            return false
        }
        return lines[(start + 1)...].prefix { $0 != "}" }.allSatisfy { line in
            let sides = line.components(separatedBy: " = ")
            return sides.count == 2
                && sides.allSatisfy { side in
                    side.allSatisfy { $0.isLetter || $0.isNumber || "._(), ".contains($0) }
                        && (side.hasPrefix("(") || !side.contains("("))
                }
        }
    }
}
