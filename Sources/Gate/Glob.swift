// SPDX-License-Identifier: Apache-2.0

import Events

/// A pattern for names and titles: `*` stands for any text, `?` for one character, all else for
/// itself; upper and lower case are the same in every script (see ``CaseFolding``), and so are all ways
/// of writing an accent.
///
/// It has no other syntax, so that no pattern is invalid and none can fail while it is matched.
package struct Glob: Hashable, Sendable, Redacted {
    /// The pattern as it was written.
    package let pattern: String
    /// Each a pattern of its own; one of them has to match.
    private let alternatives: [[Character]]

    /// The most characters of a pattern.
    package static let longest = 256

    /// A text in the form in which patterns look at it, made once for many of them.
    package struct Text: Sendable, Redacted {
        fileprivate private(set) var characters: [Character] = []
        /// The places of characters that are a part of the one before them in the text: of the second s
        /// of an ß, which a `?` stands for as a whole.
        fileprivate private(set) var parts: Set<Int> = []

        package init(_ text: String) {
            characters.reserveCapacity(text.utf8.count)
            for character in text {
                let first = characters.count
                characters += CaseFolding.fold(character)
                if characters.count > first + 1 { parts.formUnion(first + 1..<characters.count) }
            }
        }

        /// The place behind the character of the text that the one at a place belongs to.
        fileprivate func end(ofCharacterAt place: Int) -> Int {
            var end = place + 1
            while parts.contains(end) { end += 1 }
            return end
        }
    }

    /// - Parameter pattern: nil comes back for an empty one and for one that is too long.
    package init?(_ pattern: String) {
        guard !pattern.isEmpty, pattern.count <= Self.longest else { return nil }
        self.pattern = pattern
        alternatives = [Text(pattern).characters]
    }

    /// A pattern that matches what one of several matches.
    init(anyOf patterns: [String]) {
        pattern = patterns.joined(separator: ", ")
        alternatives = patterns.map { Text($0).characters }
    }

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool { matches(Text(text)) }

    /// Whether the whole text matches.
    package func matches(_ text: Text) -> Bool {
        alternatives.contains { Self.matches($0, text) }
    }

    private static func matches(_ pattern: [Character], _ whole: Text) -> Bool {
        let text = whole.characters
        var (place, next) = (0, 0)
        // What follows the last star, and the place in the text where it was tried to begin.
        var star: (next: Int, place: Int)?
        while place < text.count {
            if next < pattern.count, pattern[next] == "*" {
                next += 1
                star = (next, place)
            } else if next < pattern.count, pattern[next] == "?" {
                (place, next) = (whole.end(ofCharacterAt: place), next + 1)
            } else if next < pattern.count, pattern[next] == text[place] {
                (place, next) = (place + 1, next + 1)
            } else if let last = star {
                star = (last.next, last.place + 1)
                (place, next) = (last.place + 1, last.next)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }

    package static func == (left: Glob, right: Glob) -> Bool {
        left.alternatives == right.alternatives
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(alternatives) }
}
