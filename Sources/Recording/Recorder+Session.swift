// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Gate
import Person
import Policy

/// The session as the companion sees it: locked, asleep, away, or without a companion.
extension Recorder {
    /// Whether the policy demands that the companion attends.
    private var isDemanded: Bool { policy?.companion ?? false }

    /// Why nothing may be recorded in this session now; nil if nothing speaks against it.
    var sessionClosedBy: GapReason? { attendance.reason(isDemanded: isDemanded) }

    /// The session for the status.
    var session: Status.Session {
        var session = Status.Session()
        session.isAttended = attendance.isAttended
        session.isRequired = attendance.wasAttended || isDemanded
        session.closed = attendance.closed
        session.knows = attendance.isAttended ? attendance.knows : []
        return session
    }

    /// Takes a report of the companion; when it closes, that is in force before the answer.
    ///
    /// - Parameters:
    ///   - call: The report.
    ///   - client: The number of its connection.
    /// - Throws: A ``Refusal``, after which the earlier report stands.
    func attend(_ call: ControlCall.AttendCall, from client: Int) throws(Refusal) {
        let now = environment.clock()
        let before = session
        try attendance.take(call, from: client, now: now.monotonic.milliseconds)
        applySession()
        if session != before { statusChanged = true }
        // The machine may sleep as soon as this is answered.
        guard session.closed.contains("asleep"), !before.closed.contains("asleep") else { return }
        pipeline.openBatch.flush(at: environment.clock(), closing: true)
    }

    /// Ends the reports of connections that are gone.
    ///
    /// - Parameter clients: Their numbers.
    package func end(_ clients: [Int]) {
        guard !clients.isEmpty else { return }
        for client in clients { attendance.end(client) }
        applySession()
        statusChanged = true
    }

    /// Ends the reports whose time is over.
    func endLeases(at now: Moment) {
        guard let due = attendance.due, due <= now.monotonic.milliseconds else { return }
        attendance.expire(at: now.monotonic.milliseconds)
        applySession()
        statusChanged = true
    }

    /// Applies what is known of the session; where that closes, unread events are never read.
    func applySession() {
        if let reason = sessionClosedBy, pipeline.gate.conditions.sessionClosedBy != reason {
            closeNow { $0.sessionClosedBy = reason }
        }
        update(at: environment.clock())
    }
}
