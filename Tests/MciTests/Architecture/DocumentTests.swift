// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The documents say what is so, and are pleasant to read.
@Suite struct DocumentTests {
    private static let folders = [".", "Documentation", "Tests"]

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(Program.root)/\(path)", encoding: .utf8)
    }

    private static func lines(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// What stands between backticks.
    private static func quoted(_ text: some StringProtocol) -> [String] {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { !$0.isMultiple(of: 2) }.map { String(parts[$0]) }
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(Program.root)/\(path)")
    }

    @Test func `no line of a document is longer than 100 columns`() throws {
        var count = 0
        for folder in Self.folders {
            let names = try FileManager.default.contentsOfDirectory(
                atPath: "\(Program.root)/\(folder)"
            )
            for name in names where name.hasSuffix(".md") {
                count += 1
                for (number, line) in try Self.lines("\(folder)/\(name)").enumerated() {
                    #expect(line.count <= 100, "\(folder)/\(name), line \(number + 1)")
                }
            }
        }
        #expect(count >= 8)
        #expect(try Self.lines("README.md").count <= 101)
    }

    @Test func `every link within the documents leads somewhere`() throws {
        for path in [
            "README.md", "CONTRIBUTING.md", "Tests/PROMISES.md", "Documentation/Architecture.md",
            "Documentation/Limits.md", "Documentation/Administration.md", "Documentation/Cost.md",
            "Documentation/Format.md", "Documentation/Reading.md",
        ] {
            let folder = (path as NSString).deletingLastPathComponent
            for part in try Self.text(path).components(separatedBy: "](").dropFirst() {
                guard let target = part.components(separatedBy: ")").first,
                    !target.hasPrefix("http"), !target.hasPrefix("#")
                else { continue }
                let file = target.components(separatedBy: "#")[0]
                #expect(Self.exists("\(folder)/\(file)"), "\(path): \(target)")
            }
        }
    }

    @Test func `every promise names a file and tests that exist`() throws {
        let start = Program.root + "/Tests/MciTests"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        let tests = try names.filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOfFile: "\(start)/\($0)", encoding: .utf8) }.joined()
        let text = try Self.text("Tests/PROMISES.md")
        let promises = try #require(text.components(separatedBy: "\n## Scenarios").first)
        var count = 0
        for entry in promises.components(separatedBy: "\n**").dropFirst() {
            let flat = entry.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let kept = try #require(flat.components(separatedBy: "Kept in ").dropFirst().first)
            let files = Self.quoted(kept.components(separatedBy: "- *")[0])
            #expect(!files.isEmpty, "\(flat.prefix(60))")
            for file in files { #expect(Self.exists(file), "\(file)") }
            let named = flat.components(separatedBy: "- *").dropFirst()
            #expect(!named.isEmpty, "\(flat.prefix(60))")
            for test in named {
                let name = test.prefix { $0 != "*" }
                #expect(tests.contains("func `\(name)`"), "\(name)")
            }
            count += 1
        }
        #expect(count >= 120)
    }

    // MARK: The map

    @Test func `the map names every module once, in the order of the package`() throws {
        let package = try Self.text("Package.swift")
        let targets = package.components(separatedBy: "arget(\n            name: \"").dropFirst()
            .filter { !$0.prefix(400).contains("path: \"Tests/") && !$0.hasPrefix("MciTests") }
            .map { String($0.prefix { $0 != "\"" }) }
        let oneLine = package.components(separatedBy: ".target(name: \"").dropFirst()
            .map { String($0.prefix { $0 != "\"" }) }
        let libraries = package.components(separatedBy: ".systemLibrary(").dropFirst()
            .compactMap { $0.components(separatedBy: "name: \"").dropFirst().first }
            .map { String($0.prefix { $0 != "\"" }) }
        let map = try Self.text("Documentation/Architecture.md")
        let table = try #require(
            map.components(separatedBy: "## Modules").last?
                .components(separatedBy: "The folders of").first
        )
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { Self.quoted($0.split(separator: "|")[0]) }
        #expect(rows.count == Set(rows).count)
        #expect(Set(rows) == Set(targets + oneLine + libraries))
        for module in rows { #expect(Self.exists("Sources/\(module)"), "\(module)") }
    }

    @Test func `the map names the folders of Capture, and every file it names is there`() throws {
        let map = try Self.text("Documentation/Architecture.md")
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: "\(Program.root)/Sources/Capture"
        )
        let table = try #require(
            map.components(separatedBy: "The folders of `Capture`:").last?
                .components(separatedBy: "\n## ").first
        )
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { Self.quoted($0.split(separator: "|")[0]) }
        #expect(Set(rows) == Set(folders))
        let paths = Self.quoted(map).filter { path in
            [
                "Sources/", "Tests/", "Documentation/", "Capture/", "Events/", "Gate/", "Packing/",
                "Query/", "Replay/", "mcictl/", "Person/",
            ].contains { path.hasPrefix($0) } && !path.contains("<")
        }
        #expect(paths.count > 30)
        for path in paths {
            #expect(Self.exists(path) || Self.exists("Sources/\(path)"), "\(path)")
        }
    }
}
