// SPDX-License-Identifier: Apache-2.0

// The standard library normalises texts to compare them and keeps the result to itself; a table of our
// own would be 2,000 lines of Unicode's data, and Foundation 40 MB of the recorder.
@_spi(_Unicode) private import Swift

/// Makes one of upper and lower case and of all ways of writing an accent, in every script, whatever the
/// language.
///
/// It is Unicode's full case folding, by its mappings, of the canonical decomposition: ß and ẞ are ss, the
/// ligature ﬁ is fi, the final sigma is a sigma. In doubt two letters are the same: the Turkish ı and İ
/// are both i, because nobody can tell in which language a title is.
package enum CaseFolding {
    /// The scalars of a text, folded; a letter with an accent is the letter and its accent.
    ///
    /// - Parameter text: of any length; the time is linear in it.
    /// - Returns: the same scalars for all texts that differ in case and in the spelling of accents alone.
    package static func fold(_ text: String) -> [Unicode.Scalar] {
        let bytes = Array(text.utf8)
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.map(lower) }
        var folded: [Unicode.Scalar] = []
        folded.reserveCapacity(bytes.count)
        var isAfterI = false
        for scalar in text._nfd {
            if scalar.isASCII {
                let letter = lower(ascii: UInt8(truncatingIfNeeded: scalar.value))
                isAfterI = letter == "i"
                folded.append(letter)
                continue
            }
            // An i has its dot already.
            if isAfterI, scalar == "\u{307}" { continue }
            let known = Int(scalar.value) - Int(firstKnown)
            if known < knownScalars.count, let only = knownScalars[known] {
                folded.append(only)
            } else if hasNoCase(scalar.value) {
                folded.append(scalar)
            } else {
                folded += mapped(scalar)
            }
            if isAfterI, !isMark(scalar) { isAfterI = false }
            if folded.last == "i", !isMark(scalar) { isAfterI = true }
        }
        return folded
    }

    private static func lower(ascii byte: UInt8) -> Unicode.Scalar {
        let isUpper = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
        return Unicode.Scalar(isUpper ? byte | 0x20 : byte)
    }

    /// Folds one scalar, which may become several.
    private static func mapped(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        var folded: [Unicode.Scalar] = []
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
            for upper in lower.properties.uppercaseMapping.unicodeScalars {
                for scalar in upper.properties.lowercaseMapping._nfd { folded.append(scalar) }
            }
        }
        return folded
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.canonicalCombiningClass != .notReordered
    }

    /// Whether no scalar around a value has a case, which spares the look into Unicode's tables: what is
    /// written in Hebrew, Arabic, the scripts of India, Chinese, Japanese and Korean.
    private static func hasNoCase(_ value: UInt32) -> Bool {
        switch value {
        case 0x590...0xFFF, 0x1100...0x11FF, 0x2E80...0xA63F: true
        default: false
        }
    }

    private static let firstKnown: UInt32 = 0x80

    /// The folded scalars of the alphabets that have cases, from ``firstKnown`` on; nil where one becomes
    /// several.
    private static let knownScalars: [Unicode.Scalar?] = (firstKnown..<0x590).map { value in
        let folded = Unicode.Scalar(value).map(mapped) ?? []
        return folded.count == 1 ? folded.first : nil
    }
}
