// SPDX-License-Identifier: Apache-2.0

import Control

/// Vouches for the session at mcid, and follows mcid's status.
///
/// Upstream: the session's state. Downstream: mcid's gate. Promise: a change is reported at once, and
/// every ``beat`` again; the report lapses by itself after ``lease``.
final class Attendant {
    /// Milliseconds between two reports, and between two tries to reach mcid.
    static let beat: Int64 = 2000
    /// Milliseconds for which a report holds.
    static let lease = 5000

    private let path: String
    private let follow: (Status?) -> Void
    private var calls: ControlLink?
    private var monitor: ControlLink?
    private var nextBeat: Int64 = 0

    /// Makes an attendant that connects at its first beat.
    ///
    /// - Parameters:
    ///   - path: mcid's socket.
    ///   - follow: takes each status, and nil when mcid is gone.
    init(path: String, follow: @escaping (Status?) -> Void) {
        (self.path, self.follow) = (path, follow)
    }

    /// The connections to poll.
    var links: [ControlLink] { [calls, monitor].compactMap(\.self) }

    /// When the next beat is due, in monotonic milliseconds.
    var due: Int64 { nextBeat }

    /// Reads the replies, and notices that mcid is gone.
    func turn() {
        for link in links { link.turn() }
        guard links.contains(where: \.isLost) else { return }
        (calls, monitor) = (nil, nil)
        follow(nil)
    }

    /// Reports what closes.
    ///
    /// - Parameters:
    ///   - closed: the words, as `Attend` takes them.
    ///   - knows: what can be learned here, as `Attend` takes it.
    ///   - now: monotonic milliseconds.
    ///   - done: called when mcid has answered, or cannot be reached.
    func report(
        _ closed: [String],
        knows: [String],
        at now: Int64,
        done: @escaping () -> Void = {}
    ) {
        nextBeat = now + Self.beat
        connect()
        guard let calls else { return done() }
        let call = ControlCall.AttendCall(closed: closed, leaseMs: Self.lease, knows: knows)
        calls.send(.attend(call)) { _ in done() }
    }

    private func connect() {
        guard calls == nil, let link = ControlLink(path: path),
            let monitor = ControlLink(path: path)
        else { return }
        (calls, self.monitor) = (link, monitor)
        monitor.monitor { [follow] in follow($0) }
    }

    /// Makes a call of the person.
    ///
    /// - Parameters:
    ///   - call: the call.
    ///   - answer: takes the reply; nil when mcid cannot be reached.
    func call(_ call: ControlCall, _ answer: @escaping ControlLink.Answer) {
        connect()
        guard let calls else { return answer(nil) }
        calls.send(call, answer)
    }
}
