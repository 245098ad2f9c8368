// SPDX-License-Identifier: Apache-2.0

import Events

/// A pattern for names and titles: `*` stands for any text, `?` for one character, all else for
/// itself; upper and lower case are the same.
///
/// It has no other syntax, so that no pattern is invalid and none can fail while it is matched.
package struct Glob: Hashable, Sendable, Redacted {
    /// The pattern as it was written.
    package let pattern: String
    private let folded: [Character]

    /// - Parameter pattern: nil comes back for an empty one, which would match nothing but nothing.
    package init?(_ pattern: String) {
        guard !pattern.isEmpty, pattern.count <= Self.longest else { return nil }
        self.pattern = pattern
        folded = Self.fold(pattern)
    }

    /// The most characters of a pattern.
    package static let longest = 256

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool {
        let text = Self.fold(text)
        var (place, next) = (0, 0)
        // The last star, and the place in the text it was tried to end at.
        var star: (next: Int, place: Int)?
        while place < text.count {
            if next < folded.count, folded[next] == "*" {
                star = (next + 1, place)
                next += 1
            } else if next < folded.count, folded[next] == "?" || folded[next] == text[place] {
                (place, next) = (place + 1, next + 1)
            } else if let last = star {
                star = (last.next, last.place + 1)
                (place, next) = (last.place + 1, last.next)
            } else {
                return false
            }
        }
        return folded[next...].allSatisfy { $0 == "*" }
    }

    /// One form for all ways of writing the same; characters compare by canonical equivalence.
    private static func fold(_ text: String) -> [Character] {
        Array(text.lowercased())
    }

    package static func == (left: Glob, right: Glob) -> Bool { left.folded == right.folded }

    package func hash(into hasher: inout Hasher) { hasher.combine(folded) }
}
