// SPDX-License-Identifier: Apache-2.0

/// Decides when the source is read: seldom under load, not at all when idle, at once only keys in a
/// terminal.
///
/// The server stamps events when they happen, so reading later costs no accuracy. After the first
/// event the source is left alone for a short while and then read once; while events keep coming
/// the whiles grow. All times are monotonic milliseconds.
struct DrainPacer {
    static let shortest: Int64 = 20
    static let longest: Int64 = 100

    private var interval = shortest
    /// When the source is to be read; nil while its descriptors are watched instead.
    private(set) var due: Int64?

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
        guard due == nil else { return }
        interval = Self.shortest
        due = now + interval
    }

    /// The source was connected: events may already stand in its queue.
    mutating func connected(at now: Int64) {
        interval = Self.shortest
        due = now
    }

    /// The source was read.
    mutating func drained(count: Int, at now: Int64) {
        guard count > 0 else {
            due = nil
            return
        }
        due = now + interval
        interval = min(interval * 2, Self.longest)
    }

    /// The source is disconnected.
    mutating func stop() {
        due = nil
    }
}
