// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events
import Person

/// What the person reads: states, without names of applications.
enum Words {
    /// The state as the first line of the menu has it; nil status: mcid does not run.
    static func state(_ status: Status?) -> String {
        guard let status else { return "Not running" }
        switch status.state {
        case .recording where status.demonstration != nil:
            let since = status.demonstration.flatMap { clock($0.since) }
            return "Recording a demonstration since \(since ?? "now")"
        case .recording: return "Recording since \(clock(status.since) ?? "now")"
        case .paused: return "Paused until \(status.until.flatMap(clock) ?? "you resume")"
        case .reconnecting: return "Not recording: no X server"
        case .closed:
            return "Not recording: \(status.reasonInWords ?? "see mcictl status")"
        }
    }

    /// The local time of day of a moment, with the date on another day; nil if it is not a time.
    static func clock(_ text: String) -> String? {
        guard let time = WallTime(text) else { return nil }
        LocalTime.readZone()
        let (local, today) = (LocalTime(time), LocalTime(SystemClock.now().wall))
        return local.isSameDay(as: today) ? local.clock : "\(local.date) \(local.clock)"
    }

    /// Six in the morning after now, in RFC 3339.
    static var tomorrow: String? {
        LocalTime.readZone()
        return try? TimeSpan(from: SystemClock.now().wall, until: "tomorrow 06:00").to?.text
    }
}
