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

        /// The scalars as they are searched for with a `?` among others.
        fileprivate var numbered: Characters.Numbered { characters.numbered(scalars) }
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

    /// The first end of this piece from a place on; nil where it does not come.
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

    /// Whether the text ends with this piece, which begins at a place or behind it.
    func endsText(from place: Int, _ text: Glob.Text) -> Bool {
        if scalars.isEmpty { return true }
        if !hasAny { return text.scalars[place...].suffix(scalars.count).elementsEqual(scalars) }
        return search(from: place, text, atEnd: true) != nil
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
    ///   - atEnd: whether this piece has to end where the text does.
    /// - Returns: the first place where this piece ends; nil where there is none.
    private func search(from place: Int, _ text: Glob.Text, atEnd: Bool) -> Int? {
        let numbered = text.numbered
        let words = scalars.count / 64 + 1
        // The places of each scalar as bits, in rows one behind the other; the first is of all that are not
        // here.
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
                // A `?` takes the whole of a character.
                let taken = state[word] & anywhere[word]
                let moved = state[word] & masks[row + word] | (step.isEnd ? taken : 0)
                state[word] = moved << 1 | carry | (step.isEnd ? 0 : taken)
                carry = moved >> 63
            }
            if !atEnd, state[words - 1] & final != 0 { return next + 1 }
        }
        return atEnd && state[words - 1] & final != 0 ? steps.count : nil
    }

    /// The same for a piece of less than 64 scalars.
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

/// The characters of a text, and its folded scalars by number: found out when it is first asked, for few
/// patterns do.
private final class Characters: Sendable {
    /// One of the folded scalars.
    struct Step: Sendable {
        private let bits: UInt32

        init(number: Int, isEnd: Bool) { bits = UInt32(number) << 1 | (isEnd ? 1 : 0) }

        /// The same for the same scalar.
        var number: Int { Int(bits >> 1) }
        /// Whether it is the last one of its character.
        var isEnd: Bool { bits & 1 != 0 }
    }

    /// The folded scalars with a number for each that is different.
    struct Numbered: Sendable {
        fileprivate(set) var steps: [Step] = []
        /// How many there are that differ.
        fileprivate(set) var count = 0
        /// The numbers, from 1 on, of the scalars that are most frequent; 0 for one that is not in the text.
        private var low = [UInt32](repeating: 0, count: 0x600)
        private var others: [Unicode.Scalar: Int] = [:]

        /// The number of a scalar; nil for one that is not in the text.
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

    /// The folded scalars with their numbers.
    ///
    /// - Parameter scalars: of the text, folded.
    /// - Returns: a step for each of them.
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
        // A line end may be two.
        if text.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\r") }) {
            return [Int](repeating: 1, count: text.utf8.count)
        }
        var lengths: [Int] = []
        lengths.reserveCapacity(text.utf8.count)
        // Those of characters of one scalar, and of two.
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
    /// Whether it is an accent or the like, which a text may have in another order.
    fileprivate var isMark: Bool {
        !isASCII && properties.canonicalCombiningClass != .notReordered
    }
}
