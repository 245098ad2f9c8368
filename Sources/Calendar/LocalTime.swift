// SPDX-License-Identifier: Apache-2.0

package import Events
import Glibc

/// A date and a time of day in the machine's time zone, without fractions of a second.
///
/// The C library knows the zone: this type neither counts days nor knows when clocks change.
package struct LocalTime: Hashable, Sendable {
    /// The year of the Gregorian calendar.
    package var year: Int32
    /// The month, 1 to 12.
    package var month: Int32
    /// The day of the month, 1 to 31.
    package var day: Int32
    /// The hour, 0 to 23.
    package var hour: Int32 = 0
    /// The minute, 0 to 59.
    package var minute: Int32 = 0
    /// The second, 0 to 59.
    package var second: Int32 = 0

    /// Converts a moment to local time and drops the fraction of the second.
    package init(_ time: WallTime) {
        unsafe self.init(Self.fields(time.flooredSeconds))
    }

    /// Creates a time on a date; nil if no calendar has the date or no clock shows the time.
    package init?(
        year: Int32,
        month: Int32,
        day: Int32,
        hour: Int32 = 0,
        minute: Int32 = 0,
        second: Int32 = 0
    ) {
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
        // timegm normalises values that are out of range.
        var seconds = timegm(of: self)
        var back = unsafe tm()
        unsafe gmtime_r(&seconds, &back)
        guard unsafe LocalTime(back) == self else { return nil }
    }

    private init(_ fields: tm) {
        unsafe (year, month, day) = (fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday)
        unsafe (hour, minute, second) = (fields.tm_hour, fields.tm_min, fields.tm_sec)
    }

    /// The moments that a local time denotes.
    package struct Readings: Equatable, Sendable {
        /// How often clocks show the time.
        package enum Count: Sendable {
            /// The usual case.
            case once
            /// Clocks were put back, so the time came twice.
            case twice
            /// Clocks were put forward and skipped the time.
            case never
        }

        /// How often clocks show the time.
        package let count: Count
        /// The earliest moment; for a skipped time, the one by the larger of the two UTC offsets
        /// around it.
        package let earliest: WallTime
        /// The latest moment; equal to ``earliest`` for a time that comes once.
        package let latest: WallTime
    }

    /// The moments at which clocks show this time.
    ///
    /// `mktime` distinguishes the two passes of a repeated hour only by `tm_isdst`, which is
    /// useless where the zone's rules themselves changed. So the offsets of the day before and the
    /// day after are tried too, and candidates that the clock does not show are dropped.
    package var readings: Readings {
        let asUTC = timegm(of: self)
        let tried = [-Self.daySeconds, Self.daySeconds].map { asUTC - Self.offset(asUTC + $0) }
        let found = (tried + [0, 1].map { mktime(of: self, isDST: $0) }).filter {
            unsafe LocalTime(Self.fields($0)) == self
        }
        let moments = (found.isEmpty ? tried : found).map { WallTime(Int64($0) * 1000) }
        let earliest = moments.min() ?? WallTime(Int64(asUTC) * 1000)
        let latest = moments.max() ?? earliest
        let count: Readings.Count =
            found.isEmpty ? .never : earliest == latest ? .once : .twice
        return Readings(count: count, earliest: earliest, latest: latest)
    }

    /// The first moment of this date.
    package var startOfDay: WallTime {
        var midnight = self
        (midnight.hour, midnight.minute, midnight.second) = (0, 0, 0)
        let readings = midnight.readings
        return readings.count == .never ? readings.latest : readings.earliest
    }

    /// The same time of day on a date `days` later.
    package func adding(days: Int32) -> LocalTime {
        var moved = self
        moved.day += days
        var seconds = timegm(of: moved)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        return unsafe LocalTime(fields)
    }

    /// The local time at a moment, and near a clock change also the time that clocks would show
    /// without it.
    ///
    /// Near means within the length of the change, usually an hour.
    package static func shown(around time: WallTime) -> [LocalTime] {
        let seconds = time.flooredSeconds
        let own = offset(seconds)
        let around = [offset(seconds - daySeconds), offset(seconds + daySeconds)]
        let change = abs(around[0] - around[1])
        let isNear = offset(seconds - change) != own || offset(seconds + change) != own
        let others = isNear ? around.filter { $0 != own } : []
        return unsafe [LocalTime(fields(seconds))]
            + others.map { other in
                var shifted = seconds + other
                var fields = unsafe tm()
                unsafe gmtime_r(&shifted, &fields)
                return unsafe LocalTime(fields)
            }
    }

    /// The day of the week, 0 (Monday) to 6.
    package var weekday: Int {
        var seconds = timegm(of: self)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        // tm_wday counts from Sunday.
        return (Int(unsafe fields.tm_wday) + 6) % 7
    }

    /// Whether two times have the same date.
    package func isSameDay(as other: LocalTime) -> Bool {
        (year, month, day) == (other.year, other.month, other.day)
    }

    /// The zone's abbreviation at a moment, such as `CEST`.
    package static func zone(at time: WallTime) -> String {
        let fields = unsafe fields(time.flooredSeconds)
        return unsafe fields.tm_zone.map { unsafe String(cString: $0) } ?? ""
    }

    /// Reads the machine's time zone again (`tzset(3)`).
    package static func readZone() { tzset() }

    // MARK: The C library

    private static let daySeconds: time_t = 86_400

    private static func fields(_ seconds: time_t) -> tm {
        var seconds = seconds
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        return unsafe fields
    }

    /// The offset from UTC at a moment, in seconds; positive east of Greenwich.
    private static func offset(_ seconds: time_t) -> time_t {
        unsafe time_t(fields(seconds).tm_gmtoff)
    }
}

private func tm(of time: LocalTime, isDST: Int32) -> tm {
    var fields = unsafe Glibc.tm()
    unsafe (fields.tm_year, fields.tm_mon, fields.tm_mday) = (
        time.year - 1900, time.month - 1, time.day
    )
    unsafe (fields.tm_hour, fields.tm_min, fields.tm_sec) = (time.hour, time.minute, time.second)
    unsafe fields.tm_isdst = isDST
    return unsafe fields
}

private func mktime(of time: LocalTime, isDST: Int32) -> time_t {
    var fields = unsafe tm(of: time, isDST: isDST)
    return unsafe Glibc.mktime(&fields)
}

private func timegm(of time: LocalTime) -> time_t {
    var fields = unsafe tm(of: time, isDST: 0)
    return unsafe Glibc.timegm(&fields)
}

extension WallTime {
    fileprivate var flooredSeconds: time_t {
        time_t(milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0))
    }
}
