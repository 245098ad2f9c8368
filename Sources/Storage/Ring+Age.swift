// SPDX-License-Identifier: Apache-2.0

import System

extension Ring {
    /// Takes a reading of the clocks and advances age time.
    ///
    /// - Parameters:
    ///   - reading: all clocks, read at one moment.
    ///   - next: the sequence number of the next batch to begin; nil for ``nextSequence``.
    ///   - retention: milliseconds after which a batch is erased.
    package func look(_ reading: AgeClock.Reading, next: UInt64? = nil, retention: Int64) {
        look(reading, next: next ?? nextSequence, isStart: false, retention)
    }

    func look(_ reading: AgeClock.Reading, next: UInt64, isStart: Bool, _ retention: Int64) {
        let before = head.clock.segments
        head.clock.look(reading, next: next, isStart: isStart, maxSleep: retention)
        if head.clock.segments != before {
            slots.forgetEarliest()
            knownDamageEnd = nil
        }
    }

    /// Whether possibly expired batches are kept because the wall clock is doubted.
    ///
    /// - Parameter retention: milliseconds after which a batch is erased.
    /// - Returns: true only when the claimed time off would make something expire.
    package func isKeepingDoubtful(_ retention: Int64) -> Bool {
        guard head.clock.isInDoubt, let claim = head.clock.claims.last?.elapsed else {
            return false
        }
        guard let due = timeToExpiry(retention) else { return false }
        return due <= claim
    }

    /// Selects what has exceeded its retention.
    ///
    /// - Parameter retention: milliseconds after its end at which a batch is erased.
    /// - Returns: batches whose proof is valid, and damaged rows by the strictest bound that is
    ///   known.
    /// - Throws: ``StorageError``.
    package func targets(olderThan retention: Int64) throws(StorageError) -> [Target] {
        let limit = head.clock.now - retention
        var found: [Target] = []
        for slot in slots.entries.indices {
            let entry = slots.entries[slot]
            if entry.isBatch, head.clock.ageEnd(UInt64(entry.sequence), entry.end) <= limit {
                guard try check(slot) else { continue }
                found.append(Target(slot: slot, entry: entry))
            }
        }
        for slot in slots.damaged {
            let end = upperAge(of: slot) ?? (head.found > 0 ? head.found : head.clock.now)
            if end <= limit { found.append(Target(slot: slot, entry: slots.entries[slot])) }
        }
        return found + (earlier?.batches.filter { $0.end <= limit } ?? []).map(Target.earlier)
    }

    /// When something next expires, or a doubted clock counts.
    ///
    /// - Parameter retention: milliseconds after which a batch is erased.
    /// - Returns: CLOCK_BOOTTIME in milliseconds; nil when nothing can expire.
    package func expiryDue(_ retention: Int64) -> Int64? {
        guard let left = timeToExpiry(retention) else { return nil }
        return head.clock.boottime
            .addingSaturated(min(left, head.clock.timeToClaim ?? .max))
    }

    private func timeToExpiry(_ retention: Int64) -> Int64? {
        let ends = [
            slots.earliestEnd(head.clock.ageEnd), earliestDamageEnd, earlier?.earliestEnd,
        ]
        return ends.compactMap(\.self).min().map {
            max(0, $0.addingSaturated(retention).subtractingSaturated(head.clock.now))
        }
    }

    private var earliestDamageEnd: Int64? {
        guard slots.damagedCount > 0 else { return nil }
        if let known = knownDamageEnd, known.generation == slots.generation { return known.end }
        let found = head.found > 0 ? head.found : nil
        let end = slots.damaged.compactMap { upperAge(of: $0) ?? found }.min()
        knownDamageEnd = (slots.generation, end)
        return end
    }

    /// Erases the pages set aside from damaged rings when they exceed their retention.
    ///
    /// - Parameter limit: the latest modification time of the file at which it is erased, in
    ///   milliseconds since 1970.
    package func expireSetAside(writtenBy limit: Int64) {
        let aside = path + Self.setAsideSuffix
        if let time = Disk.writtenAt(aside), time <= limit { _ = Self.eraseSetAside(path) }
    }
}
