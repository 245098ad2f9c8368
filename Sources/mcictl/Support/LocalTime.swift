// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc

/// A moment on the calendar and clock of the machine's time zone.
struct LocalTime {
    var year: Int32
    /// 1 to 12.
    var month: Int32
    var day: Int32
    var hour: Int32
    var minute: Int32
    var second: Int32
    /// From Sunday, 0, to Saturday, 6.
    private(set) var weekday: Int32

    init(_ time: WallTime) {
        var seconds = time_t(time.milliseconds / 1000)
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        unsafe (year, month, day) = (fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday)
        unsafe (hour, minute, second) = (fields.tm_hour, fields.tm_min, fields.tm_sec)
        weekday = unsafe fields.tm_wday
    }

    /// The moment these fields name; daylight saving time as the zone has it then.
    var wall: WallTime {
        var fields = unsafe tm()
        unsafe (fields.tm_year, fields.tm_mon, fields.tm_mday) = (year - 1900, month - 1, day)
        unsafe (fields.tm_hour, fields.tm_min, fields.tm_sec) = (hour, minute, second)
        unsafe fields.tm_isdst = -1
        return WallTime(Int64(unsafe mktime(&fields)) * 1000)
    }

    func isSameDay(as other: LocalTime) -> Bool {
        (year, month, day) == (other.year, other.month, other.day)
    }
}
