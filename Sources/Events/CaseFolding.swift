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
        let known = knownFoldings
        var folded: [Unicode.Scalar] = []
        folded.reserveCapacity(bytes.count)
        var isAfterI = false
        for part in Decomposition(text).parts {
            let scalar = part.scalar
            if scalar.isASCII {
                let letter = lower(ascii: UInt8(truncatingIfNeeded: scalar.value))
                isAfterI = letter == "i"
                folded.append(letter)
                continue
            }
            // An i has its dot already.
            if isAfterI, scalar == "\u{307}" { continue }
            if let range = known.range(of: scalar) {
                for place in range { folded.append(known.values[place]) }
            } else if hasNoCase(scalar.value) {
                folded.append(scalar)
            } else {
                folded += mapped(scalar)
            }
            if !part.isMark { isAfterI = folded.last == "i" }
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

    /// Whether no scalar around a value has a case, which spares the look into Unicode's tables: what is
    /// written in Hebrew, Arabic, the scripts of India, Chinese, Japanese and Korean.
    private static func hasNoCase(_ value: UInt32) -> Bool {
        switch value {
        case 0x590...0xFFF, 0x1100...0x11FF, 0x2E80...0xA63F: true
        default: false
        }
    }

    /// Up to what ``hasNoCase(_:)`` knows.
    private static let knownFoldings = ScalarTable(until: 0x590, mapped)
}

/// The canonical decomposition of a text (NFD).
///
/// The standard library's takes ten times as long: it looks up each scalar anew, in a tree of all.
private struct Decomposition {
    struct Part: Sendable {
        var scalar: Unicode.Scalar
        /// The canonical combining class: marks on one letter stand in its order.
        var order: UInt8

        var isMark: Bool { order > 0 }
    }

    private(set) var parts: [Part] = []
    /// Where the marks on the last letter begin.
    private var marks = 0
    private var areMarksInOrder = true
    /// What is in no table, as far as it has come up.
    private var others: [Unicode.Scalar: [Part]] = [:]

    init(_ text: String) {
        let known = Self.known
        parts.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar.isASCII || Self.isWhole(scalar.value) {
                append(Part(scalar: scalar, order: 0))
            } else if let range = known.range(of: scalar) {
                for place in range { append(known.values[place]) }
            } else {
                for part in other(scalar) { append(part) }
            }
        }
        orderMarks()
    }

    private mutating func append(_ part: Part) {
        if !part.isMark {
            orderMarks()
            marks = parts.count + 1
        } else if parts.count > marks, let last = parts.last, last.order > part.order {
            areMarksInOrder = false
        }
        parts.append(part)
    }

    private mutating func orderMarks() {
        guard !areMarksInOrder else { return }
        // Those of one class stay in their order.
        parts[marks...].sort { $0.order < $1.order }
        areMarksInOrder = true
    }

    private mutating func other(_ scalar: Unicode.Scalar) -> [Part] {
        if let known = others[scalar] { return known }
        let parts = Self.decomposed(scalar)
        others[scalar] = parts
        return parts
    }

    private static func decomposed(_ scalar: Unicode.Scalar) -> [Part] {
        var parts: [Part] = []
        for scalar in String(scalar)._nfd {
            let order = scalar.properties.canonicalCombiningClass.rawValue
            parts.append(Part(scalar: scalar, order: order))
        }
        return parts
    }

    /// Whether a value is a letter that does not decompose: an ideograph.
    private static func isWhole(_ value: UInt32) -> Bool { 0x3400...0x9FFF ~= value }

    private static let known = ScalarTable(until: 0x1000, decomposed)
}

/// What belongs to each scalar of the usual alphabets, looked up once.
private struct ScalarTable<Value: Sendable>: Sendable {
    /// Of all scalars, one behind the other.
    private(set) var values: [Value] = []
    private var begins: [UInt16] = [0]
    /// From Latin on.
    private let first: Range<UInt32>
    /// Further letters with accents, and punctuation.
    private let second: Range<UInt32> = 0x1E00..<0x2200

    init(until end: UInt32, _ valuesOf: (Unicode.Scalar) -> [Value]) {
        first = 0x80..<end
        for value in [first, second].joined() {
            values += Unicode.Scalar(value).map(valuesOf) ?? []
            begins.append(UInt16(values.count))
        }
    }

    /// Where the values of a scalar are; nil for one that is not here.
    func range(of scalar: Unicode.Scalar) -> Range<Int>? {
        let place: Int
        if first.contains(scalar.value) {
            place = Int(scalar.value - first.lowerBound)
        } else if second.contains(scalar.value) {
            place = first.count + Int(scalar.value - second.lowerBound)
        } else {
            return nil
        }
        return Int(begins[place])..<Int(begins[place + 1])
    }
}
