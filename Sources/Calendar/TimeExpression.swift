// SPDX-License-Identifier: Apache-2.0

import Events

/// A point in time as people write it, in the machine's time zone.
///
/// Every option uses this grammar: `10m` (ago), `14:05`, `24:00`, `yesterday`, `tomorrow 09:00`,
/// `2026-11-21`, `2026-11-21 14:05`, `now`, and RFC 3339.
enum TimeExpression: Equatable {
    case exact(WallTime)
    /// A length before now, in milliseconds.
    case ago(Int64)
    /// A time of day; the other bound or the current time decides the day.
    case clock(ClockTime)
    /// A whole day, represented by its midnight.
    case day(LocalTime)
    case dayAndClock(LocalTime, ClockTime)

    /// Parses an expression.
    ///
    /// - Parameters:
    ///   - text: The text from the command line.
    ///   - now: The current time.
    /// - Throws: ``TimeError`` if it is not a time.
    init(_ text: String, now: WallTime) throws(TimeError) {
        if let time = WallTime(text) {
            self = .exact(time)
            return
        }
        // `2026-11-21T14:05` is ISO 8601 without a zone.
        var words = text.split(separator: " ").map(String.init)
        if words.count == 1, let word = words.first, word.utf8.count > 11,
            word.utf8.dropFirst(10).first.map({ $0 | 0x20 }) == UInt8(ascii: "t")
        {
            words = [String(word.prefix(10)), String(word.dropFirst(11))]
        }
        if words == ["now"] {
            self = .exact(now)
        } else if words.count == 1, let time = try ClockTime(words[0]) {
            self = .clock(time)
        } else if 1...2 ~= words.count, let day = try Self.day(words[0], now) {
            if words.count == 1 {
                self = .day(day)
            } else if let time = try ClockTime(words[1]) {
                self = .dayAndClock(day, time)
            } else {
                throw Self.wrong(text)
            }
        } else {
            self = .ago(try Self.ago(words, text))
        }
    }

    private static func ago(_ words: [String], _ text: String) throws(TimeError) -> Int64 {
        let isAgo = words.last == "ago"
        let length = words.dropLast(isAgo ? 1 : 0).joined(separator: " ")
        // For input that is almost a duration, the error explains how to write one.
        if let milliseconds = DurationText.parse(length), milliseconds > 0 || isAgo {
            return milliseconds
        }
        if !text.isEmpty, text.utf8.allSatisfy(DurationText.isDigit) {
            return try DurationText.milliseconds(text)
        }
        throw wrong(text)
    }

    private static func wrong(_ text: String) -> TimeError {
        TimeError(
            "“\(text)” is not a time. Examples: 10m (ago), 14:05, yesterday 09:00, 2026-11-21 14:05."
        )
    }

    /// Midnight of a day; nil if the text does not name a day.
    private static func day(_ text: String, _ now: WallTime) throws(TimeError) -> LocalTime? {
        let days: [String: Int32] = ["yesterday": -1, "today": 0, "tomorrow": 1]
        if let distance = days[text.lowercased()] {
            var day = LocalTime(now)
            (day.hour, day.minute, day.second) = (0, 0, 0)
            return day.adding(days: distance)
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy(DurationText.isDigit) }),
            let year = Int32(parts[0]), let month = Int32(parts[1]), let day = Int32(parts[2])
        else { return nil }
        guard let found = LocalTime(year: year, month: month, day: day) else {
            throw TimeError("“\(text)” is not a date. Write year-month-day.")
        }
        return found
    }
}

/// A time of day: `9:05`, `14:05:30`, `24:00`.
struct ClockTime: Equatable {
    /// 0 to 24; 24 only as `24:00`.
    let hour: Int32
    let minute: Int32
    let second: Int32
    let milliseconds: Int64
    /// The text as it was written.
    let text: String

    /// Parses a time of day; nil if there is no colon.
    ///
    /// - Throws: ``TimeError`` if no clock shows the time.
    init?(_ text: String) throws(TimeError) {
        guard text.utf8.contains(UInt8(ascii: ":")) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let seconds = parts.count == 3 ? parts[2].split(separator: ".", maxSplits: 1) : ["00"]
        let digits = parts.prefix(2) + seconds
        guard 2...3 ~= parts.count, 1...2 ~= seconds.count, 1...2 ~= parts[0].utf8.count,
            parts[1].utf8.count == 2, seconds[0].utf8.count == 2,
            digits.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(DurationText.isDigit) }),
            !text.hasSuffix("."),
            let hour = Int32(parts[0]), let minute = Int32(parts[1]),
            let second = Int32(seconds[0]), minute < 60, second < 60,
            hour < 24 || (hour == 24 && minute == 0 && second == 0)
        else {
            throw TimeError("“\(text)” is not a time of day. Examples: 15:00, 09:30, 24:00.")
        }
        (self.hour, self.minute, self.second) = (hour, minute, second)
        let fraction = seconds.count == 2 ? seconds[1] : ""
        let thousandths = (fraction + "000").prefix(3)
        milliseconds = Int64(thousandths) ?? 0
        self.text = text
    }

    /// The moments at which clocks show this time on a day.
    func readings(on day: LocalTime) -> LocalTime.Readings {
        var time = hour == 24 ? day.adding(days: 1) : day
        (time.hour, time.minute, time.second) = (hour % 24, minute, second)
        return time.readings
    }
}
