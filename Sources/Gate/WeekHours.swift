// SPDX-License-Identifier: Apache-2.0

/// Hours of the week by the local clock, such as `Mon-Fri 12:00-13:00` or `Sat,Sun`.
package struct WeekHours: Hashable, Sendable {
    fileprivate static let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// A bit mask; bit 0 is Monday.
    private let days: UInt8
    /// Minutes of the day, 0 to 1440; an end that is not after the beginning is on the next day.
    private let from: Int
    private let to: Int

    /// Parses days, hours, or both: `Mon-Fri 12:00-13:00`, `Sat,Sun`, `22:00-06:00`.
    ///
    /// - Parameter text: The text; the result is nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard 1...2 ~= words.count else { return nil }
        let hours = words.last.flatMap { Self.hours(String($0)) }
        guard hours != nil || words.count == 1 else { return nil }
        if words.count == 2 || hours == nil {
            guard let days = Self.days(String(words[0])) else { return nil }
            self.days = days
        } else {
            days = 0x7F
        }
        (from, to) = hours ?? (0, 1440)
    }

    /// The canonical text, which ``init(_:)`` parses.
    package var text: String {
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        func clock(_ minute: Int) -> String { "\(digits(minute / 60)):\(digits(minute % 60))" }
        var words: [String] = []
        if days != 0x7F || (from, to) == (0, 1440) {
            var runs: [ClosedRange<Int>] = []
            for day in Self.names.indices where days & (1 << day) != 0 {
                if let last = runs.last, last.upperBound == day - 1 {
                    runs[runs.count - 1] = last.lowerBound...day
                } else {
                    runs.append(day...day)
                }
            }
            words.append(
                runs.map { run in
                    run.count == 1
                        ? Self.names[run.lowerBound]
                        : "\(Self.names[run.lowerBound])-\(Self.names[run.upperBound])"
                }.joined(separator: ",")
            )
        }
        if (from, to) != (0, 1440) { words.append("\(clock(from))-\(clock(to))") }
        return words.joined(separator: " ")
    }

    /// Whether a minute of the week is within these hours.
    ///
    /// Around a clock change, the hours begin at the first moment that they name and end at the
    /// last.
    package func contains(_ minute: WeekMinute) -> Bool {
        contains(minute.day, minute.minuteOfDay)
            || minute.others.contains { contains($0 / 1440, $0 % 1440) }
    }

    private func contains(_ day: Int, _ time: Int) -> Bool {
        func isOn(_ day: Int) -> Bool { days & (1 << ((day + 7) % 7)) != 0 }
        if from < to { return isOn(day) && from..<to ~= time }
        return (isOn(day) && time >= from) || (isOn(day - 1) && time < to)
    }

    private static func days(_ text: String) -> UInt8? {
        func number(_ name: Substring) -> Int? {
            names.firstIndex { $0.lowercased() == name.lowercased() }
        }
        var days: UInt8 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard 1...2 ~= ends.count, let first = number(ends[0]),
                let last = number(ends[ends.count - 1])
            else { return nil }
            var day = first
            while true {
                days |= 1 << day
                if day == last { break }
                day = (day + 1) % 7
            }
        }
        return days
    }

    /// The minute of the day for `HH:MM`, up to 24:00.
    fileprivate static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, 1...2 ~= parts[0].count, parts[1].count == 2,
            text.allSatisfy({ $0 == ":" || ("0"..."9" ~= $0) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60,
            hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return hour * 60 + minute
    }

    private static func hours(_ text: String) -> (Int, Int)? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let from = minute(ends[0]), let to = minute(ends[1]), from != to,
            from < 1440
        else { return nil }
        return (from, to)
    }
}

/// A minute of the week by the local clock.
package struct WeekMinute: Equatable, Sendable {
    /// The day, 0 (Monday) to 6.
    package let day: Int
    /// The minute of the day, 0 to 1439.
    package let minuteOfDay: Int
    /// Minutes since Monday 00:00 that clocks would show without a nearby clock change.
    fileprivate let others: [Int]

    /// Parses a day and a time, such as `Mon 12:30`; nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2,
            let day = WeekHours.names.firstIndex(where: { $0.lowercased() == words[0].lowercased() }
            ),
            let minute = WeekHours.minute(words[1]), minute < 1440
        else { return nil }
        self.init(day: day, minuteOfDay: minute)
    }

    /// Creates a minute of the week.
    ///
    /// - Parameters:
    ///   - day: The day, 0 (Monday) to 6.
    ///   - minuteOfDay: The minute of the day, 0 to 1439.
    ///   - others: The minutes that clocks would show without a nearby clock change.
    package init(day: Int, minuteOfDay: Int, others: [WeekMinute] = []) {
        precondition(0..<7 ~= day && 0..<1440 ~= minuteOfDay, "A week has 10,080 minutes.")
        self.day = day
        self.minuteOfDay = minuteOfDay
        self.others = others.map { $0.day * 1440 + $0.minuteOfDay }
    }

    /// The next minute, without its alternatives around a clock change.
    package var next: WeekMinute {
        minuteOfDay < 1439
            ? WeekMinute(day: day, minuteOfDay: minuteOfDay + 1)
            : WeekMinute(day: (day + 1) % 7, minuteOfDay: 0)
    }
}
