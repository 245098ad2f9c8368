// SPDX-License-Identifier: Apache-2.0

import Bus
import Control
import Events
import Person

/// The notifications, each once; none names an application or a title, for desktops keep them.
struct Notices {
    /// How a notification is shown.
    enum Urgency: UInt8 {
        case normal = 1
        case critical
    }

    private let send: (String, String, Urgency) -> Void
    private var last: Status?
    /// When full key detail is mentioned again, in monotonic milliseconds; nil while it is off.
    private var nextReminder: Int64?
    /// When the mark's being hidden may be mentioned again, in monotonic milliseconds.
    private var markMayBeNamed: Int64 = 0
    /// The ends of exemptions that were mentioned, by their ids.
    private var named: [Int: String] = [:]
    /// When the next exemption has ten minutes left, on the wall clock in milliseconds.
    private var nextWarning: Int64?

    private static let hour: Int64 = 3_600_000
    private static let minute: Int64 = 60_000

    /// Makes the notices.
    ///
    /// - Parameter send: shows one: its title, its text, and its urgency.
    init(send: @escaping (String, String, Urgency) -> Void) {
        self.send = send
    }

    /// When something is due, in monotonic milliseconds; nil for never.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - wall: the wall clock.
    /// - Returns: the moment.
    func due(_ now: Int64, _ wall: WallTime) -> Int64? {
        let warning = nextWarning.map { now + max(0, $0 - wall.milliseconds) }
        return [nextReminder, warning].compactMap(\.self).min()
    }

    /// Reminds of full key detail each hour.
    mutating func tick(_ now: Int64) {
        guard let nextReminder, nextReminder <= now else { return }
        self.nextReminder = now + Self.hour
        send("mci records what you type", "Full key detail is still on.", .normal)
    }

    /// Compares a status with the one before.
    ///
    /// - Parameters:
    ///   - status: the new status.
    ///   - now: monotonic milliseconds.
    ///   - wall: the wall clock.
    mutating func take(_ status: Status, _ now: Int64, _ wall: WallTime) {
        defer { last = status }
        noteDetail(status, now)
        noteMark(status, now)
        guard let last else { return }
        let pauseEnd = last.until.flatMap { WallTime($0) }
        if last.state == .paused, status.state != .paused, let pauseEnd, pauseEnd <= wall {
            send("The pause is over", Words.state(status), .normal)
        }
        if last.policy != status.policy {
            send("The policy has changed", "See: mcictl policy show", .critical)
        }
        for alert in status.alerts ?? [] where last.alerts?.contains(alert) != true {
            send("The recording needs a look", "\(alert) See: mcictl doctor", .critical)
        }
    }

    private mutating func noteDetail(_ status: Status, _ now: Int64) {
        let isFull = status.keyDetail == "full"
        guard isFull != (nextReminder != nil) else { return }
        nextReminder = isFull ? now + Self.hour : nil
        if isFull { send("mci records what you type", "Full key detail is on.", .normal) }
    }

    private mutating func noteMark(_ status: Status, _ now: Int64) {
        guard status.reason == GapReason.markHidden.name, last?.reason != status.reason,
            markMayBeNamed <= now
        else { return }
        markMayBeNamed = now + Self.minute
        send("Nothing is recorded", "The mark on the screen cannot be seen.", .normal)
    }

    /// Whether the exemptions must be looked at now; the next ``warn(_:_:)`` says when to look again.
    ///
    /// - Parameter wall: the wall clock.
    /// - Returns: true once for each moment.
    mutating func takeWarning(_ wall: WallTime) -> Bool {
        guard let nextWarning, nextWarning <= wall.milliseconds else { return false }
        self.nextWarning = nil
        return true
    }

    /// Warns of exemptions that end within ten minutes.
    ///
    /// - Parameters:
    ///   - exemptions: all exemptions.
    ///   - wall: the wall clock.
    mutating func warn(_ exemptions: [ExemptionRecord], _ wall: WallTime) {
        nextWarning = nil
        for record in exemptions where record.state != "ended" {
            guard let text = record.until, let end = WallTime(text)?.milliseconds,
                end > wall.milliseconds, named[record.id] != text
            else { continue }
            let begin = end - 10 * Self.minute
            if begin > wall.milliseconds {
                nextWarning = min(nextWarning ?? begin, begin)
            } else {
                named[record.id] = text
                let clock = Words.clock(text) ?? "soon"
                send("An exemption ends", "It ends at \(clock). See: mcictl exempt list", .normal)
            }
        }
    }
}
