// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events

/// What the person reads: states, without names of applications.
enum Words {
    /// The state as the first line of the menu has it; nil status: mcid does not run.
    static func state(_ status: Status?) -> String {
        guard let status else { return "Not running" }
        switch status.state {
        case .recording: return "Recording since \(clock(status.since) ?? "now")"
        case .paused: return "Paused until \(status.until.flatMap(clock) ?? "you resume")"
        case .reconnecting: return "Not recording: no X server"
        case .closed: return "Not recording: \(reason(status.reason))"
        }
    }

    private static func reason(_ reason: String?) -> String {
        switch reason {
        case GapReason.sessionLocked.name: "the screen is locked"
        case GapReason.asleep.name: "the computer sleeps or has just woken"
        case GapReason.away.name: "another session is in front"
        case GapReason.unattended.name: "no companion vouches for the session"
        case GapReason.markHidden.name: "the mark on the screen cannot be seen"
        case GapReason.noConsent.name: "you have not consented"
        case Status.outdatedConsent: "what you consented to has changed"
        case GapReason.exempt.name: "you exempted everything"
        case GapReason.excluded.name: "everything is excluded at this hour"
        case GapReason.diskFull.name: "the disk is nearly full"
        default: "see mcictl status"
        }
    }

    /// The local time of day of a moment, with the date on another day; nil if it is not a time.
    static func clock(_ text: String) -> String? {
        guard let time = WallTime(text) else { return nil }
        LocalTime.readZone()
        let (local, today) = (LocalTime(time), LocalTime(SystemTime.now))
        return local.isSameDay(as: today) ? local.clock : "\(local.date) \(local.clock)"
    }

    /// Six in the morning after now, in RFC 3339.
    static var tomorrow: String? {
        LocalTime.readZone()
        return try? TimeSpan(from: SystemTime.now, until: "tomorrow 06:00").to?.text
    }
}
