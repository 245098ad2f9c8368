// SPDX-License-Identifier: Apache-2.0

import Events
import Synchronization

/// A pattern for names and titles: `*` stands for any text, `?` for one character, all else for
/// itself; upper and lower case are the same in every script, and so are all ways of writing an accent
/// (see ``CaseFolding``).
///
/// It has no other syntax, so that no pattern is invalid and none can fail while it is matched. Any text
/// may begin or end within a character: `*bank*` matches wherever "bank" is written, also where a vowel
/// sign or a joiner follows. The time is linear in the text, whatever the pattern: its pieces between
/// stars are searched one behind the other, each once.
package struct Glob: Hashable, Sendable, Redacted {
    /// The pattern as it was written.
    package let pattern: String
    /// Each a pattern of its own, as its pieces between stars; one of them has to match.
    private let alternatives: [[Piece]]

    /// The most characters of a pattern.
    package static let longest = 256

    /// A text in the form in which patterns look at it, made once for many of them.
    package struct Text: Sendable, Redacted {
        fileprivate let scalars: [Unicode.Scalar]
        private let characters: Characters

        package init(_ text: String) {
            scalars = CaseFolding.fold(text)
            characters = Characters(text)
        }

        /// Whether each scalar is the last one of its character.
        fileprivate var ends: [Bool] { characters.ends }
    }

    /// - Parameter pattern: nil comes back for an empty one and for one that is too long.
    package init?(_ pattern: String) {
        guard !pattern.isEmpty, pattern.count <= Self.longest else { return nil }
        self.pattern = pattern
        alternatives = [Self.pieces(of: pattern)]
    }

    /// A pattern that matches what one of several matches.
    init(anyOf patterns: [String]) {
        pattern = patterns.joined(separator: ", ")
        alternatives = patterns.map(Self.pieces)
    }

    private static func pieces(of pattern: String) -> [Piece] {
        CaseFolding.fold(pattern)
            .split(separator: "*", omittingEmptySubsequences: false)
            .map { Piece(Array($0)) }
    }

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool { matches(Text(text)) }

    /// Whether the whole text matches.
    package func matches(_ text: Text) -> Bool {
        alternatives.contains { Self.matches($0, text) }
    }

    private static func matches(_ pieces: [Piece], _ text: Text) -> Bool {
        guard let first = pieces.first, let last = pieces.last else { return false }
        let isWhole = pieces.count == 1
        guard let begin = first.end(startingAt: 0, text, isWhole: isWhole) else { return false }
        if isWhole { return begin == text.scalars.count }
        // The earliest end leaves the most for what follows: none has to be tried again.
        var place = begin
        for piece in pieces.dropFirst().dropLast() {
            guard let end = piece.firstEnd(from: place, text) else { return false }
            place = end
        }
        return last.endsText(from: place, text)
    }

    package static func == (left: Glob, right: Glob) -> Bool {
        left.alternatives == right.alternatives
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(alternatives) }
}

/// What stands between two stars of a pattern.
private struct Piece: Hashable {
    /// A `?` stands for one character.
    private let scalars: [Unicode.Scalar]
    private let hasAny: Bool
    /// How many of them are left without the accents on the last letter, among which the text may have
    /// others of its own.
    private let core: Int
    /// For each number of scalars that match: how many still do where the next one does not (Knuth, Morris
    /// and Pratt).
    private let borders: [Int]

    private static let any: Unicode.Scalar = "?"

    init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
        hasAny = scalars.contains(Self.any)
        let letters = scalars.lastIndex { !$0.isMark }.map { $0 + 1 }
        core = hasAny ? scalars.count : letters ?? scalars.count
        var borders = [0]
        for count in scalars.indices.dropFirst() {
            var border = borders[count - 1]
            while border > 0, scalars[border] != scalars[count] { border = borders[border - 1] }
            borders.append(scalars[border] == scalars[count] ? border + 1 : 0)
        }
        self.borders = borders
    }

    /// The end of this piece where it begins at a place; nil where it does not.
    ///
    /// - Parameters:
    ///   - place: where to begin.
    ///   - text: the text.
    ///   - isWhole: whether nothing may follow.
    /// - Returns: the place behind it.
    func end(startingAt place: Int, _ text: Glob.Text, isWhole: Bool) -> Int? {
        if scalars.isEmpty { return place }
        var place = place
        let ends = hasAny ? text.ends : []
        for scalar in isWhole ? scalars[...] : scalars[..<core] {
            guard place < text.scalars.count else { return nil }
            if scalar == Self.any {
                while !ends[place] { place += 1 }
            } else if scalar != text.scalars[place] {
                return nil
            }
            place += 1
        }
        return isWhole ? place : endOfAccents(from: place, text)
    }

    /// The first end of this piece from a place on; nil where it does not come.
    func firstEnd(from place: Int, _ text: Glob.Text) -> Int? {
        if scalars.isEmpty { return place }
        if hasAny { return search(from: place, text) { _, isFound in isFound } }
        let (own, whole) = (scalars, text.scalars)
        guard whole.count - place >= own.count else { return nil }
        var matched = 0
        for next in place..<whole.count {
            let scalar = whole[next]
            while own[matched] != scalar, matched > 0 { matched = borders[matched - 1] }
            guard own[matched] == scalar else { continue }
            matched += 1
            guard matched == core else { continue }
            if core == own.count { return next + 1 }
            if let end = endOfAccents(from: next + 1, text) { return end }
            matched = borders[matched - 1]
        }
        return nil
    }

    /// Whether the text ends with this piece, which begins at a place or behind it.
    func endsText(from place: Int, _ text: Glob.Text) -> Bool {
        if scalars.isEmpty { return true }
        if !hasAny { return text.scalars[place...].suffix(scalars.count).elementsEqual(scalars) }
        let count = text.scalars.count
        return search(from: place, text) { end, isFound in isFound && end == count } != nil
    }

    /// The place behind the accents on the last letter, which stand in the order of their classes, between
    /// others perhaps; nil where one is missing.
    private func endOfAccents(from place: Int, _ text: Glob.Text) -> Int? {
        var place = place
        for accent in scalars[core...] {
            while place < text.scalars.count, text.scalars[place] != accent {
                guard text.scalars[place].isMark else { return nil }
                place += 1
            }
            guard place < text.scalars.count else { return nil }
            place += 1
        }
        return place
    }

    /// Runs through the text with all beginnings of this piece at once: one bit for each number of its
    /// scalars that have matched.
    ///
    /// - Parameters:
    ///   - place: where to begin.
    ///   - text: the text.
    ///   - isWanted: says of a place, and of whether this piece ends there, if it is the one.
    /// - Returns: the first place that is wanted; nil where there is none.
    private func search(
        from place: Int,
        _ text: Glob.Text,
        _ isWanted: (Int, Bool) -> Bool
    ) -> Int? {
        let ends = text.ends
        let words = scalars.count / 64 + 1
        let final = (word: scalars.count / 64, bit: UInt64(1) << UInt64(scalars.count % 64))
        let anywhere = mask(of: Self.any, words)
        let nothing = [UInt64](repeating: 0, count: words)
        // The places of all scalars one behind the other; those of a scalar that is not here come first.
        var masks = nothing
        var offsets: [Unicode.Scalar: Int] = [:]
        for scalar in scalars where scalar != Self.any && offsets[scalar] == nil {
            offsets[scalar] = masks.count
            masks += mask(of: scalar, words)
        }
        var states = nothing
        var (last, offset) = (Self.any, 0)
        for next in place..<text.scalars.count {
            states[0] |= 1
            let scalar = text.scalars[next]
            if scalar != last { (last, offset) = (scalar, offsets[scalar] ?? 0) }
            let isEnd = ends[next]
            var carry: UInt64 = 0
            for word in 0..<words {
                let state = states[word]
                // A `?` takes the whole of a character.
                let own = masks[offset + word]
                let steps = state & (isEnd ? own | anywhere[word] : own)
                let stays = isEnd ? 0 : state & anywhere[word]
                states[word] = steps << 1 | carry | stays
                carry = steps >> 63
            }
            if isWanted(next + 1, states[final.word] & final.bit != 0) { return next + 1 }
        }
        return nil
    }

    /// The places of a scalar in this piece, as bits.
    private func mask(of scalar: Unicode.Scalar, _ words: Int) -> [UInt64] {
        var mask = [UInt64](repeating: 0, count: words)
        for place in scalars.indices where scalars[place] == scalar {
            mask[place / 64] |= 1 << UInt64(place % 64)
        }
        return mask
    }
}

/// Where the characters of a text end among its folded scalars: found out when it is first asked, for few
/// patterns do.
private final class Characters: Sendable {
    private let text: String
    private let known = Mutex<[Bool]?>(nil)

    init(_ text: String) { self.text = text }

    var ends: [Bool] {
        known.withLock { known in
            if let known { return known }
            var ends: [Bool] = []
            ends.reserveCapacity(text.utf8.count)
            for character in text {
                let count = CaseFolding.fold(String(character)).count
                // Nothing is left of a character that is but a dot behind an i.
                guard count > 0 else { continue }
                ends += [Bool](repeating: false, count: count - 1) + [true]
            }
            known = ends
            return ends
        }
    }
}

extension Unicode.Scalar {
    /// Whether it is an accent or the like, which a text may have in another order.
    fileprivate var isMark: Bool {
        !isASCII && properties.canonicalCombiningClass != .notReordered
    }
}
