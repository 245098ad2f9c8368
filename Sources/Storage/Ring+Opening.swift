// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing
import System

extension Ring {
    /// Opens the ring at a path, or creates it.
    ///
    /// A ring that is damaged, of another size or of the previous version is set aside, and
    /// ``rebuildStep()`` moves it into a new one.
    ///
    /// - Parameters:
    ///   - path: of the database file; its folder must exist.
    ///   - setting: size, key, clocks, and the marks remembered outside.
    ///   - retention: milliseconds after which a batch is erased.
    /// - Returns: the ring.
    /// - Throws: ``StorageError``; never `damaged`.
    package static func open(
        _ path: String,
        _ setting: Setting,
        retention: Int64
    ) throws(StorageError) -> Ring {
        var isMended = false
        for _ in 0..<4 {
            do throws(StorageError) {
                let ring = try openOnce(path, setting, retention)
                if ring.slots.count <= ring.wantedSlots {
                    if isMended { ring.report(.mended) }
                    return ring
                }
                OldRing.setAside(path, .resized)
            } catch {
                switch error.code {
                case .unknownVersion where EarlierRing.isOne(path):
                    OldRing.setAside(path, .earlier)
                case .unknownVersion where !RingHead.isOfAnotherVersion(path), .damaged:
                    isMended = true
                    OldRing.setAside(path, .damaged)
                case .cannotOpen where Disk.exists(path): makeReadable(path)
                default: throw error
                }
            }
        }
        throw StorageError(.cannotOpen)
    }

    /// Sets a damaged ring aside, so that the next opening rebuilds it.
    ///
    /// - Parameter path: of the database file.
    package static func setAside(_ path: String) { OldRing.setAside(path, .damaged) }

    private static func makeReadable(_ path: String) {
        if let folder = Disk.ownFolder(of: path) { Disk.makeReadable(folder, mode: 0o700) }
        for suffix in ["", "-wal", "-shm"] { Disk.makeReadable(path + suffix) }
    }

    private static func openOnce(
        _ path: String,
        _ setting: Setting,
        _ retention: Int64
    ) throws(StorageError) -> Ring {
        OldRing.removeEmpty(path)
        let isAlone = !Disk.exists(path) && Disk.exists(path + "-wal")
        if isAlone { OldRing.setAside(path, .damaged) }
        if EarlierRing.isBroken(path) {
            OldRing.setAside(EarlierRing.path(path), .earlier, as: path)
        }
        let found = RingHead.read(path, setting.key.verifier).head
        let old = OldRing.paths(path)
        let isNew = !Disk.exists(path)
        if isNew {
            try RingFile.make(
                path,
                id: found?.ringID ?? newID(setting.marks, isRebuilt: !old.isEmpty),
                slots: old.isEmpty ? setting.slots ?? RingFormat.slots(cap: setting.cap) : 0
            )
        }
        let ring = try Ring(path, setting, found)
        let isOurs = try ring.chooseID(found)
        if isNew { ring.head.structure = SealedBatch.noDigest }
        // The log of a crashed run may hold erased bytes, and a reader may be in the way.
        ring.hasPendingErasure = (try? ring.file.emptyLog()) == nil
        if old.isEmpty, ring.head.structure != SealedBatch.noDigest, !ring.hasPendingErasure,
            ring.file.structure() != ring.head.structure
        {
            throw StorageError(.damaged)
        }
        if !old.isEmpty || ring.slots.count < ring.wantedSlots {
            ring.rebuilding = Rebuilding(
                old: old,
                hasMoved: !old.isEmpty,
                limit: max(ring.cap, ring.allFiles)
            )
            ring.head.structure = SealedBatch.noDigest
        }
        ring.noteIncidents(found: isOurs ? found : nil, isNew: isNew && old.isEmpty)
        if isNew, found == nil, old.allSatisfy({ $0.reason == .earlier }) { ring.goOnCounting() }
        if old.isEmpty {
            try ring.settleHead()
            try ring.settleImpossible()
        } else {
            ring.confirmed = (ring.head.newest, ring.head.digest)
            if old.contains(where: { $0.reason == .earlier }) { ring.report(.earlierVersion) }
        }
        ring.startClock(retention)
        if ring.isRebuilding || ring.head != found { ring.writeHead() }
        if ring.rebuilding == nil, ring.head.structure == SealedBatch.noDigest {
            ring.noteStructure()
        }
        return ring
    }

    /// The id for a new ring: that of the rows it will take over, or a random one.
    private static func newID(_ marks: HighWaterMarks, isRebuilt: Bool) -> [UInt8] {
        if isRebuilt, marks.hasRing { return marks.ringID }
        var random = SystemRandomNumberGenerator()
        return (0..<HighWaterMarks.ringIDSize).map { _ in .random(in: 1...255, using: &random) }
    }

    /// Determines the id for which the rows' proofs are valid.
    ///
    /// Candidates are the head's id, the one remembered outside, and the one that the file names.
    ///
    /// - Returns: whether it is the head's.
    private func chooseID(_ found: RingHead?) throws(StorageError) -> Bool {
        let candidates = [
            found?.ringID, file.ringID, setting.marks.hasRing ? setting.marks.ringID : nil,
        ]
        .compactMap(\.self)
        guard let first = candidates.first else { throw StorageError(.damaged) }
        let claimed = slots.entries.indices.filter { slots.entries[$0].sequence > 0 }
            .sorted { slots.entries[$0].sequence > slots.entries[$1].sequence }
        var chosen = first
        search: for slot in claimed.prefix(16) {
            guard let row = try file.row(slot) else { continue }
            for id in candidates
            where RowProof.isValid(row.proof, key.verifier, id, slot, row.entry, row.sealed) {
                chosen = id
                break search
            }
        }
        if let found, found.ringID != chosen {
            // The head of another ring says nothing about this one, except what belongs to the
            // recorder.
            head = RingHead()
            (head.clock, head.writings) = (found.clock, found.writings)
        }
        head.ringID = chosen
        return found?.ringID == chosen
    }

    /// Records what happened to the files between two runs, by comparing them with the marks
    /// outside.
    private func noteIncidents(found: RingHead?, isNew: Bool) {
        let marks = setting.marks
        if isNew, found != nil || marks.hasRing { note(.ringGone) }
        if found == nil, !isNew, marks.hasRing || slots.entries.contains(where: { $0.sequence > 0 })
        {
            note(.headGone)
        }
        if let found, found.writings < marks.writings {
            let isBehind = found.newest < marks.newest
            note(.putBack, isBehind ? found.newest + 1...marks.newest : nil)
        }
        head.writings = max(head.writings, marks.writings)
    }

    /// Continues the sequence numbers in a new ring.
    private func goOnCounting() {
        let earlier = RingHead.before(path, key.verifier)?.newest ?? 0
        head.newest = max(setting.marks.newest, earlier)
        head.first = head.newest + 1
    }

    /// Makes the head agree with the rows.
    ///
    /// A crash may have come between writing the two, and a ring without a head has only its rows.
    func settleHead() throws(StorageError) {
        // Check the proofs of rows that claim to be the newest. With a head, check only so many
        // that the start does not wait for them; without one, the oldest row is unknown, too.
        var left = head.newest > 0 ? 2 * RingFormat.maxProven : .max
        try assignTogether { () throws(StorageError) in
            while left > 0, slots.newest > 0, let slot = slots.slots(of: slots.newest).last,
                try !check(slot)
            {
                left -= 1
            }
        }
        guard left > 0 else { return confirmed = (0, SealedBatch.noDigest) }
        if head.newest == 0 { head.first = max(head.first, try oldestProven() ?? 1) }
        let newest = UInt64(slots.newest)
        guard newest > 0, let slot = slots.slots(of: slots.newest).last,
            let row = try file.row(slot)
        else {
            confirmed = (0, SealedBatch.noDigest)
            return undoFirst()
        }
        let digest = SealedBatch.digest(row.sealed)
        defer { confirmed = (newest, digest) }
        if (newest, digest) == (head.newest, head.digest) { return }
        let end = slots.entries[slot].end
        let isUndone = (newest, digest) == (head.before, head.digestBefore)
        guard isUndone || newest >= head.newest else { return }
        if newest == head.newest, !isUndone {
            // The row is not in the state that was stored last.
            losses.append(
                Loss(batches: 1, stretch: end.subtractingSaturated(SealedBatch.maxSpan)...end)
            )
            note(.putBack, newest...newest)
        }
        (head.newest, head.digest) = (newest, digest)
        if isUndone { openedAt = max(newest, setting.marks.newest) }
        if end > 0 { head.end = end }
    }

    /// Undoes the announcement of the very first batch when a crash came before it was stored.
    ///
    /// Nothing was stored before it, the ring is empty, and the marks outside do not know it.
    private func undoFirst() {
        let isFirst =
            head.newest == head.first && head.before == 0
            && head.digestBefore == SealedBatch.noDigest
        let isAlone = slots.newest == 0 && slots.damagedCount == 0
        guard isFirst, isAlone, setting.marks.newest < head.newest else { return }
        (head.newest, head.digest) = (head.first - 1, SealedBatch.noDigest)
        openedAt = max(head.newest, setting.marks.newest)
    }

    private func oldestProven() throws(StorageError) -> UInt64? {
        let claimed = slots.entries.indices
            .filter { slots.entries[$0].sequence > 0 && !slots.entries[$0].isDamaged }
            .sorted { slots.entries[$0].sequence < slots.entries[$1].sequence }
        var oldest: UInt64?
        try assignTogether { () throws(StorageError) in
            for slot in claimed where try check(slot) {
                oldest = UInt64(slots.entries[slot].sequence)
                break
            }
        }
        return oldest
    }

    /// Starts or continues the clock of ages.
    private func startClock(_ retention: Int64) {
        var known: Int64?
        if head.end > 0 { known = head.end }
        if known == nil { known = RingHead.before(path, key.verifier)?.end }
        let isSet = head.clock.isSet
        if !isSet, let known, known > 0 { head.clock.begin(asOf: known) }
        look(setting.clocks, next: nextSequence, isStart: true, retention)
    }

    /// Records the digest of the pages without rows, which only a rebuilding changes.
    func noteStructure() {
        guard (try? file.emptyLog()) != nil, let digest = file.structure() else { return }
        head.structure = digest
        writeHead()
    }
}
