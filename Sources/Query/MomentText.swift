// SPDX-License-Identifier: Apache-2.0

import Events

/// Times as text: those of the recording, those that SQLite's date functions make, and prefixes of
/// them.
///
/// Time columns are compared by ``order(_:)``. So `2026-11-29 20:09`, `2026-11-29T20:09:00Z`,
/// `datetime(…)`, `julianday(…)` and `unixepoch(…)` all stand for the moment they mean. Text that
/// is not a time is compared as text.
enum MomentText {
    /// The name of the collation in SQL.
    static let collation = "mci_time"

    /// The bytes by which a text is sorted among the times.
    static func order(_ text: [UInt8]) -> [UInt8] {
        guard let (moment, rest) = parse(text) else { return text }
        return order(moment) + rest
    }

    /// The bytes by which a moment is sorted.
    static func order(_ moment: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        WallTime(moment).append(to: &bytes)
        // Without the Z, so that more digits may follow.
        return bytes.dropLast()
    }

    /// The milliseconds since 1970 of a number that SQLite's date functions accept as a time.
    ///
    /// It is a Julian day, seconds since 1970, or beyond that range milliseconds.
    static func milliseconds(_ number: Double) -> Int64? {
        switch number {
        // A year, the prefix of a time.
        case 0..<10_000: nil
        case 10_000..<5_373_484.5:
            Int64(((number - 2_440_587.5) * 86_400_000).rounded())
        case -210_866_760_000...253_402_300_799: Int64((number * 1000).rounded())
        case 253_402_300_799...253_402_300_799_999: Int64(number.rounded())
        default: nil
        }
    }

    /// Parses a text into its moment and the digits after the milliseconds.
    private static func parse(_ text: [UInt8]) -> (moment: Int64, rest: [UInt8])? {
        if let number = number(text) { return milliseconds(number).map { ($0, []) } }
        var date = Array("2000-01-01".utf8)
        var rest = text[...]
        if has(rest, "####-##-##") {
            date = Array(rest.prefix(10))
            rest = rest.dropFirst(10)
            if rest.isEmpty { return time(date, Array("00:00:00".utf8), [], []) }
            let time = rest.drop { $0 == 0x20 }
            guard time.count < rest.count || rest.first.map({ $0 | 0x20 }) == 0x74 else {
                return nil
            }
            rest = time.count < rest.count ? time : rest.dropFirst()
        }
        guard has(rest, "##:##") else { return nil }
        var clock = Array(rest.prefix(5))
        rest = rest.dropFirst(5)
        if has(rest, ":##") {
            clock += rest.prefix(3)
            rest = rest.dropFirst(3)
        } else {
            clock += Array(":00".utf8)
        }
        var fraction: ArraySlice<UInt8> = []
        if clock.count == 8, has(rest, ".#") {
            fraction = rest.dropFirst().prefix { 0x30...0x39 ~= $0 }
            rest = rest.dropFirst(1 + fraction.count)
        }
        return time(date, clock, fraction, rest.drop { $0 == 0x20 })
    }

    private static func time(
        _ date: [UInt8],
        _ clock: [UInt8],
        _ fraction: ArraySlice<UInt8>,
        _ zone: ArraySlice<UInt8>
    ) -> (moment: Int64, rest: [UInt8])? {
        // SQLite treats 24:00 as midnight of the next day.
        let isEndOfDay = clock.starts(with: Array("24:00:00".utf8))
        let shown = isEndOfDay ? Array("00:00:00".utf8) : clock
        var text = date + [0x54] + shown
        if !fraction.isEmpty { text += [0x2E] + fraction.prefix(3) }
        text += zone.isEmpty ? [0x5A] : Array(zone)
        guard let time = WallTime(String(decoding: text, as: UTF8.self)) else { return nil }
        var rest = Array(fraction.dropFirst(3))
        while rest.last == 0x30 { rest.removeLast() }
        return (time.milliseconds + (isEndOfDay ? 86_400_000 : 0), rest)
    }

    /// Parses a number in the form in which SQLite writes it.
    private static func number(_ text: [UInt8]) -> Double? {
        guard let first = text.first, 0x30...0x39 ~= first || first == 0x2D, text.count <= 30,
            text.allSatisfy({ 0x30...0x39 ~= $0 || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) })
        else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }

    /// Whether a text begins with a pattern, in which `#` stands for a digit.
    private static func has(_ text: ArraySlice<UInt8>, _ pattern: String) -> Bool {
        text.count >= pattern.utf8.count
            && zip(text, pattern.utf8).allSatisfy { byte, wanted in
                wanted == 0x23 ? 0x30...0x39 ~= byte : byte == wanted
            }
    }
}
