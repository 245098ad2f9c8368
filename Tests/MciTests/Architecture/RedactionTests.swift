// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Types that hold a key, a title or the name of an application print nothing.
@Suite struct RedactionTests {
    /// Names of properties and payloads that say what somebody typed, or where.
    private static let content: Set<String> = [
        "app", "apps", "asker", "instance", "keyClass", "keycode", "keysym", "keysymName",
        "keysyms",
        "lastApp", "otherNames", "pattern", "plaintext", "program", "title", "titles",
    ]

    /// Modules in which they are; mcictl is there to print what it is asked for.
    private static let modules = [
        "Events", "Capture", "Gate", "Packing", "Sealing", "Storage", "Recording", "Timeline",
        "Export", "Query", "Replay", "Policy", "Person", "Control",
    ]

    /// Types that may print, and why.
    private static let exceptions: [String: String] = [
        "Person/Scope": "the person's own words for a rule, which mcictl prints",
        "Person/Explanation.Window": "what explain was asked for",
        "Person/AskingTerminal": "what status was asked for",
    ]

    private struct Declaration {
        var name: String
        var indent: Int
        var isRedacted: Bool
        var holds: [String] = []
    }

    /// What a line declares: a type, and whether it says that it is redacted.
    private static func type(in line: Substring) -> Declaration? {
        let indent = line.prefix { $0 == " " }.count
        var words = line.split(separator: " ").map(String.init)
        let modifiers: Set = ["package", "private", "fileprivate", "final", "indirect"]
        words = Array(words.drop { modifiers.contains($0) })
        guard let kind = words.first, words.count > 1,
            ["struct", "enum", "class"].contains(kind)
        else { return nil }
        let name = words[1].prefix { $0.isLetter || $0.isNumber }
        return Declaration(
            name: String(name),
            indent: indent,
            // What cannot be copied cannot be printed.
            isRedacted: line.contains("Redacted") || line.contains("~Copyable")
        )
    }

    /// The content that a line stores: a property that is not computed, or a case's payload.
    private static func stored(in line: Substring) -> [String] {
        let words = line.split { " (),:".contains($0) }.map(String.init)
        if words.first == "case" {
            return line.contains("(") ? words.filter { content.contains($0) } : []
        }
        guard let at = words.firstIndex(where: { $0 == "let" || $0 == "var" }), at <= 2,
            !words.contains("static"), words.count > at + 1, content.contains(words[at + 1]),
            !line.contains(": Bool"), !(line.contains("{") && line.contains("var "))
        else { return [] }
        return [words[at + 1]]
    }

    /// The types of a file that hold content themselves and do not say that they are redacted.
    private static func open(_ text: String, _ redacted: Set<String>) -> [String: [String]] {
        var stack: [Declaration] = []
        var found: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let code = line.components(separatedBy: "//")[0][...]
            guard code.contains(where: { !$0.isWhitespace }) else { continue }
            let indent = code.prefix { $0 == " " }.count
            while let last = stack.last, indent <= last.indent, !code.hasPrefix("#") {
                stack.removeLast()
            }
            if let new = type(in: code) { stack.append(new) }
            // Only members, and no variables within functions.
            guard let owner = stack.last, indent == owner.indent + 4, !owner.isRedacted else {
                continue
            }
            let holds = stored(in: code)
            let name = stack.map(\.name).joined(separator: ".")
            if !holds.isEmpty, !redacted.contains(name) { found[name, default: []] += holds }
        }
        return found
    }

    @Test func `every type that holds a key, a title or an application prints nothing`() throws {
        var open: [String: [String]] = [:]
        var count = 0
        for module in Self.modules {
            let start = "\(Program.root)/Sources/\(module)"
            let names =
                FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
            let texts = try names.filter { $0.hasSuffix(".swift") }
                .map { try String(contentsOfFile: "\(start)/\($0)", encoding: .utf8) }
            // `extension A.B: Redacted {}` says it as well.
            let redacted = texts.flatMap { $0.split(separator: "\n") }
                .filter { $0.hasPrefix("extension ") && $0.contains("Redacted") }
                .compactMap { $0.dropFirst(10).split(separator: ":").first.map(String.init) }
            for text in texts {
                count += text.components(separatedBy: "Redacted").count - 1
                for (name, holds) in Self.open(text, Set(redacted)) {
                    open["\(module)/\(name)", default: []] += holds
                }
            }
        }
        #expect(count > 45)
        for (name, holds) in open.sorted(by: { $0.key < $1.key })
        where Self.exceptions[name] == nil {
            Issue.record("\(name) holds \(holds.joined(separator: ", ")) and prints it")
        }
        for name in Self.exceptions.keys { #expect(open[name] != nil, "\(name) is no exception") }
    }

    @Test func `a type that would print is found`() {
        let text = """
            struct One {
                let app: String
                struct Two: Redacted { var title: String? }
                enum Three {
                    case key(keycode: UInt8)
                    case other
                }
                var titles: [String] { [] }
                func four() {
                    let keysym = 1
                }
            }
            """
        #expect(Self.open(text, []) == ["One": ["app"], "One.Three": ["keycode"]])
        #expect(Self.open(text, ["One"]) == ["One.Three": ["keycode"]])
    }
}
