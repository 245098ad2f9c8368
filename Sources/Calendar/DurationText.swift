// SPDX-License-Identifier: Apache-2.0

/// Durations as people write them: `30m`, `1h30`, `1.5h`, `30 minutes`, `2 days`.
package enum DurationText {
    /// Parses a duration to milliseconds.
    ///
    /// - Parameters:
    ///   - text: Numbers with units, the longest unit first. A final number without a unit has the
    ///     next shorter unit.
    ///   - maximum: The maximum, in days.
    /// - Returns: A positive number of milliseconds.
    /// - Throws: ``TimeError``, which names the likely fix.
    package static func milliseconds(
        _ text: String,
        maximum: Int64 = 366
    ) throws(TimeError) -> Int64 {
        let shown = text.isEmpty ? "An empty text" : "“\(text)”"
        if !text.isEmpty, text.utf8.allSatisfy(isDigit) {
            throw TimeError("\(shown) has no unit. Did you mean \(text)m?")
        }
        guard let total = parse(text), total > 0 else {
            throw TimeError("\(shown) is not a duration. Examples: 90s, 30m, 1h30, 2 hours, 1d.")
        }
        guard total <= maximum * 86_400_000 else {
            throw TimeError(
                "\(shown) is longer than \(maximum == 366 ? "a year" : "\(maximum) days")."
            )
        }
        return total
    }

    /// The units, longest first: length in milliseconds, how many make up the next longer unit, and
    /// names.
    private static let units: [(length: Int64, most: Int64, names: Set<String>)] = [
        (604_800_000, .max, ["w", "week", "weeks"]),
        (86_400_000, 7, ["d", "day", "days"]),
        (3_600_000, 24, ["h", "hr", "hrs", "hour", "hours"]),
        (60_000, 60, ["m", "min", "mins", "minute", "minutes"]),
        (1000, 60, ["s", "sec", "secs", "second", "seconds"]),
    ]

    /// Parses a duration to milliseconds, which may be 0; nil for anything else.
    static func parse(_ text: String) -> Int64? {
        var rest = text.utf8[...]
        var total: Int64 = 0
        // Index of the last unit read; each further unit must be shorter.
        var last = -1
        rest = rest.drop(while: isBlank)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let whole = rest.prefix(while: isDigit)
            rest = rest.dropFirst(whole.count)
            var fraction = rest.prefix(0)
            if let point = rest.first, point == UInt8(ascii: ".") || point == UInt8(ascii: ",") {
                fraction = rest.dropFirst().prefix(while: isDigit)
                guard !fraction.isEmpty else { return nil }
                rest = rest.dropFirst(fraction.count + 1)
            }
            guard 1...6 ~= whole.count, fraction.count <= 6,
                let number = Int64(String(decoding: whole, as: UTF8.self))
            else { return nil }
            rest = rest.drop(while: isBlank)
            let letters = rest.prefix(while: isLetter)
            rest = rest.dropFirst(letters.count).drop(while: isBlank)
            let name = String(decoding: letters, as: UTF8.self)
            let unit: Int
            if name.isEmpty {
                // The minutes of `1h30`: after a unit, last, whole, and fewer than that unit holds.
                guard last >= 0, last + 1 < units.count, rest.isEmpty, fraction.isEmpty,
                    number < units[last + 1].most
                else { return nil }
                unit = last + 1
            } else {
                // Elsewhere a capital M means a month.
                guard name != "M",
                    let named = units.firstIndex(where: { $0.names.contains(name.lowercased()) }),
                    named > last
                else { return nil }
                unit = named
            }
            last = unit
            total += number * units[unit].length
            // 10^6 parts of a week fit into 63 bits.
            if let part = Int64(String(decoding: fraction, as: UTF8.self)) {
                let parts = (0..<fraction.count).reduce(Int64(1)) { parts, _ in parts * 10 }
                total += part * units[unit].length / parts
            }
        }
        return total
    }

    static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") }
}
