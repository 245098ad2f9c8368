// SPDX-License-Identifier: Apache-2.0

package import Sealing
package import Signing
import System

/// The ring: a SQLite file of fixed slots, each empty, one sealed batch, or the note that one is gone.
///
/// Upstream: sealing. Downstream: readers with the person's key. Promise: all files together never
/// exceed the cap, the newest batch takes the place of the oldest, what is erased is overwritten, a
/// batch that was accepted survives a crash and a power cut, damage costs what is damaged, and nothing
/// is decided from a number that nobody signed.
package final class Ring {
    /// What is stored, without any content.
    package struct Contents: Equatable, Sendable {
        /// Bytes of the batches stored.
        package var bytes = 0
        /// Bytes that all files together may take.
        package var cap: Int
        package var batches = 0
        /// Rows whose proof fails.
        package var damaged = 0
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

    /// What the ring is opened with.
    package struct Setting {
        /// Bytes that all files together may take.
        package var cap: Int
        /// Signs rows, notes and head.
        package var key: DeviceKey
        /// The clocks at the moment of opening.
        package var clocks: AgeClock.Reading
        /// What is remembered of this recorder's rings outside of them.
        package var marks = HighWaterMarks()
        /// Takes what is to be remembered outside, after each writing.
        package var note: (HighWaterMarks) -> Void = { _ in }
        /// Slots instead of those that the cap allows, for tests.
        var slots: Int?

        package init(cap: Int, key: DeviceKey, clocks: AgeClock.Reading) {
            (self.cap, self.key, self.clocks) = (cap, key, clocks)
        }
    }

    package let path: String
    let setting: Setting
    let file: RingFile
    /// What each slot holds.
    var slots: SlotTable
    package internal(set) var head: RingHead
    /// The rebuilding that goes on, where one does.
    var rebuilding: Rebuilding?
    /// The slot up to which all proofs were checked; nil when they all were.
    var checking: Int? = 0
    /// Damaged rows of which it is to be found out what they may be.
    var unassigned: [Int] = []
    var isPlacing = false
    /// What was found missing and not yet reported.
    var losses: [Loss] = []
    /// What was found and not yet reported.
    var findings: [Finding] = []
    /// Whether erased bytes may still stand in the write-ahead log.
    package internal(set) var hasPendingErasure = false
    /// The newest batch that is stored for certain, and its digest.
    var confirmed: (sequence: UInt64, digest: [UInt8]) = (0, SealedBatch.noDigest)
    /// The record of the head that was written last.
    var written: RingHead.Record?
    /// Numbers found missing, and in what state.
    var knownMissing: (state: (Int, UInt64, UInt64), numbers: [ClosedRange<UInt64>])?
    /// When the first damaged row reaches its age, in age time, and in what state that was found.
    var knownDamageEnd: (generation: Int, end: Int64?)?
    /// The ring of the version before, as long as something is in it.
    var earlier: EarlierRing?
    /// The newest number that anything named at the opening, but for one that a crash has undone.
    var openedAt: UInt64

    var key: DeviceKey { setting.key }
    let cap: Int

    /// Opens what is at a path.
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

    /// The slots that the cap allows, beside what is left of an earlier version's ring.
    var wantedSlots: Int {
        if let slots = setting.slots { return slots }
        return max(Self.fewestSlots, RingFormat.slots(cap: cap) - (earlier?.pages ?? 0))
    }

    /// So many slots a ring has at least, whatever an earlier one takes.
    static let fewestSlots = 16

    /// The number of the next new batch.
    package var nextSequence: UInt64 { max(confirmed.sequence, head.newest, openedAt) + 1 }

    /// What is stored now.
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

    /// What was found missing since the last call.
    package func takeLosses() -> [Loss] {
        defer { losses = [] }
        return losses
    }

    /// What was found since the last call.
    package func takeFindings() -> [Finding] {
        defer { findings = [] }
        return findings
    }

    /// Whether the files are still the ones that were opened, and whole.
    ///
    /// - Throws: ``StorageError`` `moved` or `damaged`.
    package func checkFiles() throws(StorageError) { try file.check(rows: slots.count) }

    // MARK: Writing

    /// Stores a batch, on disk when this returns: a new one in the oldest slot, one that was stored
    /// before over its earlier state.
    ///
    /// - Throws: ``StorageError``; the ring is then as it was.
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

    /// Numbers that were given to batches which never arrived leave notes: those of this run in any
    /// case, those of before, of which a head or a mark tells, where there is room.
    private func buryNeverStored(before sequence: UInt64) throws(StorageError) {
        let newest = confirmed.sequence
        guard sequence > newest + 1, newest > 0 || openedAt > 0 else { return }
        let ours = max(newest, openedAt) + 1
        if ours < sequence {
            try writeTombstones(Array((ours..<sequence).suffix(slots.count / 2)), .lost)
        }
    }

    /// Notes that what was announced has come to pass, here and outside.
    ///
    /// It costs no waiting for the disk: after a power cut the last writing alone is open to doubt.
    func confirm() {
        confirmed = (head.newest, head.digest)
        (head.before, head.digestBefore) = confirmed
        noteHead(durable: false)
        noteOutside()
    }

    /// Has the numbers remembered outside of the ring.
    func noteOutside() {
        var marks = HighWaterMarks()
        (marks.ringID, marks.writings, marks.newest) = (head.ringID, head.writings, head.newest)
        setting.note(marks)
    }

    /// Writes into the head what the newest batch is about to be, and what it is until then.
    private func writeIntent(
        _ entry: SlotTable.Entry,
        _ digest: [UInt8],
        evicting: SlotTable.Entry?
    ) throws(StorageError) {
        var new = head
        (new.newest, new.digest) = (UInt64(entry.sequence), digest)
        if entry.end > 0 { new.end = entry.end }
        (new.before, new.digestBefore) = confirmed
        // Fewer notes than the head names are an accusation.
        if evicting?.isNote == true { new.notes -= min(new.notes, 1) }
        noteChangedHead(&new)
        do throws(StorageError) {
            written = try new.write(path, key)
        } catch {
            // A disk that failed once is asked once more.
            written = try new.write(path, key)
        }
        head = new
    }

    /// Notes that somebody else has changed the head under this run, which writes it on.
    private func noteChangedHead(_ new: inout RingHead) {
        guard let last = written, !last.isThere(path) else { return }
        written = nil
        new.add(RingHead.Incident(kind: .headGone, at: setting.clocks.wall))
        report(.incident(.headGone))
    }

    /// Writes a row into its slot, an empty one, a new one, or that of the oldest batch.
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

    /// A row with its proof.
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

    /// The slot into which something is to be written, and whether it is a new one.
    private func slot(for entry: SlotTable.Entry) throws(StorageError) -> (Int, isNew: Bool) {
        if let slot = slots.slots(of: entry.sequence).last { return (slot, false) }
        while let oldest = slots.oldest() {
            if slots.entries[oldest].isEmpty { return (oldest, false) }
            if mayAddRow { break }
            if rebuilding == nil, earlier != nil {
                try makeRoom()
                continue
            }
            // What is about to go is asked for its proof, for its turn came by its own word.
            guard try check(oldest) else { continue }
            return (oldest, false)
        }
        // A ring that has just begun to be rebuilt may have no room yet.
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

    /// Writes the head; where that fails the next writing does it.
    func writeHead() { noteHead(durable: true) }

    /// Writes what the clocks have come to.
    ///
    /// - Parameter durable: whether to wait for the disk.
    package func noteHead(durable: Bool) {
        if let record = try? head.write(path, key, durable: durable) { written = record }
        if durable { noteOutside() }
    }

    // MARK: Erasing

    /// Something to be erased: what stood in a slot when it was found.
    package struct Target: Equatable, Sendable {
        var slot: Int
        var entry: SlotTable.Entry
        /// Whether it stands in the ring of the version before.
        var isEarlier = false
        /// The number of the batch; nil of a damaged row.
        package var sequence: UInt64? { entry.isDamaged ? nil : UInt64(entry.sequence) }

        static func earlier(_ batch: EarlierRing.Batch) -> Target {
            let entry = SlotTable.Entry(sequence: Int64(clamping: batch.sequence))
            return Target(slot: Int(batch.slot), entry: entry, isEarlier: true)
        }
    }

    /// What may hold anything of a stretch of time.
    ///
    /// A batch spans at most a minute and its end is rounded up to the minute, so that the answer
    /// can reach up to two minutes past the stretch on either side, and never falls short of it: every
    /// proof is checked before, and a damaged row counts wherever it may have come from.
    ///
    /// - Parameter range: in milliseconds since 1970.
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

    /// The batches with given numbers, and the damaged rows that may be one of them.
    ///
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

    /// Overwrites batches and damaged rows in every file of the ring; signed notes take their place.
    ///
    /// - Parameters:
    ///   - targets: what is no longer as it was found is passed over.
    ///   - reason: what the notes say.
    /// - Throws: ``StorageError``; `busy` when a reader is in the way: what is left is then erased
    ///   by another call, and ``hasPendingErasure`` is set until it is.
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

    /// Leaves notes of batches that were never stored, as when they are forgotten while they wait.
    ///
    /// - Throws: ``StorageError``.
    package func noteErased(_ sequences: [UInt64]) throws(StorageError) {
        try writeTombstones(sequences.filter { $0 > confirmed.sequence }.sorted(), .forgotten)
    }

    /// Puts notes where something stands, in one commit: each waits for the disk.
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
        // Of clocks that no batch is left of nothing need be known.
        let oldest = slots.batches.map(\.sequence).min().map { UInt64($0) } ?? nextSequence
        if slots.damagedCount == 0 { head.clock.forget(before: oldest) }
        didBury(rows.count { $0.entry.sequence > 0 }, reason)
    }

    /// Puts notes where nothing is of a number, in the place of the oldest: one that never arrived.
    func writeTombstones(_ sequences: [UInt64], _ reason: Tombstone.Reason) throws(StorageError) {
        for sequence in sequences {
            let note = try note(sequence, reason)
            try store(note.entry, note.sealed)
        }
        if !sequences.isEmpty { didBury(sequences.count, reason) }
    }

    private func didBury(_ count: Int, _ reason: Tombstone.Reason) {
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

    /// Empties the write-ahead log, so that nothing erased is left in it.
    ///
    /// - Throws: ``StorageError`` `busy` when a reader is in the way.
    package func finishErasure() throws(StorageError) {
        try file.emptyLog()
        hasPendingErasure = false
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
