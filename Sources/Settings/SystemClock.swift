// SPDX-License-Identifier: Apache-2.0

import CLinux
import Calendar
package import Events
import Files
package import Gate
import Glibc

/// The clocks of this machine.
package enum SystemClock {
    /// One reading of all clocks.
    package static func now() -> Moment {
        Moment(
            monotonic: EventTime(milliseconds(CLOCK_MONOTONIC)),
            boottime: milliseconds(CLOCK_BOOTTIME),
            wall: WallTime(milliseconds(CLOCK_REALTIME))
        )
    }

    /// The kernel's name for this boot, 16 bytes; zeros where it gives none.
    package static func bootID() -> [UInt8] {
        let text = (try? Disk.read("/proc/sys/kernel/random/boot_id")) ?? []
        let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 32 else { return [UInt8](repeating: 0, count: 16) }
        return (0..<16).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
    }

    /// Whether something keeps the wall clock right, as far as the kernel knows; false also where it
    /// does not say.
    package static func isSynchronised() -> Bool { clinux_clock_is_synchronised() == 1 }

    /// The minute of the week that the local clock shows, and what it would show without a change of
    /// clocks that is near.
    package static func weekMinute(_ time: WallTime) -> WeekMinute {
        // The zone may have changed since the last look.
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

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
