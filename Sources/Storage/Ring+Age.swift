// SPDX-License-Identifier: Apache-2.0

import Files

extension Ring {
    /// The batches that ended at or before a moment, and so have reached their age.
    ///
    /// - Parameter limit: in milliseconds since 1970.
    /// - Returns: their sequence numbers.
    package func batches(endedBy limit: Int64) -> [UInt64] {
        ends.filter { $0.end <= limit }.map(\.sequence)
    }

    /// The end of the batch that reaches its age first, in milliseconds since 1970.
    package var earliestEnd: Int64? { slots.earliestEnd(head.bound) }

    /// The end of each batch by which its age counts.
    ///
    /// A clock that was ahead gives ends that lie in the future. A batch cannot have ended later than
    /// one that came after it, nor later than the moment at which the clock was found to be behind it.
    private var ends: [(sequence: UInt64, end: Int64)] {
        var latest = Int64.max
        return slots.batches.sorted { $0.sequence > $1.sequence }.map { entry in
            latest = min(latest, entry.end)
            let sequence = UInt64(entry.sequence)
            latest = min(latest, head.bound(of: sequence) ?? .max)
            return (sequence, latest)
        }
    }

    /// Notes that the clock is behind the newest batch, where it is.
    ///
    /// - Parameter now: in milliseconds since 1970.
    package func noteClock(_ now: Int64) {
        // An end is rounded up to the minute.
        guard let newest = ends.map(\.end).max(), newest > now + 60_000 else { return }
        head.add(.init(upTo: newestStored, end: now))
        slots.forgetEarliest()
        writeHead()
    }

    /// Erases what was set aside when it has reached its age.
    ///
    /// - Parameter limit: in milliseconds since 1970.
    package func expireSetAside(writtenBy limit: Int64) {
        let aside = path + Self.setAsideSuffix
        if let time = Disk.writtenAt(aside), time <= limit { _ = Self.eraseSetAside(path) }
    }
}
