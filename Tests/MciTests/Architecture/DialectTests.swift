// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The code and the documents use the field's words (`Documentation/Architecture.md`, Glossary).
@Suite struct DialectTests {
    /// Identifiers of the home-made vocabulary, each with what replaced it.
    private static let identifiers = [
        "Lane": "StreamReader, StreamState", "WindowBook": "WindowCache",
        "WindowPage": "WindowSnapshot", "isVoid": "isInvalidated",
        "PointerPlaces": "PointerLocator", "FollowedPointer": "MasterPointer",
        "PointerPath": "DeadReckoning", "PointerTrail": "MotionHistory",
        "AheadEvent": "PendingEvent", "readAhead": "decode", "overhang": "carriedOver",
        "Batching": "OpenBatch", "EventPath": "Pipeline", "Surroundings": "Announcements",
        "Fingers": "TouchOwners", "Workplace": "Installation", "Examination": "DoctorChecks",
        "Forgetting": "Eraser", "Performance": "ReplayFile", "Hands": "XTestDevice",
        "Interruption": "SignalWaiter",
        "Happening": "Transition", "placeBeforeQuestion": "serialBeforeQuery",
        "placeAfterAnswer": "serialAfterReply", "areTold": "isAnnounced",
        "tellsText": "revealsText", "letThrough": "admitRun", "clearFrom": "admitsAllSince",
        "count32": "int32", "glassWidth": "widthMM", "isElsewhere": "isRemote",
        "mostBytes": "maxBytes", "mostTogether": "maxRowsPerCommit", "bury": "writeTombstones",
        "besides": "overheadBytes", "steadyOffset": "publishedOffset",
        "survey": "summary", "happening": "transition", "longest": "max…", "told": "reported",
        "tell": "report", "untold": "unreported",
    ]

    /// Phrases that nobody says: a part that is looked for, and what it then must not be.
    private static var phrases: [(part: String, phrase: Regex<Substring>)] {
        [
            (" is no ", #/\b(?!there\b|There\b)\w+ is no (?!longer\b|more\b)[a-z]/#),
            (" the most", #/\bat the most\b/#), (" the least", #/\bat the least\b/#),
            (" its stead", #/\bin its stead\b/#), (" in the open", #/\blies? in the open\b/#),
            ("told", #/\btold\b(?! from\b| apart\b| to\b)/#), ("tells", #/\btells\b/#),
            ("of all that", #/\bof all that\b/#), ("befell", #/\bbefell\b/#),
            ("come to pass", #/\bcome to pass\b/#), ("as it must", #/\bas it must be\b/#),
        ]
    }

    /// The texts that are looked at, by path.
    private static func texts(_ folder: String, _ endings: [String]) throws -> [String: String] {
        let start = "\(Program.root)/\(folder)"
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        var found: [String: String] = [:]
        for name in names where endings.contains(where: name.hasSuffix) {
            found["\(folder)/\(name)"] = try String(
                contentsOfFile: "\(start)/\(name)",
                encoding: .utf8
            )
        }
        return found
    }

    @Test func `no identifier is of the old vocabulary`() throws {
        let sources = try Self.texts("Sources", [".swift"])
        #expect(sources.count > 200)
        for (path, text) in sources {
            for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
                // Neither comments nor strings.
                var code = Substring(line)
                if let comment = code.range(of: "//") { code = code[..<comment.lowerBound] }
                let parts = code.utf8.split(
                    separator: UInt8(ascii: "\""),
                    omittingEmptySubsequences: false
                )
                for index in parts.indices where index.isMultiple(of: 2) {
                    for word in parts[index].split(whereSeparator: { !Self.isOfWord($0) }) {
                        let word = String(Substring(word))
                        if let better = Self.identifiers[word] {
                            Issue.record("\(path): \(word) → \(better)")
                        }
                    }
                }
            }
        }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x5F
            || (0x30...0x39).contains(byte)
    }

    @Test func `no sentence is of the old dialect`() throws {
        var texts = try Self.texts("Sources", [".swift"])
        texts.merge(try Self.texts("Documentation", [".md"])) { $1 }
        texts.merge(try Self.texts("packaging", [".1", ".py", "uninstall"])) { $1 }
        texts.merge(try Self.texts("Tests/Fixtures/words", [".txt"])) { $1 }
        texts.merge(try Self.texts("Tests/Scenarios", [".txt"])) { $1 }
        for name in ["README.md", "CONTRIBUTING.md"] {
            texts[name] = try String(contentsOfFile: "\(Program.root)/\(name)", encoding: .utf8)
        }
        for (path, text) in texts {
            for (part, phrase) in Self.phrases where text.contains(part) {
                for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
                    .enumerated() where line.contains(part)
                {
                    if let match = line.firstMatch(of: phrase) {
                        Issue.record("\(path):\(number + 1): “\(match.output)”")
                    }
                }
            }
        }
    }
}
