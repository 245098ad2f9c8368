// SPDX-License-Identifier: Apache-2.0

import Events

/// Times as people write and read them, in the time zone of the machine.
enum TimeText {
    /// Milliseconds of a duration such as `30m`, `2h`, `1d` or `1h30m`.
    ///
    /// - Parameter text: from the command line.
    /// - Returns: a positive number.
    /// - Throws: a ``Failure`` that names the likely fix.
    static func duration(_ text: String) throws -> Int64 {
        func wrong(_ sentence: String) -> Failure { Failure(sentence, code: Failure.usage) }
        if !text.isEmpty, text.allSatisfy(\.isNumber) {
            throw wrong("“\(text)” has no unit. Did you mean \(text)m?")
        }
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        var total: Int64 = 0
        var digits = ""
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else if let unit = units[character], let number = Int64(digits),
                digits.utf8.count <= 6
            {
                total += number * unit
                digits = ""
            } else {
                throw wrong("“\(text)” is no duration. Examples: 90s, 30m, 2h, 1d.")
            }
        }
        guard digits.isEmpty, total > 0 else {
            throw wrong("“\(text)” is no duration. Examples: 90s, 30m, 2h, 1d.")
        }
        guard total <= 366 * 86_400_000 else {
            throw wrong("“\(text)” is longer than a year.")
        }
        return total
    }

    /// A moment given as a duration ago (`10m`), a time of day (`14:05`), a date and time
    /// (`2026-11-21 14:05`), or RFC 3339.
    ///
    /// - Parameters:
    ///   - text: from the command line.
    ///   - now: the moment of the command.
    /// - Returns: the moment; a time of day is today's.
    /// - Throws: a ``Failure``.
    static func moment(_ text: String, now: WallTime) throws -> WallTime {
        if let time = WallTime(text) { return time }
        if let time = clock(text, on: now) { return time }
        let words = text.split(separator: " ")
        if words.count == 2, let day = WallTime("\(words[0])T12:00:00Z"),
            let time = clock(String(words[1]), on: day)
        {
            return time
        }
        do {
            return WallTime(now.milliseconds - (try duration(text)))
        } catch let failure as Failure {
            if !text.isEmpty, text.allSatisfy(\.isNumber) { throw failure }
            throw Failure(
                "“\(text)” is no time. Examples: 10m (ago), 14:05, 2026-11-21 14:05.",
                code: Failure.usage
            )
        }
    }

    /// As ``moment(_:now:)``; a time of day that is still to come today is yesterday's.
    static func past(_ text: String, now: WallTime) throws -> WallTime {
        let time = try moment(text, now: now)
        guard time > now, clock(text, on: now) != nil else { return time }
        return clock(text, on: WallTime(now.milliseconds - 86_400_000)) ?? time
    }

    /// A number of things: `1 gap`, `2 gaps`.
    static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }

    /// The next time a clock shows `HH:MM`.
    ///
    /// - Throws: a ``Failure``.
    static func next(_ text: String, after now: WallTime) throws -> WallTime {
        guard let time = clock(text, on: now) else {
            throw Failure(
                "“\(text)” is no time of day. Example: --until 15:00",
                code: Failure.usage
            )
        }
        return time > now ? time : WallTime(time.milliseconds + 86_400_000)
    }

    /// The moment at which the local clock shows `HH:MM` on the local day of another moment.
    private static func clock(_ text: String, on day: WallTime) -> WallTime? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ 1...2 ~= $0.count && $0.allSatisfy(\.isNumber) }),
            let hour = Int32(parts[0]), hour < 24, let minute = Int32(parts[1]), minute < 60
        else { return nil }
        var time = LocalTime(day)
        (time.hour, time.minute, time.second) = (hour, minute, 0)
        return time.wall
    }

    /// `14:05`, with the date in front when it is not today.
    static func short(_ time: WallTime, now: WallTime) -> String {
        let local = LocalTime(time)
        let clock = "\(two(local.hour)):\(two(local.minute))"
        return local.isSameDay(as: LocalTime(now)) ? clock : "\(date(time)) \(clock)"
    }

    /// `14:05:02.118`.
    static func exact(_ time: WallTime) -> String {
        let local = LocalTime(time)
        let milliseconds = String(1000 + (time.milliseconds % 1000 + 1000) % 1000).dropFirst()
        return "\(two(local.hour)):\(two(local.minute)):\(two(local.second)).\(milliseconds)"
    }

    /// `2026-11-21 14:05`.
    static func full(_ time: WallTime) -> String {
        let local = LocalTime(time)
        return "\(date(time)) \(two(local.hour)):\(two(local.minute))"
    }

    /// `2026-11-21`.
    static func date(_ time: WallTime) -> String {
        let local = LocalTime(time)
        return "\(local.year)-\(two(local.month))-\(two(local.day))"
    }

    /// `Saturday`.
    static func weekday(_ time: WallTime) -> String {
        let names = [
            "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
        ]
        return names[Int(LocalTime(time).weekday)]
    }

    /// A length in words: `4 h 31 min`.
    static func length(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds) / 1000
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    private static func two(_ value: Int32) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
