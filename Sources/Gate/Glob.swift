// SPDX-License-Identifier: Apache-2.0

import Events
import Synchronization

/// A pattern for names and titles: `*` matches any text, `?` one character, all else itself.
///
/// Case and the spelling of accents are ignored in every script (see ``CaseFolding``).
///
/// There is no other syntax, so every pattern is valid and matching cannot fail. Any text may begin
/// or end within a character: `*bank*` also matches "bank" followed by a vowel sign or a joiner.
/// The time is linear in the text for every pattern: the pieces between stars are searched in
/// order, each once.
package struct Glob: Hashable, Sendable, Redacted {
    /// The pattern as it was written.
    package let pattern: String
    /// Alternative patterns, each as its pieces between stars; one of them has to match.
    private let alternatives: [[Piece]]

    /// Maximum characters of a pattern.
    package static let maxLength = 256

    /// A text prepared for matching by many patterns.
    package struct Text: Sendable, Redacted {
        fileprivate let scalars: [Unicode.Scalar]
        private let characters: Characters

        /// Prepares a text: folds it once.
        package init(_ text: String) {
            scalars = CaseFolding.fold(text)
            characters = Characters(text)
        }

        /// The folded scalars with numbers, for pieces that contain `?`.
        fileprivate var numbered: Characters.Numbered { characters.numbered(scalars) }
    }

    /// Creates a pattern; nil if it is empty or longer than ``longest``.
    package init?(_ pattern: String) {
        guard !pattern.isEmpty, pattern.count <= Self.maxLength else { return nil }
        self.pattern = pattern
        alternatives = [Self.pieces(of: pattern)]
    }

    /// Creates a pattern that matches whatever one of several patterns matches.
    init(anyOf patterns: [String]) {
        pattern = patterns.joined(separator: ", ")
        alternatives = patterns.map(Self.pieces)
    }

    private static func pieces(of pattern: String) -> [Piece] {
        CaseFolding.fold(pattern)
            .split(separator: "*", omittingEmptySubsequences: false)
            .map { Piece(Array($0)) }
    }

    /// Whether the pattern matches the whole text.
    package func matches(_ text: String) -> Bool { matches(Text(text)) }

    /// Whether the pattern matches the whole prepared text.
    package func matches(_ text: Text) -> Bool {
        alternatives.contains { Self.matches($0, text) }
    }

    private static func matches(_ pieces: [Piece], _ text: Text) -> Bool {
        guard let first = pieces.first, let last = pieces.last else { return false }
        let isWhole = pieces.count == 1
        guard let begin = first.end(startingAt: 0, text, isWhole: isWhole) else { return false }
        if isWhole { return begin == text.scalars.count }
        // The earliest end leaves the most text for the rest, so no piece has to be retried.
        var place = begin
        for piece in pieces.dropFirst().dropLast() {
            guard let end = piece.firstEnd(from: place, text) else { return false }
            place = end
        }
        return last.endsText(from: place, text)
    }

    /// Whether two patterns have the same pieces after folding.
    package static func == (left: Glob, right: Glob) -> Bool {
        left.alternatives == right.alternatives
    }

    /// Hashes the folded pieces.
    package func hash(into hasher: inout Hasher) { hasher.combine(alternatives) }
}

/// A piece of a pattern between two stars.
private struct Piece: Hashable {
    /// The folded scalars; `?` matches one character.
    private let scalars: [Unicode.Scalar]
    private let hasAny: Bool
    /// The number of scalars without the accents on the last letter; the text may have further
    /// accents among those.
    private let core: Int
    /// For each number of matched scalars, how many still match if the next one does not (Knuth,
    /// Morris and Pratt).
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

    /// Matches this piece at an offset.
    ///
    /// - Parameters:
    ///   - place: The offset at which it begins.
    ///   - text: The text.
    ///   - isWhole: Whether the piece must be the whole text.
    /// - Returns: The offset behind the piece; nil if it does not match.
    func end(startingAt place: Int, _ text: Glob.Text, isWhole: Bool) -> Int? {
        if scalars.isEmpty { return place }
        var place = place
        let steps = hasAny ? text.numbered.steps : []
        for scalar in isWhole ? scalars[...] : scalars[..<core] {
            guard place < text.scalars.count else { return nil }
            if scalar == Self.any {
                while !steps[place].isEnd { place += 1 }
            } else if scalar != text.scalars[place] {
                return nil
            }
            place += 1
        }
        return isWhole ? place : endOfAccents(from: place, text)
    }

    /// The end of the first match of this piece at or after an offset; nil if there is none.
    func firstEnd(from place: Int, _ text: Glob.Text) -> Int? {
        if scalars.isEmpty { return place }
        if hasAny { return search(from: place, text, atEnd: false) }
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

    /// Whether the text ends with this piece, beginning at or after an offset.
    func endsText(from place: Int, _ text: Glob.Text) -> Bool {
        if scalars.isEmpty { return true }
        if !hasAny { return text.scalars[place...].suffix(scalars.count).elementsEqual(scalars) }
        return search(from: place, text, atEnd: true) != nil
    }

    /// The offset behind the accents on the last letter; nil if one is missing.
    ///
    /// They are in the order of their combining classes, possibly among others.
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

    /// Searches the text for all possible beginnings of this piece at once.
    ///
    /// One bit for each number of its scalars records whether that many have matched (Shift-And).
    ///
    /// - Parameters:
    ///   - place: The offset at which to begin.
    ///   - text: The text.
    ///   - atEnd: Whether this piece must end where the text does.
    /// - Returns: The first offset at which this piece ends; nil if there is none.
    private func search(from place: Int, _ text: Glob.Text, atEnd: Bool) -> Int? {
        let numbered = text.numbered
        let words = scalars.count / 64 + 1
        // The positions of each scalar as bits, in concatenated rows. The first row belongs to all
        // scalars that the piece lacks.
        var rows = [UInt16](repeating: 0, count: numbered.count)
        var masks = [UInt64](repeating: 0, count: words)
        var anywhere = masks
        for (place, scalar) in scalars.enumerated() {
            let (word, bit) = (place / 64, UInt64(1) << UInt64(place % 64))
            if scalar == Self.any {
                anywhere[word] |= bit
                continue
            }
            guard let number = numbered.number(of: scalar) else { return nil }
            if rows[number] == 0 {
                rows[number] = UInt16(masks.count / words)
                masks += repeatElement(0, count: words)
            }
            masks[Int(rows[number]) * words + word] |= bit
        }
        let final = UInt64(1) << UInt64(scalars.count % 64)
        guard words > 1 else {
            return search(from: place, numbered.steps, rows, masks, anywhere[0], final, atEnd)
        }
        let steps = numbered.steps.span
        var states = [UInt64](repeating: 0, count: words)
        var state = states.mutableSpan
        for next in steps.indices.dropFirst(place) {
            state[0] |= 1
            let step = steps[next]
            let row = Int(rows[step.number]) * words
            var carry: UInt64 = 0
            for word in 0..<words {
                // A `?` takes a whole character.
                let taken = state[word] & anywhere[word]
                let moved = state[word] & masks[row + word] | (step.isEnd ? taken : 0)
                state[word] = moved << 1 | carry | (step.isEnd ? 0 : taken)
                carry = moved >> 63
            }
            if !atEnd, state[words - 1] & final != 0 { return next + 1 }
        }
        return atEnd && state[words - 1] & final != 0 ? steps.count : nil
    }

    /// The same search for a piece of fewer than 64 scalars.
    private func search(
        from place: Int,
        _ steps: [Characters.Step],
        _ rows: [UInt16],
        _ masks: [UInt64],
        _ anywhere: UInt64,
        _ final: UInt64,
        _ atEnd: Bool
    ) -> Int? {
        var state: UInt64 = 0
        for next in steps.indices.dropFirst(place) {
            state |= 1
            let step = steps[next]
            let taken = state & anywhere
            let moved = state & masks[Int(rows[step.number])] | (step.isEnd ? taken : 0)
            state = moved << 1 | (step.isEnd ? 0 : taken)
            if !atEnd, state & final != 0 { return next + 1 }
        }
        return atEnd && state & final != 0 ? steps.count : nil
    }
}

/// The characters of a text and its folded scalars by number.
///
/// They are computed on first use, because few patterns need them.
private final class Characters: Sendable {
    /// One folded scalar.
    struct Step: Sendable {
        private let bits: UInt32

        init(number: Int, isEnd: Bool) { bits = UInt32(number) << 1 | (isEnd ? 1 : 0) }

        /// The scalar's number; equal for equal scalars.
        var number: Int { Int(bits >> 1) }
        /// Whether it is the last scalar of its character.
        var isEnd: Bool { bits & 1 != 0 }
    }

    /// The folded scalars, with a number for each distinct one.
    struct Numbered: Sendable {
        fileprivate(set) var steps: [Step] = []
        /// The number of distinct scalars.
        fileprivate(set) var count = 0
        /// Numbers plus 1 of scalars below 0x600, the most frequent ones; 0 for one that is not in
        /// the text.
        private var low = [UInt32](repeating: 0, count: 0x600)
        private var others: [Unicode.Scalar: Int] = [:]

        /// The number of a scalar; nil if the text lacks it.
        func number(of scalar: Unicode.Scalar) -> Int? {
            guard scalar.value < low.count else { return others[scalar] }
            let number = Int(low[Int(scalar.value)])
            return number == 0 ? nil : number - 1
        }

        fileprivate mutating func add(_ scalar: Unicode.Scalar, isEnd: Bool) {
            var number = number(of: scalar)
            if number == nil {
                if scalar.value < low.count {
                    low[Int(scalar.value)] = UInt32(count + 1)
                } else {
                    others[scalar] = count
                }
                number = count
                count += 1
            }
            steps.append(Step(number: number ?? 0, isEnd: isEnd))
        }
    }

    private let text: String
    private let known = Mutex<Numbered?>(nil)

    init(_ text: String) { self.text = text }

    /// Returns the folded scalars with their numbers, computed once.
    ///
    /// - Parameter scalars: The folded scalars of the text.
    /// - Returns: A step for each scalar.
    func numbered(_ scalars: [Unicode.Scalar]) -> Numbered {
        known.withLock { known in
            if let known { return known }
            var numbered = Numbered()
            numbered.steps.reserveCapacity(scalars.count)
            var rest = scalars[...]
            for length in lengths {
                for (place, scalar) in rest.prefix(length).enumerated() {
                    numbered.add(scalar, isEnd: place == length - 1)
                }
                rest = rest.dropFirst(length)
            }
            for scalar in rest { numbered.add(scalar, isEnd: true) }
            known = numbered
            return numbered
        }
    }

    /// The number of folded scalars of each character.
    private var lengths: [Int] {
        // CR LF is one character with two scalars.
        if text.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\r") }) {
            return [Int](repeating: 1, count: text.utf8.count)
        }
        var lengths: [Int] = []
        lengths.reserveCapacity(text.utf8.count)
        // A cache of the lengths of characters with one or two scalars.
        var lengthsSeen: [UInt64: Int] = [:]
        for character in text {
            let scalars = character.unicodeScalars
            guard let first = scalars.first, scalars.dropFirst(2).isEmpty else {
                lengths.append(CaseFolding.fold(String(character)).count)
                continue
            }
            let second = scalars.dropFirst().first?.value ?? 0
            if second == 0, first.isASCII {
                lengths.append(1)
                continue
            }
            let key = UInt64(first.value) << 32 | UInt64(second)
            let length = lengthsSeen[key] ?? CaseFolding.fold(String(character)).count
            lengthsSeen[key] = length
            lengths.append(length)
        }
        return lengths
    }
}

extension Unicode.Scalar {
    /// Whether it is an accent or a similar mark, whose order in a text may differ.
    fileprivate var isMark: Bool {
        !isASCII && properties.canonicalCombiningClass != .notReordered
    }
}
