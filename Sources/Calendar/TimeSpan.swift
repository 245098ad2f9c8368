// SPDX-License-Identifier: Apache-2.0

package import Events

/// A stretch of time between two bounds that a person wrote, and what is to be said about it.
///
/// A bound that names two moments, because clocks were put back, counts so that the stretch is as wide
/// as it can be. A day as the lower bound is its beginning, as the upper one its end.
package struct TimeSpan: Equatable, Sendable {
    /// nil where the stretch is open.
    package private(set) var from: WallTime?
    package private(set) var to: WallTime?
    /// Sentences about bounds that clocks showed twice or never.
    package private(set) var notes: [String] = []

    /// Reads the two bounds of a stretch in the past.
    ///
    /// A time of day is the last one that has come; as the upper bound it is the first one after the
    /// lower bound, so that `23:00` and `23:10` are of one night.
    ///
    /// - Parameters:
    ///   - since: the lower bound, if any.
    ///   - until: the upper bound, if any.
    ///   - now: the moment of the command.
    /// - Throws: ``TimeError``, also where the stretch ends before it begins.
    package init(since: String?, until: String?, now: WallTime) throws(TimeError) {
        var lower: TimeExpression?
        var upper: TimeExpression?
        if let since { lower = try TimeExpression(since, now: now) }
        if let until { upper = try TimeExpression(until, now: now) }
        if case .clock = lower, let upper, upper.namesDay {
            // The day is said with the upper bound.
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

    /// Reads the end of what begins now: a time of day is the next one, a day its end.
    ///
    /// - Parameters:
    ///   - now: the moment of the command.
    ///   - until: the end.
    /// - Throws: ``TimeError``, also for an end that has passed or is more than a year away.
    package init(from now: WallTime, until: String) throws(TimeError) {
        let expression = try TimeExpression(until, now: now)
        from = now
        switch expression {
        case .ago:
            throw TimeError(
                "--until takes a time: 15:00, tomorrow 09:00. For a length leave out --until."
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

    /// The first time of day that is not before the lower bound.
    ///
    /// One that comes on the next day only, and has not come yet, was meant otherwise.
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
                "On \(day.date) clocks show \(time.text) twice; the \(pass) counts (\(zone))."
            )
        case .never:
            let local = LocalTime(moment)
            notes.append(
                "On \(day.date) clocks never show \(time.text); \(local.clock) \(zone) counts."
            )
        }
    }
}

extension TimeExpression {
    /// Whether it says on which day it is.
    fileprivate var namesDay: Bool {
        switch self {
        case .exact, .day, .dayAndClock: true
        case .ago, .clock: false
        }
    }
}

extension LocalTime {
    /// `2026-11-21`.
    package var date: String {
        String(String(10_000 + year).dropFirst()) + "-" + Self.two(month) + "-" + Self.two(day)
    }

    /// `14:05`.
    package var clock: String { Self.two(hour) + ":" + Self.two(minute) }

    /// Two digits.
    package static func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
