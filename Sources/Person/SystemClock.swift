// SPDX-License-Identifier: Apache-2.0

import CLinux
import Calendar
package import Events
package import Gate
import System

/// Reads the clocks of this machine.
package enum SystemClock {
    /// Reads CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME.
    package static func now() -> Moment {
        Moment(
            monotonic: EventTime(KernelClock.monotonic.milliseconds),
            boottime: KernelClock.boottime.milliseconds,
            wall: WallTime(KernelClock.realtime.milliseconds)
        )
    }

    /// The kernel's `boot_id`, 16 bytes; all zeros when it is not readable.
    package static func bootID() -> [UInt8] {
        let text = (try? Disk.read("/proc/sys/kernel/random/boot_id")) ?? []
        let digits = String(decoding: text, as: UTF8.self).filter(\.isHexDigit)
        let bytes = Hex.decode(digits) ?? []
        return bytes.count == 16 ? bytes : [UInt8](repeating: 0, count: 16)
    }

    /// Whether the kernel reports the wall clock as synchronised (adjtimex(2)); false when unknown.
    package static func isSynchronised() -> Bool { clinux_clock_is_synchronised() == 1 }

    /// The minute of the week in local time.
    ///
    /// Near a change of daylight saving time it also has the minute without that change.
    ///
    /// - Parameter time: any time.
    /// - Returns: the minute, and the other possible ones.
    package static func weekMinute(_ time: WallTime) -> WeekMinute {
        // The time zone may have changed since the last call.
        LocalTime.readZone()
        let shown = LocalTime.shown(around: time).map { local in
            WeekMinute(
                day: local.weekday,
                minuteOfDay: Int(local.hour) * 60 + Int(local.minute)
            )
        }
        return WeekMinute(
            day: shown[0].day,
            minuteOfDay: shown[0].minuteOfDay,
            others: Array(shown.dropFirst())
        )
    }
}
