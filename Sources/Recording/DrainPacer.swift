// SPDX-License-Identifier: Apache-2.0

/// Decides when the source is read: seldom under load, not at all when idle, at once only keys in a
/// terminal.
///
/// The server stamps events when they happen, so reading later costs no accuracy. After the first
/// event the source is left alone for a short while and then read once; while events keep coming
/// the whiles grow: to a tenth of a second, and as long as the pointer does nothing but move within
/// one window, no button down, to four seconds. What does not fit into the kernel's buffer meanwhile
/// waits at the server, which then sends it in large pieces: that, and not the wakeups, makes a
/// movement cheap. All times are monotonic milliseconds.
struct DrainPacer {
    static let minInterval: Int64 = 20
    /// The longest while in which nobody watches where input goes.
    static let maxInterval: Int64 = 100
    /// The longest while in which keys and windows are watched for and the pointer is left unread.
    static let maxQuietInterval: Int64 = 4000
    /// About so many events are left to wait at the server where the while is a long one.
    static let maxWaiting: Int64 = 1000

    /// What is to be watched for.
    enum Watch {
        /// Everything: nothing is due.
        case all
        /// What may stand at a prompt for a secret.
        case urgent
        /// Also whatever tells of keys and windows.
        case prompt
    }

    private var interval = minInterval
    /// When the source is to be read; nil while its descriptors are watched instead.
    private(set) var due: Int64?
    /// Since when the reading that is due is waited for.
    private var since: Int64 = 0
    /// When the source was last read.
    private var last: Int64 = 0

    /// What is to be watched for until the next reading.
    var watch: Watch {
        guard let due else { return .all }
        return due - since > Self.maxInterval ? .prompt : .urgent
    }

    /// The descriptors became readable.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - isUrgent: whether to read at once, also before a reading that is due.
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

    /// The source was connected: events may already stand in its queue.
    mutating func connected(at now: Int64) {
        interval = Self.minInterval
        due = now
        last = now
    }

    /// The source was read.
    ///
    /// - Parameters:
    ///   - count: the events.
    ///   - now: the moment.
    ///   - mayWait: whether what comes next may be left unread for longer than ``longest``.
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

    /// The source is disconnected.
    mutating func stop() {
        due = nil
    }
}
