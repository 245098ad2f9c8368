// SPDX-License-Identifier: Apache-2.0

package import Sealing
package import Signing
import System

/// A SQLite file of fixed slots; each is empty or holds one sealed batch or the tombstone of one.
///
/// Upstream: sealing. Downstream: readers with the person's key. Promise: all files together never
/// exceed the cap. The newest batch replaces the oldest, and erased bytes are overwritten. An
/// accepted batch survives a crash and a power cut. Damage costs only what is damaged. No decision
/// relies on a number that nobody signed.
package final class Ring {
    /// What the ring stores, without any content.
    package struct Contents: Equatable, Sendable {
        /// Bytes taken by the stored batches and damaged rows, in whole pages.
        package var bytes = 0
        /// Maximum size of all files together, in bytes.
        package var cap: Int
        /// Number of batches that are not damaged.
        package var batches = 0
        /// Number of rows whose proof fails.
        package var damaged = 0
        /// The earliest end of a batch in milliseconds since 1970, rounded up to the minute; nil
        /// when empty.
        package var oldest: Int64?
        /// The latest end of a batch in milliseconds since 1970, rounded up to the minute; nil when
        /// empty.
        package var newest: Int64?
    }

    /// Batches that are missing although nobody asked to erase them.
    package struct Loss: Equatable, Sendable {
        /// How many are missing.
        package var batches: Int
        /// The wall time in which they were recorded, in milliseconds since 1970.
        package var stretch: ClosedRange<Int64>
    }

    /// The settings with which a ring is opened.
    package struct Setting {
        /// Maximum size of all files together, in bytes.
        package var cap: Int
        /// Signs the rows, the tombstones and the head.
        package var key: DeviceKey
        /// The machine's clocks at the moment of opening.
        package var clocks: AgeClock.Reading
        /// What this recorder remembers of its rings outside of them.
        package var marks = HighWaterMarks()
        /// Takes the marks to remember outside of the ring, after each write of the head.
        package var note: (HighWaterMarks) -> Void = { _ in }
        /// Overrides the number of slots that the cap allows, for tests.
        var slots: Int?

        /// Takes what has no default.
        ///
        /// - Parameters:
        ///   - cap: maximum size of all files together, in bytes.
        ///   - key: signs the rows, the tombstones and the head.
        ///   - clocks: the machine's clocks now.
        package init(cap: Int, key: DeviceKey, clocks: AgeClock.Reading) {
            (self.cap, self.key, self.clocks) = (cap, key, clocks)
        }
    }

    /// Path of the database file.
    package let path: String
    let setting: Setting
    let file: RingFile
    /// The cached state of every slot.
    var slots: SlotTable
    /// What the ring must hold, as last written to the file beside it.
    package internal(set) var head: RingHead
    /// The rebuilding in progress; nil when there is none.
    var rebuilding: Rebuilding?
    /// The first slot whose proof is still to be checked; nil when all were checked.
    var checking: Int? = 0
    /// Damaged rows whose possible batch numbers are not determined yet.
    var unassigned: [Int] = []
    var isPlacing = false
    /// Losses found and not yet reported.
    var losses: [Loss] = []
    /// Findings not yet reported.
    var findings: [Finding] = []
    /// Whether erased bytes may still be in the write-ahead log.
    package internal(set) var hasPendingErasure = false
    /// The newest batch that is certainly stored, and its digest.
    var confirmed: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)
    /// The record of the head that was last written.
    var written: RingHead.Record?
    /// Cached missing numbers, and the state for which they were computed.
    var knownMissing: (state: (Int, UInt64, UInt64), numbers: [ClosedRange<UInt64>])?
    /// Cached earliest end of the damaged rows in age time, and the generation it was computed for.
    var knownDamageEnd: (generation: Int, end: Int64?)?
    /// The ring of the previous version, while something is left in it.
    var earlier: EarlierRing?
    /// The highest number found at the opening, unless a crash undid its batch.
    var openedAt: UInt64

    var key: DeviceKey { setting.key }
    let cap: Int

    /// Opens the ring at a path.
    ///
    /// - Throws: ``StorageError``.
    init(_ path: String, _ setting: Setting, _ head: RingHead?) throws(StorageError) {
        self.path = path
        self.setting = setting
        cap = max(setting.cap, RingFormat.smallestCap)
        file = try RingFile(path)
        slots = SlotTable(try file.load())
        self.head = head ?? RingHead()
        openedAt = max(self.head.newest, setting.marks.newest)
        earlier = EarlierRing(path)
    }

    /// The number of slots that the cap allows beside an earlier version's ring.
    var wantedSlots: Int {
        if let slots = setting.slots { return slots }
        return max(Self.fewestSlots, RingFormat.slots(cap: cap) - (earlier?.pages ?? 0))
    }

    /// The minimum number of slots, whatever an earlier version's ring takes.
    static let fewestSlots = 16

    /// The sequence number of the next new batch.
    package var nextSequence: UInt64 { max(confirmed.sequence, head.newest, openedAt) + 1 }

    /// Summary of what is stored now; it reads no file.
    package var contents: Contents {
        var contents = Contents(cap: cap)
        for entry in slots.batches {
            contents.batches += 1
            contents.oldest = min(contents.oldest ?? entry.end, entry.end)
            contents.newest = max(contents.newest ?? entry.end, entry.end)
        }
        contents.damaged = slots.damagedCount
        contents.bytes = (contents.batches + contents.damaged) * RingFormat.pageSize
        return contents
    }

    /// Returns the losses found since the last call.
    package func takeLosses() -> [Loss] {
        defer { losses = [] }
        return losses
    }

    /// Returns the findings since the last call.
    package func takeFindings() -> [Finding] {
        defer { findings = [] }
        return findings
    }

    /// Checks that the files at the paths are still the opened ones, and complete.
    ///
    /// - Throws: ``StorageError`` `moved` or `damaged`.
    package func checkFiles() throws(StorageError) { try file.check(rows: slots.count) }

    // MARK: Writing

    /// Stores a batch durably: a new one in the oldest slot, a known one over its earlier state.
    ///
    /// The batch is on disk when this returns.
    ///
    /// - Throws: ``StorageError``; the ring is then unchanged.
    package func put(_ batch: SealedBatch) throws(StorageError) {
        guard batch.bytes.count == RingFormat.slotSize else { throw StorageError(.failed) }
        try file.check(rows: slots.count)
        try buryNeverStored(before: batch.sequence)
        let entry = SlotTable.Entry(
            sequence: Int64(batch.sequence),
            end: RingFormat.storableEnd(batch.end)
        )
        try store(entry, batch.bytes)
        confirm()
    }

    /// Writes tombstones for numbers whose batches never arrived.
    ///
    /// Numbers given in this run always get one. Numbers of earlier runs, known from a head or a
    /// mark, get one where there is room.
    private func buryNeverStored(before sequence: UInt64) throws(StorageError) {
        let newest = confirmed.sequence
        guard sequence > newest + 1, newest > 0 || openedAt > 0 else { return }
        let ours = max(newest, openedAt) + 1
        if ours < sequence {
            try writeTombstones(Array((ours..<sequence).suffix(slots.count / 2)), .lost)
        }
    }

    /// Confirms that the announced batch is stored, in the head and outside.
    ///
    /// It does not wait for the disk, so after a power cut only the last write is in doubt.
    func confirm() {
        confirmed = (head.newest, head.digest)
        (head.before, head.digestBefore) = confirmed
        noteHead(durable: false)
        noteOutside()
    }

    /// Passes the marks on, to be remembered outside of the ring.
    func noteOutside() {
        var marks = HighWaterMarks()
        (marks.ringID, marks.writings, marks.newest) = (head.ringID, head.writings, head.newest)
        setting.note(marks)
    }

    /// Writes what the newest batch is about to be, and what it is until then, into the head.
    private func writeIntent(
        _ entry: SlotTable.Entry,
        _ digest: [UInt8],
        evicting: SlotTable.Entry?
    ) throws(StorageError) {
        var new = head
        (new.newest, new.digest) = (UInt64(entry.sequence), digest)
        if entry.end > 0 { new.end = entry.end }
        (new.before, new.digestBefore) = confirmed
        // Fewer tombstones than the head counts would be reported as tampering.
        if evicting?.isNote == true { new.notes -= min(new.notes, 1) }
        noteChangedHead(&new)
        do throws(StorageError) {
            written = try new.write(path, key)
        } catch {
            // A disk that failed once gets one retry.
            written = try new.write(path, key)
        }
        head = new
    }

    /// Notes that somebody else changed the head during this run; this run keeps writing its own.
    private func noteChangedHead(_ new: inout RingHead) {
        guard let last = written, !last.isThere(path) else { return }
        written = nil
        new.add(RingHead.Incident(kind: .headGone, at: setting.clocks.wall))
        report(.incident(.headGone))
    }

    /// Writes a row into its slot: an empty one, a new one, or that of the oldest batch.
    func store(_ entry: SlotTable.Entry, _ sealed: [UInt8]) throws(StorageError) {
        let (slot, isNew) = try slot(for: entry)
        let row = try row(slot, entry, sealed, isNew: isNew)
        let before = isNew ? nil : slots.entries[slot]
        let evicted = before.flatMap { $0.sequence == entry.sequence ? nil : $0 }
        if entry.sequence >= Int64(head.newest) {
            try writeIntent(entry, SealedBatch.digest(sealed), evicting: evicted)
        }
        try file.write([row])
        didWrite(row)
    }

    /// Signs a row.
    func row(
        _ slot: Int,
        _ entry: SlotTable.Entry,
        _ sealed: [UInt8],
        isNew: Bool = false
    ) throws(StorageError) -> RingFile.Row {
        guard let proof = RowProof.sign(key, head.ringID, slot, entry, sealed) else {
            throw StorageError(.failed)
        }
        var entry = entry
        entry.trust = .proven
        return RingFile.Row(slot: slot, entry: entry, sealed: sealed, proof: proof, isNew: isNew)
    }

    /// Chooses the slot to write to, and says whether it is a new one.
    private func slot(for entry: SlotTable.Entry) throws(StorageError) -> (Int, isNew: Bool) {
        if let slot = slots.slots(of: entry.sequence).last { return (slot, false) }
        while let oldest = slots.oldest() {
            if slots.entries[oldest].isEmpty { return (oldest, false) }
            if mayAddRow { break }
            if rebuilding == nil, earlier != nil {
                try makeRoom()
                continue
            }
            // Check the proof of the row to be evicted: only its own unchecked number put it first.
            guard try check(oldest) else { continue }
            return (oldest, false)
        }
        // A ring whose rebuilding has just begun may have no room yet.
        guard mayAddRow else { throw StorageError(.busy) }
        return (slots.count, true)
    }

    func didWrite(_ row: RingFile.Row) {
        if row.isNew { return slots.add(row.entry) }
        let before = slots.entries[row.slot]
        if before.sequence > 0, before.sequence != row.entry.sequence, row.entry.sequence > 0 {
            head.first = max(head.first, UInt64(before.sequence) + 1)
        }
        slots.set(row.slot, row.entry)
    }

    /// Writes the head; when that fails, the next write includes it.
    func writeHead() { noteHead(durable: true) }

    /// Writes the current clock state into the head.
    ///
    /// - Parameter durable: whether to wait for the disk.
    package func noteHead(durable: Bool) {
        if let record = try? head.write(path, key, durable: durable) { written = record }
        if durable { noteOutside() }
    }

    // MARK: Erasing

    /// A slot to erase, with the contents it had when it was selected.
    package struct Target: Equatable, Sendable {
        var slot: Int
        var entry: SlotTable.Entry
        /// Whether it is in the ring of the previous version.
        var isEarlier = false
        /// The batch's sequence number; nil for a damaged row.
        package var sequence: UInt64? { entry.isDamaged ? nil : UInt64(entry.sequence) }

        static func earlier(_ batch: EarlierRing.Batch) -> Target {
            let entry = SlotTable.Entry(sequence: Int64(clamping: batch.sequence))
            return Target(slot: Int(batch.slot), entry: entry, isEarlier: true)
        }
    }

    /// Selects everything that may hold events of a time range.
    ///
    /// A batch spans at most a minute, and its end is rounded up to the minute. So the result can
    /// reach up to two minutes beyond the range on either side, and never misses a part of it.
    /// Every proof is checked first, and a damaged row counts wherever it may have come from.
    ///
    /// - Parameter range: wall time in milliseconds since 1970.
    /// - Returns: what to erase.
    /// - Throws: ``StorageError``.
    package func targets(touching range: ClosedRange<Int64>) throws(StorageError) -> [Target] {
        try checkToEnd()
        return targets { slot, entry in
            if entry.isDamaged {
                guard let span = span(of: slot) else { return true }
                return SealedBatch.touches(range, from: span.lowerBound, end: span.upperBound)
            }
            return SealedBatch.touches(range, from: entry.end, end: entry.end)
        } + (earlier?.batches(touching: range) ?? []).map(Target.earlier)
    }

    /// Selects the batches with the given numbers and the damaged rows that may be one of them.
    ///
    /// - Parameter numbers: sequence numbers of batches.
    /// - Returns: what to erase.
    /// - Throws: ``StorageError``.
    package func targets(_ numbers: [UInt64]) throws(StorageError) -> [Target] {
        try checkToEnd()
        let wanted = Set(numbers)
        return targets { slot, entry in
            guard entry.isDamaged else { return wanted.contains(UInt64(entry.sequence)) }
            let possible = possibleNumbers(of: slot)
            return wanted.contains { possible?.contains($0) ?? true }
        } + (earlier?.batches.filter { wanted.contains($0.sequence) } ?? []).map(Target.earlier)
    }

    private func targets(where isWanted: (Int, SlotTable.Entry) -> Bool) -> [Target] {
        slots.entries.indices.filter { slot in
            let entry = slots.entries[slot]
            return (entry.isBatch || entry.isDamaged) && isWanted(slot, entry)
        }.map { Target(slot: $0, entry: slots.entries[$0]) }
            .sorted { $0.entry.sequence < $1.entry.sequence }
    }

    /// Overwrites batches and damaged rows in every file of the ring with signed tombstones.
    ///
    /// - Parameters:
    ///   - targets: what to erase; a slot that has changed since it was selected is skipped.
    ///   - reason: what the tombstones say.
    /// - Throws: ``StorageError``; `busy` when a reader is in the way. Another call then erases
    ///   what is left, and ``hasPendingErasure`` stays set until it has.
    package func erase(
        _ targets: [Target],
        _ reason: Tombstone.Reason = .forgotten
    ) throws(StorageError) {
        hasPendingErasure = true
        try rebuildToEnd()
        let before = targets.filter(\.isEarlier).map { Int64($0.slot) }
        if !before.isEmpty, let earlier {
            try earlier.erase(before)
            if earlier.isEmpty { dropEarlier() }
        }
        let left = targets.filter { target in
            !target.isEarlier && slots.entries.indices.contains(target.slot)
                && slots.entries[target.slot].holdsSame(as: target.entry)
        }
        for start in stride(from: 0, to: left.count, by: RingFormat.maxRowsPerCommit) {
            try overwrite(left[start...].prefix(RingFormat.maxRowsPerCommit), reason)
        }
        try finishErasure()
    }

    /// Writes tombstones for batches that were never stored, as when they are forgotten while they
    /// wait.
    ///
    /// - Parameter sequences: sequence numbers; those up to the newest stored batch are ignored.
    /// - Throws: ``StorageError``.
    package func noteErased(_ sequences: [UInt64]) throws(StorageError) {
        try writeTombstones(sequences.filter { $0 > confirmed.sequence }.sorted(), .forgotten)
    }

    /// Overwrites slots with tombstones in one commit, because each commit waits for the disk.
    private func overwrite(
        _ targets: ArraySlice<Target>,
        _ reason: Tombstone.Reason
    ) throws(StorageError) {
        var rows: [RingFile.Row] = []
        for target in targets {
            let number = target.sequence ?? number(ofErased: target.slot, rows)
            guard let number else {
                rows.append(.empty(target.slot))
                continue
            }
            let note = try note(number, reason)
            if number == head.newest {
                try writeIntent(note.entry, SealedBatch.digest(note.sealed), evicting: nil)
            }
            rows.append(try row(target.slot, note.entry, note.sealed))
        }
        try file.write(rows)
        for row in rows { slots.set(row.slot, row.entry) }
        // Clock segments that no stored batch refers to are no longer needed.
        let oldest = slots.batches.map(\.sequence).min().map { UInt64($0) } ?? nextSequence
        if slots.damagedCount == 0 { head.clock.forget(before: oldest) }
        didWriteTombstones(rows.count { $0.entry.sequence > 0 }, reason)
    }

    /// Writes tombstones into the oldest slots, for numbers that no row has: batches that never
    /// arrived.
    func writeTombstones(_ sequences: [UInt64], _ reason: Tombstone.Reason) throws(StorageError) {
        for sequence in sequences {
            let note = try note(sequence, reason)
            try store(note.entry, note.sealed)
        }
        if !sequences.isEmpty { didWriteTombstones(sequences.count, reason) }
    }

    private func didWriteTombstones(_ count: Int, _ reason: Tombstone.Reason) {
        head.notes += UInt64(count)
        head.erased.add(count, reason)
        confirm()
    }

    func note(
        _ sequence: UInt64,
        _ reason: Tombstone.Reason
    ) throws(StorageError) -> (entry: SlotTable.Entry, sealed: [UInt8]) {
        guard let note = Tombstone(sequence, reason, signedBy: key) else {
            throw StorageError(.failed)
        }
        return (SlotTable.Entry(sequence: Int64(sequence)), note.bytes)
    }

    /// Empties the write-ahead log, so that no erased bytes are left in it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    package func finishErasure() throws(StorageError) {
        try file.emptyLog()
        hasPendingErasure = false
    }

    /// Overwrites and removes the pages set aside from damaged rings.
    ///
    /// Nobody can say what is in them, so every request to forget erases them.
    ///
    /// - Parameter path: of the ring.
    /// - Returns: whether there was such a file.
    package static func eraseSetAside(_ path: String) -> Bool {
        let aside = path + setAsideSuffix
        guard Disk.exists(aside) else { return false }
        Disk.overwrite(aside)
        Disk.remove(aside)
        return true
    }

    /// Suffix of the file that keeps unreadable pages of damaged rings.
    package static let setAsideSuffix = ".damaged"
}
