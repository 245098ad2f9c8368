// SPDX-License-Identifier: Apache-2.0

package import Events
import Glibc

/// A moment as the calendar and the clock of the machine's time zone show it.
///
/// The C library knows the zone; nothing here counts days or knows when clocks change.
package struct LocalTime: Hashable, Sendable {
    package var year: Int32
    /// 1 to 12.
    package var month: Int32
    package var day: Int32
    package var hour: Int32 = 0
    package var minute: Int32 = 0
    package var second: Int32 = 0

    /// What the clock shows at a moment, without its fraction of a second.
    package init(_ time: WallTime) {
        unsafe self.init(Self.fields(time.flooredSeconds))
    }

    /// A time on a date; nil for a date or a time that no calendar and no clock has.
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
        // timegm moves what is out of range to the date it would be.
        var seconds = timegm(of: self)
        var back = unsafe tm()
        unsafe gmtime_r(&seconds, &back)
        guard unsafe LocalTime(back) == self else { return nil }
    }

    private init(_ fields: tm) {
        unsafe (year, month, day) = (fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday)
        unsafe (hour, minute, second) = (fields.tm_hour, fields.tm_min, fields.tm_sec)
    }

    /// The moments that a local time names.
    package struct Readings: Equatable, Sendable {
        /// How often the clock shows the time.
        package enum Count: Sendable {
            case once
            /// Clocks were put back.
            case twice
            /// Clocks were put forward over it.
            case never
        }

        package let count: Count
        /// Of a time that never comes: the moment by the later of the two offsets around it.
        package let earliest: WallTime
        package let latest: WallTime
    }

    /// The moments at which the clock shows this time.
    ///
    /// `mktime` finds both passes of an hour that comes twice only where `tm_isdst` tells them apart,
    /// which it does not where a zone itself was changed. So the offsets of the day before and of the
    /// day after are tried too, and what the clock does not show then is left out.
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

    /// The first moment of the date.
    package var startOfDay: WallTime {
        var midnight = self
        (midnight.hour, midnight.minute, midnight.second) = (0, 0, 0)
        let readings = midnight.readings
        return readings.count == .never ? readings.latest : readings.earliest
    }

    /// The same time on another date.
    package func adding(days: Int32) -> LocalTime {
        var moved = self
        moved.day += days
        var seconds = timegm(of: moved)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        return unsafe LocalTime(fields)
    }

    /// The time that the clock shows at a moment, and, where the clocks change within an hour of it (or
    /// by however much they change), the time that they would show without the change.
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

    /// The day of the week; 0 is Monday.
    package var weekday: Int {
        var seconds = timegm(of: self)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        // tm counts days from Sunday.
        return (Int(unsafe fields.tm_wday) + 6) % 7
    }

    package func isSameDay(as other: LocalTime) -> Bool {
        (year, month, day) == (other.year, other.month, other.day)
    }

    /// What the zone calls the time at a moment, such as `CEST`.
    package static func zone(at time: WallTime) -> String {
        let fields = unsafe fields(time.flooredSeconds)
        return unsafe fields.tm_zone.map { unsafe String(cString: $0) } ?? ""
    }

    /// Looks again which zone the machine is in.
    package static func readZone() { tzset() }

    // MARK: The C library

    private static let daySeconds: time_t = 86_400

    private static func fields(_ seconds: time_t) -> tm {
        var seconds = seconds
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        return unsafe fields
    }

    /// Seconds by which the clock is ahead of UTC at a moment.
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
