// SPDX-License-Identifier: Apache-2.0

import Events
@_spi(_Unicode) private import Swift
import Testing

/// Folding beside what the standard library's normalisation and Unicode's mappings give.
@Suite struct CaseFoldingTests {
    /// The mappings, one scalar after the other, of the whole text in its canonical decomposition.
    private static func slow(_ text: String) -> [Unicode.Scalar] {
        var folded: [Unicode.Scalar] = []
        var isAfterI = false
        for scalar in text._nfd {
            if isAfterI, scalar == "\u{307}" { continue }
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                for upper in lower.properties.uppercaseMapping.unicodeScalars {
                    for scalar in upper.properties.lowercaseMapping._nfd { folded.append(scalar) }
                }
            }
            if scalar.properties.canonicalCombiningClass == .notReordered {
                isAfterI = folded.last == "i"
            }
        }
        return folded
    }

    /// A difference between the two; nil for none.
    private static func difference(_ scalars: [Unicode.Scalar]) -> String? {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        guard CaseFolding.fold(text) != slow(text) else { return nil }
        return scalars.map { String($0.value, radix: 16) }.joined(separator: " ")
    }

    @Test func `every scalar folds as its decomposition and its mappings say`() {
        let wrong = (0...0x2FFFF).compactMap { Unicode.Scalar($0) }.compactMap {
            Self.difference([$0])
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(20))")
    }

    // U+F73 is left out, with U+F75 and U+F81: the standard library lets none of the marks before them pass
    // into their order, as Unicode does.
    @Test func `marks come into their order, however many, between letters of all kinds`() {
        let marks =
            (0x300...0x36F).compactMap(Unicode.Scalar.init)
            + [
                0x591, 0x5B0, 0x64B, 0x670, 0x93C, 0x94D, 0xE38, 0xF71, 0x1DC0, 0x20D0,
                0x3099,
            ]
            .compactMap(Unicode.Scalar.init)
        let letters: [Unicode.Scalar] =
            [
                "a", "I", "i", "\u{130}", "\u{131}", "\u{E9}", "\u{1D5}", "\u{DF}", "\u{1E9E}",
                "\u{3A3}",
                "\u{3AA}", "\u{419}", "\u{1EA4}", "\u{1F82}", "\u{FB01}", "\u{915}", "\u{958}",
                "\u{1100}",
                "\u{1161}", "\u{AC01}", "\u{4E00}", "\u{F900}", "\u{2014}", "\u{212B}", "\u{34F}",
                "\u{1D15E}",
                "\u{10400}", "\n",
            ]
        var random = SplitMix(seed: 191)
        for _ in 0..<20_000 {
            let scalars = (0..<Int.random(in: 1...9, using: &random)).compactMap { _ in
                (Bool.random(using: &random) ? marks : letters).randomElement(using: &random)
            }
            let wrong = Self.difference(scalars)
            #expect(wrong == nil)
        }
        let long = (0..<5000).compactMap { _ in marks.randomElement(using: &random) }
        #expect(Self.difference(["e"] + long) == nil)
    }
}
