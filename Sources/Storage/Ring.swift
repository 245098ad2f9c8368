// SPDX-License-Identifier: Apache-2.0

import Files
package import Sealing
import Signing

/// The ring: a SQLite file of fixed slots, each empty, one sealed batch, or the note that one is gone.
///
/// Upstream: sealing. Downstream: readers with the person's key. Promise: all files together never
/// exceed the cap, the newest batch takes the place of the oldest, what is erased is overwritten, a
/// batch that was accepted survives a crash and a power cut, and damage costs what is damaged.
package final class Ring {
    /// What is stored, without any content.
    package struct Contents: Equatable, Sendable {
        /// Bytes of the batches stored.
        package var bytes = 0
        /// Bytes that all files together may take.
        package var cap: Int
        package var batches = 0
        /// Ends of the oldest and the newest batch, in milliseconds since 1970, rounded up to the
        /// minute; nil when the ring is empty.
        package var oldest: Int64?
        package var newest: Int64?
    }

    /// Batches that are not there any more, though nobody had them erased.
    package struct Loss: Equatable, Sendable {
        package var batches: Int
        /// Between these moments, in milliseconds since 1970.
        package var stretch: ClosedRange<Int64>
    }

    package let path: String
    let cap: Int
    let key: DeviceKey
    let file: RingFile
    /// What each slot holds.
    var slots: SlotTable
    package internal(set) var head: RingHead
    /// Slots whose number or time damage has made impossible.
    let impossible: [Int]
    /// The rebuilding that goes on, where one does.
    var rebuilding: Rebuilding?
    /// What was found missing and not yet told.
    var losses: [Loss] = []
    /// Whether erased bytes may still stand in the write-ahead log.
    package internal(set) var hasPendingErasure = false
    /// The newest batch that is stored for certain, and its digest.
    var standing: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)

    init(_ path: String, cap: Int, key: DeviceKey) throws(StorageError) {
        self.path = path
        self.cap = max(cap, RingFormat.smallestCap)
        self.key = key
        file = try RingFile(path)
        let (entries, impossible) = try file.load()
        slots = SlotTable(entries)
        self.impossible = impossible
        head = RingHead()
    }

    /// The slots that the cap allows.
    var wantedSlots: Int { RingFormat.slots(cap: cap) }

    /// The number of the next new batch.
    package var nextSequence: UInt64 { max(newestStored, head.newest) + 1 }

    var newestStored: UInt64 { UInt64(slots.newest) }

    /// What is stored now.
    package var contents: Contents {
        var contents = Contents(cap: cap)
        for entry in slots.batches {
            contents.batches += 1
            contents.oldest = min(contents.oldest ?? entry.end, entry.end)
            contents.newest = max(contents.newest ?? entry.end, entry.end)
        }
        contents.bytes = contents.batches * RingFormat.pageSize
        return contents
    }

    /// What was found missing since the last call.
    package func takeLosses() -> [Loss] {
        defer { losses = [] }
        return losses
    }

    // MARK: Writing

    /// Stores a batch, on disk when this returns: a new one in the oldest slot, one that was stored
    /// before over its earlier state.
    ///
    /// - Throws: ``StorageError``; the ring is then as it was.
    package func put(_ batch: SealedBatch) throws(StorageError) {
        guard batch.bytes.count == RingFormat.slotSize else { throw StorageError(.failed) }
        try file.check(rows: slots.count)
        // Numbers that were given to batches which never arrived.
        let newest = newestStored
        if newest > 0, batch.sequence > newest + 1 {
            try bury(Array((newest + 1..<batch.sequence).suffix(slots.count)), .lost)
        }
        if batch.sequence >= head.newest {
            try announce(batch.sequence, end: batch.end, batch.digest)
        }
        let entry = SlotTable.Entry(sequence: Int64(batch.sequence), end: batch.end)
        try store(entry, batch.bytes)
        confirm()
    }

    /// Notes that what was announced has come to pass.
    ///
    /// It costs no waiting for the disk: after a power cut the last writing alone is open to doubt.
    private func confirm() {
        standing = (head.newest, head.digest)
        (head.before, head.digestBefore) = standing
        try? head.write(path, key, durable: false)
    }

    /// Writes into the head what the newest batch is about to be, and what it is until then.
    private func announce(
        _ sequence: UInt64,
        end: Int64,
        _ digest: [UInt8]
    ) throws(StorageError) {
        var new = head
        (new.newest, new.end, new.digest) = (sequence, end, digest)
        (new.before, new.digestBefore) = standing
        do throws(StorageError) {
            try new.write(path, key)
        } catch {
            // A disk that failed once is asked once more.
            try new.write(path, key)
        }
        head = new
    }

    /// Writes a batch into its slot, an empty one, a new one, or that of the oldest batch.
    func store(_ entry: SlotTable.Entry, _ sealed: [UInt8]) throws(StorageError) {
        let row = try row(for: entry, sealed)
        try file.write([row])
        didWrite(row)
    }

    /// The row into which something is to be written.
    private func row(
        for entry: SlotTable.Entry,
        _ sealed: [UInt8]
    ) throws(StorageError) -> RingFile.Row {
        if let slot = slots.slots(of: entry.sequence).last {
            return RingFile.Row(slot: slot, entry: entry, sealed: sealed)
        }
        if let oldest = slots.oldest(), slots.entries[oldest].sequence == 0 || !mayAddRow {
            return RingFile.Row(slot: oldest, entry: entry, sealed: sealed)
        }
        // A ring that has just begun to be rebuilt may have no room yet.
        guard mayAddRow else { throw StorageError(.busy) }
        return RingFile.Row(slot: slots.count, entry: entry, sealed: sealed, isNew: true)
    }

    func didWrite(_ row: RingFile.Row) {
        if row.isNew { return slots.add(row.entry) }
        let evicted = UInt64(slots.entries[row.slot].sequence)
        if evicted > 0, evicted != UInt64(row.entry.sequence) {
            head.first = max(head.first, evicted + 1)
        }
        slots.set(row.slot, row.entry)
        if head.bound(of: UInt64(row.entry.sequence)) != nil { slots.forgetEarliest() }
    }

    /// Writes the head; where that fails the next writing does it.
    func writeHead() {
        try? head.write(path, key)
    }

    // MARK: Erasing

    /// The batches that may hold anything of a stretch of time.
    ///
    /// A batch spans at most a minute and its end is rounded up to the minute, so that the answer
    /// can reach up to two minutes past the stretch on either side, and never falls short of it.
    ///
    /// - Parameter range: in milliseconds since 1970.
    /// - Returns: their sequence numbers.
    package func batches(touching range: ClosedRange<Int64>) -> [UInt64] {
        slots.batches
            .filter { $0.end >= range.lowerBound && $0.end - 120_000 <= range.upperBound }
            .map { UInt64($0.sequence) }
            .sorted()
    }

    /// Overwrites batches in every file of the ring; a signed note takes their place.
    ///
    /// - Parameters:
    ///   - sequences: numbers of batches; unknown ones are passed over.
    ///   - reason: what the note says.
    /// - Throws: ``StorageError``; `busy` when a reader is in the way: what is left is then erased
    ///   by another call, and ``hasPendingErasure`` is set until it is.
    package func erase(
        _ sequences: [UInt64],
        _ reason: Tombstone.Reason = .forgotten
    ) throws(StorageError) {
        hasPendingErasure = true
        try rebuildToEnd()
        let stored = Set(slots.batches.map { UInt64($0.sequence) })
        try bury(sequences.filter { stored.contains($0) }, reason)
        try finishErasure()
    }

    /// Empties the write-ahead log, so that nothing erased is left in it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    package func finishErasure() throws(StorageError) {
        try file.emptyLog()
        hasPendingErasure = false
    }

    /// Puts tombstones where batches are or should be, many in a commit: each waits for the disk.
    func bury(_ sequences: [UInt64], _ reason: Tombstone.Reason) throws(StorageError) {
        let index = slots.index()
        for start in stride(from: 0, to: sequences.count, by: RingFormat.mostTogether) {
            var rows: [RingFile.Row] = []
            for sequence in sequences[start...].prefix(RingFormat.mostTogether) {
                guard let stone = Tombstone(sequence, reason, signedBy: key) else {
                    throw StorageError(.failed)
                }
                let entry = SlotTable.Entry(sequence: Int64(sequence))
                if sequence == head.newest {
                    try announce(sequence, end: head.end, SealedBatch.digest(stone.bytes))
                }
                guard let places = index[entry.sequence] else {
                    // One that never arrived takes the place of the oldest.
                    try store(entry, stone.bytes)
                    continue
                }
                rows += places.map { RingFile.Row(slot: $0, entry: entry, sealed: stone.bytes) }
            }
            try file.write(rows)
            rows.forEach(didWrite)
        }
        if standing != (head.newest, head.digest) { confirm() }
    }

    /// Overwrites and removes what of damaged rings was set aside: nobody can tell what is in it, so
    /// it goes with whatever is to be forgotten.
    ///
    /// - Parameter path: of the ring.
    /// - Returns: whether there was something.
    package static func eraseSetAside(_ path: String) -> Bool {
        let aside = path + setAsideSuffix
        guard Disk.exists(aside) else { return false }
        Disk.overwrite(aside)
        Disk.remove(aside)
        return true
    }

    /// What the name of a file ends with that keeps the unreadable pages of damaged rings.
    package static let setAsideSuffix = ".damaged"
}
