// SPDX-License-Identifier: Apache-2.0

/// A moment of the wall clock, in milliseconds since 1970 (UTC, without leap seconds).
package struct WallTime: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64

    /// Creates the moment `milliseconds` after 1970 began in UTC.
    package init(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Whether one moment is earlier than another.
    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment in RFC 3339, in UTC with milliseconds: `2026-11-21T13:35:02.118Z`.
    package var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the 24 ASCII characters of ``text``.
    package func append(to text: inout [UInt8]) {
        // The format can express only the years 0000 to 9999.
        let milliseconds = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let day = milliseconds.flooredQuotient(86_400_000)
        let clock = milliseconds - day * 86_400_000
        let (year, month, date) = Self.civil(day)
        text.append(year, digits: 4)
        text.append(0x2D)
        text.append(month, digits: 2)
        text.append(0x2D)
        text.append(date, digits: 2)
        text.append(0x54)
        text.append(clock / 3_600_000, digits: 2)
        text.append(0x3A)
        text.append(clock / 60_000 % 60, digits: 2)
        text.append(0x3A)
        text.append(clock / 1000 % 60, digits: 2)
        text.append(0x2E)
        text.append(clock % 1000, digits: 3)
        text.append(0x5A)
    }

    /// Parses RFC 3339 with `Z` or an offset, with or without a fraction.
    ///
    /// Returns nil for anything else, including an impossible date, a leap second, and an offset of
    /// 24 hours or more.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range].reduce(Int64?(0)) { value, byte in
                value.flatMap { (0x30...0x39).contains(byte) ? $0 * 10 + Int64(byte - 0x30) : nil }
            }
        }
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[13] == 0x3A,
            bytes[16] == 0x3A, bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20,
            let year = number(0..<4), let month = number(5..<7), (1...12).contains(month),
            let date = number(8..<10), (1...31).contains(date),
            let hour = number(11..<13), hour < 24, let minute = number(14..<16), minute < 60,
            let second = number(17..<19), second < 60
        else { return nil }
        var next = 19
        var fraction: Int64 = 0
        if bytes[next] == 0x2E {
            next += 1
            guard next < bytes.count, (0x30...0x39).contains(bytes[next]) else { return nil }
            var scale: Int64 = 100
            while next < bytes.count, (0x30...0x39).contains(bytes[next]) {
                fraction += Int64(bytes[next] - 0x30) * scale
                scale /= 10
                next += 1
            }
        }
        var offset: Int64 = 0
        if next + 1 == bytes.count, bytes[next] == 0x5A || bytes[next] == 0x7A {
            offset = 0
        } else if next + 6 == bytes.count, bytes[next] == 0x2B || bytes[next] == 0x2D,
            bytes[next + 3] == 0x3A, let hours = number(next + 1..<next + 3),
            let minutes = number(next + 4..<next + 6), hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * (bytes[next] == 0x2D ? -1 : 1)
        } else {
            return nil
        }
        let days = Self.days(year, month, date)
        // Reject 30 February, which would become a day in March.
        guard Self.civil(days) == (year, month, date) else { return nil }
        milliseconds =
            ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1000 + fraction
    }

    /// The date of a day since 1970.
    ///
    /// The year is shifted to begin in March (Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms").
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let date = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (year + era * 400 + (month <= 2 ? 1 : 0), month, date)
    }

    /// The day since 1970 of a date; the inverse of ``civil(_:)``.
    private static func days(_ year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: Int64, digits: Int) {
        var scale: Int64 = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            append(0x30 + UInt8(truncatingIfNeeded: value / scale % 10))
            scale /= 10
        }
    }
}

/// One simultaneous reading of all clocks.
package struct Moment: Equatable, Sendable {
    /// CLOCK_MONOTONIC, the clock of X timestamps; it stops during suspend.
    package var monotonic: EventTime
    /// CLOCK_BOOTTIME in milliseconds; it continues during suspend.
    package var boottime: Int64
    /// CLOCK_REALTIME, the wall clock.
    package var wall: WallTime

    /// Creates a reading.
    package init(monotonic: EventTime, boottime: Int64, wall: WallTime) {
        self.monotonic = monotonic
        self.boottime = boottime
        self.wall = wall
    }

    /// The wall clock minus CLOCK_MONOTONIC, in milliseconds.
    package var wallOffset: Int64 { wall.milliseconds - monotonic.milliseconds }
}
