// SPDX-License-Identifier: Apache-2.0

package import Events

/// Times and counts as people read them, in the time zone of the machine.
package enum TimeText {
    /// A number of things: `1 gap`, `2 gaps`.
    package static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }

    /// `14:05`, with the date in front when it is not today.
    package static func short(_ time: WallTime, now: WallTime) -> String {
        let local = LocalTime(time)
        let clock = local.clock + pass(time)
        return local.isSameDay(as: LocalTime(now)) ? clock : "\(local.date) \(clock)"
    }

    /// `14:05:02.118`.
    package static func exact(_ time: WallTime) -> String {
        let local = LocalTime(time)
        let milliseconds = String(1000 + (time.milliseconds % 1000 + 1000) % 1000).dropFirst()
        return "\(local.clock):\(LocalTime.two(local.second)).\(milliseconds)"
    }

    /// `2026-11-21 14:05`.
    package static func full(_ time: WallTime) -> String {
        let local = LocalTime(time)
        return "\(local.date) \(local.clock)\(pass(time))"
    }

    /// `2026-11-21`.
    package static func date(_ time: WallTime) -> String { LocalTime(time).date }

    /// The time zone, if the clock shows this time twice on that day: ` CEST`.
    private static func pass(_ time: WallTime) -> String {
        LocalTime(time).readings.count == .twice ? " \(LocalTime.zone(at: time))" : ""
    }

    /// `Saturday`.
    package static func weekday(_ time: WallTime) -> String {
        let names = [
            "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
        ]
        return names[LocalTime(time).weekday]
    }

    /// A length in words: `4 h 31 min`.
    package static func length(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds) / 1000
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }
}
