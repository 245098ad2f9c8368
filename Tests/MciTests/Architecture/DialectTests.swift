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

    /// Phrases that nobody says.
    private static var phrases: [Regex<Substring>] {
        [
            #/\bis no (?!longer\b|more\b)[a-z]/#, #/\bare no [a-z]+[^a-z ]/#, #/\bat the most\b/#,
            #/\bat the least\b/#, #/\bin its stead\b/#, #/\blies? in the open\b/#, #/\btold\b/#,
            #/\btells\b/#, #/\bof all that\b/#, #/\bbefell\b/#, #/\bcome to pass\b/#,
            #/\bas it must be\b/#, #/\bto be told\b/#,
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
            for line in text.split(separator: "\n") {
                let code = line.components(separatedBy: "//")[0]
                    .replacing(#/"(?:[^"\\]|\\.)*"/#, with: "")
                for match in code.matches(of: #/[A-Za-z_][A-Za-z0-9_]*/#) {
                    let word = String(match.output)
                    if let better = Self.identifiers[word] {
                        Issue.record("\(path): \(word) → \(better)")
                    }
                }
            }
        }
    }

    @Test func `no sentence is of the old dialect`() throws {
        var texts = try Self.texts("Sources", [".swift"])
        texts.merge(try Self.texts("Documentation", [".md"])) { $1 }
        texts.merge(try Self.texts("packaging", [".1", ".py", "uninstall"])) { $1 }
        texts.merge(try Self.texts("Tests/Fixtures/words", [".txt"])) { $1 }
        for name in ["README.md", "CONTRIBUTING.md"] {
            texts[name] = try String(contentsOfFile: "\(Program.root)/\(name)", encoding: .utf8)
        }
        for (path, text) in texts {
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                for phrase in Self.phrases {
                    if let match = line.firstMatch(of: phrase) {
                        Issue.record("\(path):\(number + 1): “\(match.output)”")
                    }
                }
            }
        }
    }
}
