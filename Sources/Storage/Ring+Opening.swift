// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing
import System

extension Ring {
    /// Opens the ring at a path, or makes it; a damaged one, one of another size, and one of the version
    /// before are set aside and moved into a new one by ``rebuildStep()``.
    ///
    /// - Parameters:
    ///   - path: of the database file; its folder must exist.
    ///   - setting: size, key and clocks, and what is remembered outside.
    ///   - retention: milliseconds after which what was recorded is erased.
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
    package static func setAside(_ path: String) { OldRing.setAside(path, .damaged) }

    private static func makeReadable(_ path: String) {
        Disk.makeReadable(Disk.folder(of: path), mode: 0o700)
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
        // What a crash left in the log may be something erased; a reader may be in the way.
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

    /// The id of a ring that is made: that of the rows it takes over, or a new one.
    private static func newID(_ marks: HighWaterMarks, isRebuilt: Bool) -> [UInt8] {
        if isRebuilt, marks.hasRing { return marks.ringID }
        var random = SystemRandomNumberGenerator()
        return (0..<HighWaterMarks.ringIDSize).map { _ in .random(in: 1...255, using: &random) }
    }

    /// Finds out by which id the rows prove themselves: the head's, the one remembered outside, or the
    /// one that the file names.
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
            // A head of another ring tells nothing of this one but what is the recorder's own.
            head = RingHead()
            (head.clock, head.writings) = (found.clock, found.writings)
        }
        head.ringID = chosen
        return found?.ringID == chosen
    }

    /// Notes what befell the files while nobody looked, by what is remembered outside of them.
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

    /// Lets numbers go on in a new ring.
    private func goOnCounting() {
        let earlier = RingHead.before(path, key.verifier)?.newest ?? 0
        head.newest = max(setting.marks.newest, earlier)
        head.first = head.newest + 1
    }

    /// Brings the head in line with what is stored: a crash may have come between the two, and a ring
    /// without a head has only what is there.
    func settleHead() throws(StorageError) {
        // What claims to be newer than all, or nobody knows the oldest of, is asked for its proof.
        // So many at the most where the head tells the newest, that a start does not wait for them.
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
            // Not the state that was stored last.
            losses.append(
                Loss(batches: 1, stretch: end.subtractingSaturated(SealedBatch.maxSpan)...end)
            )
            note(.putBack, newest...newest)
        }
        (head.newest, head.digest) = (newest, digest)
        if isUndone { openedAt = max(newest, setting.marks.newest) }
        if end > 0 { head.end = end }
    }

    /// Takes back the very first batch where it was announced and a crash came before it: nothing was
    /// stored before it, nothing else is there, and nobody outside has heard of it.
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

    /// Lets the clock of ages begin, or go on.
    private func startClock(_ retention: Int64) {
        var known: Int64?
        if head.end > 0 { known = head.end }
        if known == nil { known = RingHead.before(path, key.verifier)?.end }
        let isSet = head.clock.isSet
        if !isSet, let known, known > 0 { head.clock.begin(asOf: known) }
        look(setting.clocks, next: nextSequence, isStart: true, retention)
    }

    /// Notes what the pages without rows are now, which nothing changes but a rebuilding.
    func noteStructure() {
        guard (try? file.emptyLog()) != nil, let digest = file.structure() else { return }
        head.structure = digest
        writeHead()
    }
}
