// SPDX-License-Identifier: Apache-2.0

/// Makes one of upper and lower case, in every script, and whatever the language.
///
/// It is Unicode's full case folding, by its mappings: ß and ẞ are ss, the ligature ﬁ is fi, the final
/// sigma is a sigma. In doubt two letters are the same: the Turkish ı and İ are both i, because nobody
/// can tell in which language a title is.
package enum CaseFolding {
    /// Folds one character, which may become several.
    package static func fold(_ character: Character) -> String {
        let scalars = character.unicodeScalars
        if let only = scalars.first, scalars.count == 1, only.isASCII {
            return only.properties.lowercaseMapping
        }
        // The iota below a letter becomes a letter, behind all other marks.
        let iotaBelow: Unicode.Scalar = "\u{345}"
        let ordered = scalars.filter { $0 != iotaBelow } + scalars.filter { $0 == iotaBelow }
        var folded = String.UnicodeScalarView()
        for scalar in ordered {
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                for upper in lower.properties.uppercaseMapping.unicodeScalars {
                    folded.append(contentsOf: upper.properties.lowercaseMapping.unicodeScalars)
                }
            }
        }
        // An i has its dot already.
        if folded.first == "i" { folded.removeAll { $0 == "\u{307}" } }
        return String(folded)
    }

    /// Folds a text.
    package static func fold(_ text: String) -> String {
        text.reduce(into: "") { $0 += fold($1) }
    }
}
