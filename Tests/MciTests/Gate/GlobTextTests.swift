// SPDX-License-Identifier: Apache-2.0

import Foundation
import Gate
import Testing

/// Patterns in every script, and against all short texts.
@Suite struct GlobTextTests {
    private static let words = [
        "bank", "Straße", "café", "мой банк", "ΣΊΓΜΑΣ", "İstanbul", "بانک", "می\u{200C}خواهم",
        "बैंक", "क्षत्रिय", "ব্যাংক", "בנק", "שָׁלוֹם", "ธนาคาร", "ບໍ່", "ธุรกรรม", "银行", "銀行", "은행", "ぎんこう",
        "ngân hàng", "Ǆungla", "ﬁnance", "ẞ", "ա", "ბანკი", "ꮳꮃꭹ", "𐐢𐑌", "n\u{303}andu",
        "a\u{328}\u{301}",
    ]

    /// What may follow a word within one character: joiners, variation selectors, vowel signs, points and
    /// accents of many scripts.
    private static let joined: [Unicode.Scalar] =
        [
            "\u{200C}", "\u{200D}", "\u{FE0E}", "\u{FE0F}", "\u{20E3}", "\u{34F}", "\u{E0100}",
            "\u{61C}",
        ]
        + [0x300, 0x301, 0x303, 0x307, 0x308, 0x323, 0x328, 0x345, 0x3099, 0x309A].compactMap(
            Unicode.Scalar.init
        )
        + [0x5B0, 0x5B7, 0x5C1, 0x64B, 0x651, 0x653, 0x670].compactMap(Unicode.Scalar.init)
        + [0x93C, 0x93E, 0x93F, 0x940, 0x94D, 0x9BE, 0x9CD, 0xA3C, 0xBBE, 0xC4D].compactMap(
            Unicode.Scalar.init
        )
        + [0xE31, 0xE34, 0xE48, 0xEB1, 0x1160, 0x11A8].compactMap(Unicode.Scalar.init)

    @Test func `a word is found whatever joiner, sign or accent stands beside it`() {
        #expect(Self.joined.count >= 40)
        for word in Self.words {
            guard let glob = Glob("*\(word)*"), let end = Glob("*\(word)") else { continue }
            for scalar in Self.joined {
                var text = "x " + word
                text.unicodeScalars.append(scalar)
                #expect(glob.matches(text + " y"), "\(word) \(scalar.value)")
                var before = "x"
                before.unicodeScalars.append(scalar)
                #expect(end.matches(before + word), "\(word) behind \(scalar.value)")
            }
        }
    }

    @Test func `a word is found in either spelling of its accents, by either`() {
        for word in Self.words {
            let forms = [
                word.precomposedStringWithCanonicalMapping,
                word.decomposedStringWithCanonicalMapping,
                word.uppercased(), word.lowercased(),
            ]
            for pattern in forms {
                for text in forms {
                    #expect(
                        Glob("*\(pattern)*")?.matches("a \(text) b") == true,
                        "\(pattern) \(text)"
                    )
                    #expect(Glob(pattern)?.matches(text) == true, "\(pattern) \(text)")
                }
            }
        }
    }

    /// Matches as the words of ``Glob`` say it, with all ways of beginning tried.
    private static func slow(_ pattern: [Character], _ text: [Character]) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            return text.indices.contains { slow(Array(pattern.dropFirst()), Array(text[$0...])) }
                || slow(Array(pattern.dropFirst()), [])
        }
        guard let letter = text.first, first == "?" || first == letter else { return false }
        return slow(Array(pattern.dropFirst()), Array(text.dropFirst()))
    }

    @Test func `a pattern of any length matches accented texts as a slow one does`() {
        // Over 64 scalars, of which two or more are a character; some letters are not in the text.
        let letters: [Character] = ["é", "u\u{323}\u{308}", "o", "\u{1F468}\u{200D}\u{1F469}", "ж"]
        var random = SplitMix(seed: 192)
        var found = 0
        for _ in 0..<1500 {
            let text = (0..<Int.random(in: 0...90, using: &random)).compactMap { _ in
                letters.dropLast().randomElement(using: &random)
            }
            // A part of the text, with some of it taken for any.
            let begin = Int.random(in: 0...text.count, using: &random)
            let end = Int.random(in: begin...text.count, using: &random)
            let many = Int.random(in: 2...40, using: &random)
            var pattern: [Character] = begin == 0 ? [] : ["*"]
            for letter in text[begin..<end] {
                let chance = Int.random(in: 0..<many, using: &random)
                pattern.append(chance == 0 ? "?" : letter)
            }
            if Int.random(in: 0..<4, using: &random) == 0, !pattern.isEmpty {
                let place = pattern.indices.randomElement(using: &random) ?? 0
                pattern[place] = letters.randomElement(using: &random) ?? "o"
            }
            if end < text.count { pattern.append("*") }
            guard let glob = Glob(String(pattern)) else { continue }
            let matches = glob.matches(String(text))
            if matches { found += 1 }
            #expect(matches == Self.slow(pattern, text))
        }
        #expect((300..<1400).contains(found), "\(found)")
    }

    @Test func `every short pattern matches every short text as a slow one does`() {
        func all(_ letters: [Character], _ most: Int) -> [[Character]] {
            var lists: [[Character]] = [[]]
            var last = lists
            for _ in 0..<most {
                last = last.flatMap { list in letters.map { list + [$0] } }
                lists += last
            }
            return lists
        }
        let texts = all(["a", "b"], 5)
        for pattern in all(["a", "b", "*", "?"], isProof ? 5 : 4).dropFirst() {
            guard let glob = Glob(String(pattern)) else { continue }
            for text in texts {
                let isFound = glob.matches(String(text))
                #expect(isFound == Self.slow(pattern, text), "\(pattern) \(text)")
            }
        }
    }
}
