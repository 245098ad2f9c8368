// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// Times as people write and read them, in the time zone of the machine.
enum TimeText {
    /// Milliseconds of a duration such as `30m`, `1h30`, `1.5h` or `30 minutes`.
    ///
    /// - Parameters:
    ///   - text: from the command line.
    ///   - maximum: the maximum in days.
    /// - Returns: a positive number.
    /// - Throws: a ``Failure`` that names the likely fix.
    static func duration(_ text: String, maximum: Int64 = 366) throws -> Int64 {
        try read { () throws(TimeError) in
            try DurationText.milliseconds(text, maximum: maximum)
        }
    }

    /// The span between two bounds in the past; notes a bound that names two moments, or none.
    ///
    /// - Throws: a ``Failure``.
    static func span(since: String?, until: String?, now: WallTime) throws -> TimeSpan {
        try reported(
            read { () throws(TimeError) in
                try TimeSpan(since: since, until: until, now: now)
            }
        )
    }

    /// The span from now to an end in the future; notes an end that names two moments, or none.
    ///
    /// - Throws: a ``Failure``.
    static func span(from now: WallTime, until: String) throws -> TimeSpan {
        try reported(read { () throws(TimeError) in try TimeSpan(from: now, until: until) })
    }

    private static func read<Value>(_ body: () throws(TimeError) -> Value) throws -> Value {
        do throws(TimeError) {
            return try body()
        } catch {
            throw Failure(error.description, code: Failure.usage)
        }
    }

    private static func reported(_ span: TimeSpan) -> TimeSpan {
        span.notes.forEach { Terminal.report("note: \($0)") }
        return span
    }

    /// A number of things: `1 gap`, `2 gaps`.
    static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }

    /// `14:05`, with the date in front when it is not today.
    static func short(_ time: WallTime, now: WallTime) -> String {
        let local = LocalTime(time)
        let clock = local.clock + pass(time)
        return local.isSameDay(as: LocalTime(now)) ? clock : "\(local.date) \(clock)"
    }

    /// `14:05:02.118`.
    static func exact(_ time: WallTime) -> String {
        let local = LocalTime(time)
        let milliseconds = String(1000 + (time.milliseconds % 1000 + 1000) % 1000).dropFirst()
        return "\(local.clock):\(LocalTime.two(local.second)).\(milliseconds)"
    }

    /// `2026-11-21 14:05`.
    static func full(_ time: WallTime) -> String {
        let local = LocalTime(time)
        return "\(local.date) \(local.clock)\(pass(time))"
    }

    /// `2026-11-21`.
    static func date(_ time: WallTime) -> String { LocalTime(time).date }

    /// The time zone, if the clock shows this time twice on that day: ` CEST`.
    private static func pass(_ time: WallTime) -> String {
        LocalTime(time).readings.count == .twice ? " \(LocalTime.zone(at: time))" : ""
    }

    /// `Saturday`.
    static func weekday(_ time: WallTime) -> String {
        let names = [
            "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
        ]
        return names[LocalTime(time).weekday]
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
}
