// SPDX-License-Identifier: Apache-2.0

import CLinux
import Calendar
package import Events
package import Gate
import System

/// The clocks of this machine.
package enum SystemClock {
    /// One reading of all clocks.
    package static func now() -> Moment {
        Moment(
            monotonic: EventTime(KernelClock.monotonic.milliseconds),
            boottime: KernelClock.boottime.milliseconds,
            wall: WallTime(KernelClock.realtime.milliseconds)
        )
    }

    /// The kernel's name for this boot, 16 bytes; zeros where it gives none.
    package static func bootID() -> [UInt8] {
        let text = (try? Disk.read("/proc/sys/kernel/random/boot_id")) ?? []
        let digits = String(decoding: text, as: UTF8.self).filter(\.isHexDigit)
        let bytes = Hex.decode(digits) ?? []
        return bytes.count == 16 ? bytes : [UInt8](repeating: 0, count: 16)
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
}
