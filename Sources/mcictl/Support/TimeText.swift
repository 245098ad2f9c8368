// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// Times as people write them.
extension TimeText {
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
}
