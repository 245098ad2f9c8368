// SPDX-License-Identifier: Apache-2.0

/// Decides when the source is read: seldom under load, not at all when idle, at once only for keys
/// in a terminal.
///
/// The server stamps events when they happen, so reading later costs no accuracy. After the first
/// event the source is left alone for a short interval and then read once. While events keep coming
/// the interval doubles: to 100 ms, or to 0.8 s while only the pointer moves in one window with no
/// button down, so that looks at the mark are at most 1 s apart. Events that do not fit into the
/// kernel's buffer wait at the server, which then sends them in large pieces. That, and not the
/// number of wakeups, makes movement cheap.
///
/// All times are monotonic milliseconds.
struct DrainPacer {
    /// The interval after the first event, in milliseconds.
    static let minInterval: Int64 = 20
    /// Maximum interval when keys and windows are not watched, in milliseconds.
    static let maxInterval: Int64 = 100
    /// Maximum interval while keys and windows are watched and the pointer is left unread, in
    /// milliseconds.
    static let maxQuietInterval: Int64 = 800
    /// Approximate maximum number of events that wait at the server during a long interval.
    static let maxWaiting: Int64 = 1000

    /// Which descriptors to watch.
    enum Watch {
        /// All descriptors: no read is due.
        case all
        /// Those that may announce a prompt for a secret.
        case urgent
        /// These, and those that report keys and windows.
        case prompt
    }

    private var interval = minInterval
    /// When to read the source; nil while its descriptors are watched instead.
    private(set) var due: Int64?
    /// When the wait for the due read began.
    private var since: Int64 = 0
    /// When the source was last read.
    private var last: Int64 = 0

    /// Which descriptors to watch until the next read.
    var watch: Watch {
        guard let due else { return .all }
        return due - since > Self.maxInterval ? .prompt : .urgent
    }

    /// Notes that descriptors became readable.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - isUrgent: whether to read at once, even before a read that is due.
    mutating func becameReadable(at now: Int64, isUrgent: Bool = false) {
        if isUrgent {
            due = now
            return
        }
        guard watch != .urgent else { return }
        if due == nil { last = now }
        interval = Self.minInterval
        due = min(due ?? .max, now + interval)
        since = now
    }

    /// Notes that the source was connected: its queue may already contain events.
    mutating func connected(at now: Int64) {
        interval = Self.minInterval
        due = now
        last = now
    }

    /// Notes that the source was read.
    ///
    /// - Parameters:
    ///   - count: how many events were read.
    ///   - now: monotonic milliseconds.
    ///   - mayWait: whether the next events may stay unread for longer than ``maxInterval``.
    mutating func drained(count: Int, at now: Int64, mayWait: Bool = true) {
        defer { last = now }
        guard count > 0 else {
            due = nil
            return
        }
        let calm = max(now - last, 1) * Self.maxWaiting / Int64(count)
        let most = min(
            max(calm, Self.maxInterval),
            mayWait ? Self.maxQuietInterval : Self.maxInterval
        )
        since = now
        due = now + min(interval, most)
        interval = min(interval * 2, most)
    }

    /// Notes that the source is disconnected.
    mutating func stop() {
        due = nil
    }
}
