// SPDX-License-Identifier: Apache-2.0

// The standard library normalises text for comparison but does not expose the result. Our own table
// would be 2,000 lines of Unicode data, and Foundation would add 40 MB to the recorder.
@_spi(_Unicode) private import Swift

/// Unicode case folding that also unifies all spellings of an accent, in every script and language.
///
/// It applies full case folding, by Unicode's case mappings, to the canonical decomposition. So ß
/// and ẞ become ss, the ligature ﬁ becomes fi, and the final sigma becomes a sigma. In doubt two
/// letters are equal: the Turkish ı and İ both become i, because the language of a title is
/// unknown.
package enum CaseFolding {
    /// Folds a text to scalars; an accented letter becomes the letter followed by its accent.
    ///
    /// - Parameter text: Text of any length; the time is linear in it.
    /// - Returns: The same scalars for all texts that differ only in case and in the spelling of
    ///   accents.
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
            // An i already has its dot.
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

    /// Folds one scalar to one or more scalars.
    private static func mapped(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        var folded: [Unicode.Scalar] = []
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
            for upper in lower.properties.uppercaseMapping.unicodeScalars {
                for scalar in upper.properties.lowercaseMapping._nfd { folded.append(scalar) }
            }
        }
        return folded
    }

    /// Whether a scalar is in a range without case, so that Unicode's tables need not be searched.
    ///
    /// The ranges cover Hebrew, Arabic, the scripts of India, Chinese, Japanese and Korean.
    private static func hasNoCase(_ value: UInt32) -> Bool {
        switch value {
        case 0x590...0xFFF, 0x1100...0x11FF, 0x2E80...0xA63F: true
        default: false
        }
    }

    /// The foldings of all scalars below the first range of ``hasNoCase(_:)``.
    private static let knownFoldings = ScalarTable(until: 0x590, mapped)
}

/// The canonical decomposition of a text (NFD).
///
/// The standard library's own takes ten times as long: it looks up each scalar anew, in one tree of
/// all scalars.
private struct Decomposition {
    struct Part: Sendable {
        var scalar: Unicode.Scalar
        /// The canonical combining class, by which the marks on one letter are sorted.
        var order: UInt8

        var isMark: Bool { order > 0 }
    }

    private(set) var parts: [Part] = []
    /// The index at which the marks on the last letter begin.
    private var marks = 0
    private var areMarksInOrder = true
    /// A cache of decompositions for scalars outside the table.
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
        // Marks of the same class keep their order.
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

    /// Whether a scalar is an ideograph, which never decomposes.
    private static func isWhole(_ value: UInt32) -> Bool { 0x3400...0x9FFF ~= value }

    private static let known = ScalarTable(until: 0x1000, decomposed)
}

/// A table of values for each scalar of the common alphabets, computed once.
private struct ScalarTable<Value: Sendable>: Sendable {
    /// The values of all scalars, concatenated.
    private(set) var values: [Value] = []
    private var begins: [UInt16] = [0]
    /// The scalars from Latin-1 on.
    private let first: Range<UInt32>
    /// Further accented letters, and punctuation.
    private let second: Range<UInt32> = 0x1E00..<0x2200

    init(until end: UInt32, _ valuesOf: (Unicode.Scalar) -> [Value]) {
        first = 0x80..<end
        for value in [first, second].joined() {
            values += Unicode.Scalar(value).map(valuesOf) ?? []
            begins.append(UInt16(values.count))
        }
    }

    /// The indices of a scalar's values; nil for a scalar outside the table.
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
