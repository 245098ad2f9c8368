// SPDX-License-Identifier: Apache-2.0

package import Events

/// A period between two bounds that a person wrote, with notes about ambiguous ones.
///
/// If clocks were put back and a bound denotes two moments, the period is as wide as possible. A
/// day as lower bound means its beginning, and as upper bound its end.
package struct TimeSpan: Equatable, Sendable {
    /// The beginning; nil if the period has none.
    package private(set) var from: WallTime?
    /// The end, inclusive; nil if the period has none.
    package private(set) var to: WallTime?
    /// Sentences about bounds that clocks show twice or never.
    package private(set) var notes: [String] = []

    /// Parses the two bounds of a period in the past.
    ///
    /// A time of day means its latest occurrence. As the upper bound it means the first occurrence
    /// after the lower bound, so that `23:00` to `23:10` stays within one night.
    ///
    /// - Parameters:
    ///   - since: The lower bound, if any.
    ///   - until: The upper bound, if any.
    ///   - now: The current time.
    /// - Throws: ``TimeError``, also if the period ends before it begins.
    package init(since: String?, until: String?, now: WallTime) throws(TimeError) {
        var lower: TimeExpression?
        var upper: TimeExpression?
        if let since { lower = try TimeExpression(since, now: now) }
        if let until { upper = try TimeExpression(until, now: now) }
        if case .clock = lower, let upper, upper.namesDay {
            // Only the upper bound names the day.
            to = end(upper, now)
            from = lower.map { start($0, min(now, to ?? now)) }
        } else {
            from = lower.map { start($0, now) }
            if case .clock(let time) = upper, let from {
                to = try first(time, after: from, now)
            } else {
                to = upper.map { end($0, now) }
            }
        }
        if case .day = upper, let end = to { to = WallTime(end.milliseconds - 1) }
        if let from, let to, from > to { throw Self.isReversed }
    }

    /// Parses the end of a period that begins now: a time of day is the next one, a day means its
    /// end.
    ///
    /// - Parameters:
    ///   - now: The current time.
    ///   - until: The end.
    /// - Throws: ``TimeError``, also if the end has passed or is more than 366 days away.
    package init(from now: WallTime, until: String) throws(TimeError) {
        let expression = try TimeExpression(until, now: now)
        from = now
        switch expression {
        case .ago:
            throw TimeError(
                "--until takes a time: 15:00, tomorrow 09:00. For a duration, leave out --until."
            )
        case .clock(let time):
            let today = LocalTime(now)
            let day = time.readings(on: today).latest > now ? today : today.adding(days: 1)
            to = latest(time, on: day)
        default: to = end(expression, now)
        }
        guard let to, to > now else { throw TimeError("“\(until)” has already passed.") }
        guard to.milliseconds - now.milliseconds <= 366 * 86_400_000 else {
            throw TimeError("“\(until)” is more than a year away.")
        }
    }

    private static let isReversed = TimeError("--until is earlier than --since.")

    // MARK: Bounds

    private mutating func start(_ expression: TimeExpression, _ now: WallTime) -> WallTime {
        switch expression {
        case .exact(let time): return time
        case .ago(let length): return WallTime(now.milliseconds - length)
        case .day(let day): return day.startOfDay
        case .dayAndClock(let day, let time): return earliest(time, on: day)
        case .clock(let time):
            let today = LocalTime(now)
            let hasCome = time.readings(on: today).earliest <= now
            return earliest(time, on: hasCome ? today : today.adding(days: -1))
        }
    }

    private mutating func end(_ expression: TimeExpression, _ now: WallTime) -> WallTime {
        switch expression {
        case .exact(let time): return time
        case .ago(let length): return WallTime(now.milliseconds - length)
        case .day(let day): return day.adding(days: 1).startOfDay
        case .dayAndClock(let day, let time): return latest(time, on: day)
        case .clock(let time):
            let today = LocalTime(now)
            let hasCome = time.readings(on: today).earliest <= now
            return latest(time, on: hasCome ? today : today.adding(days: -1))
        }
    }

    /// The first occurrence of a time of day at or after the lower bound.
    ///
    /// It throws if that is on the next day and still in the future: then the bounds are reversed.
    private mutating func first(
        _ time: ClockTime,
        after start: WallTime,
        _ now: WallTime
    ) throws(TimeError) -> WallTime {
        let day = LocalTime(start)
        if time.readings(on: day).latest >= start { return latest(time, on: day) }
        let next = day.adding(days: 1)
        if time.readings(on: next).earliest > now { throw Self.isReversed }
        return latest(time, on: next)
    }

    private mutating func earliest(_ time: ClockTime, on day: LocalTime) -> WallTime {
        let readings = time.readings(on: day)
        note(time, day, readings, counts: readings.earliest, "first")
        return WallTime(readings.earliest.milliseconds + time.milliseconds)
    }

    private mutating func latest(_ time: ClockTime, on day: LocalTime) -> WallTime {
        let readings = time.readings(on: day)
        note(time, day, readings, counts: readings.latest, "second")
        return WallTime(readings.latest.milliseconds + time.milliseconds)
    }

    private mutating func note(
        _ time: ClockTime,
        _ day: LocalTime,
        _ readings: LocalTime.Readings,
        counts moment: WallTime,
        _ pass: String
    ) {
        let zone = LocalTime.zone(at: moment)
        switch readings.count {
        case .once: return
        case .twice:
            notes.append(
                "On \(day.date), clocks show \(time.text) twice; the \(pass) one counts (\(zone))."
            )
        case .never:
            let local = LocalTime(moment)
            notes.append(
                "On \(day.date), clocks never show \(time.text); \(local.clock) \(zone) counts."
            )
        }
    }
}

extension TimeExpression {
    /// Whether the expression names a day.
    fileprivate var namesDay: Bool {
        switch self {
        case .exact, .day, .dayAndClock: true
        case .ago, .clock: false
        }
    }
}

extension LocalTime {
    /// The date, such as `2026-11-21`.
    package var date: String {
        String(String(10_000 + year).dropFirst()) + "-" + Self.two(month) + "-" + Self.two(day)
    }

    /// The time of day, such as `14:05`.
    package var clock: String { Self.two(hour) + ":" + Self.two(minute) }

    /// A number below 100 with at least two digits.
    package static func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
