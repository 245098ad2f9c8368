// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing
import System

extension Ring {
    /// What is still to be moved from other rings into this one.
    struct Rebuilding {
        var old: [(path: String, reason: OldRing.Reason)]
        /// Whether there was an old ring at the beginning.
        let hasMoved: Bool
        /// Maximum size of all files together until it is over, in bytes.
        var limit: Int
    }

    /// Whether ``rebuildStep()`` has work to do.
    package var isRebuilding: Bool { rebuilding != nil }

    /// Does a part of a rebuilding, which takes some milliseconds.
    ///
    /// - Throws: ``StorageError``; the next call then repeats the step.
    package func rebuildStep() throws(StorageError) {
        guard var work = rebuilding else { return }
        if let next = work.old.first {
            var old = OldRing(next.path, next.reason)
            let found = old.take(RingFormat.maxProven)
            try adopt(found.rows)
            try keepEarlier(found.earlier)
            if next.reason == .damaged { keep(found.unreadable) }
            old.cut(RingFormat.maxProven)
            if old.isEmpty { work.old.removeFirst() }
            rebuilding = work
        } else if slots.count < wantedSlots {
            try grow()
        } else {
            rebuilding = nil
            if work.hasMoved {
                try settleHead()
                try settleImpossible()
            }
            checking = 0
            noteStructure()
        }
    }

    /// Does the rest of a rebuilding.
    ///
    /// - Throws: ``StorageError``.
    package func rebuildToEnd() throws(StorageError) {
        while isRebuilding { try rebuildStep() }
    }

    /// Whether there is room for one more row.
    var mayAddRow: Bool {
        guard slots.count < wantedSlots else { return false }
        guard let rebuilding, !rebuilding.old.isEmpty else { return true }
        return allFiles + 4 * RingFormat.pageSize <= rebuilding.limit
    }

    /// Bytes of all files of the ring, with the log and the index at their maximum.
    var allFiles: Int {
        let paths =
            [path, path + Self.setAsideSuffix, EarlierRing.path(path)]
            + OldRing.paths(path).map(\.path)
        return paths.compactMap { Disk.size($0) }.reduce(0, +) + RingFormat.logSize
            + RingFormat.indexSize
    }

    /// Evicts batches of the previous version's ring to make room for this one.
    func makeRoom() throws(StorageError) {
        guard let earlier else { return }
        try earlier.giveWay()
        if earlier.isEmpty { dropEarlier() }
        // New rows change the tree above them.
        head.structure = SealedBatch.noDigest
        writeHead()
        while slots.count < wantedSlots { try grow() }
        noteStructure()
    }

    private func keepEarlier(_ rows: [RingPage]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        if earlier == nil { earlier = try EarlierRing.make(path) }
        try earlier?.insert(rows)
        // The new ring needs a minimum of room from the beginning.
        while let ring = earlier, !ring.isEmpty,
            RingFormat.slots(cap: cap) - ring.pages < Self.fewestSlots
        {
            try ring.giveWay()
        }
    }

    func dropEarlier() {
        earlier = nil
        EarlierRing.remove(path)
    }

    /// Takes over rows of another ring, as many of the newest as fit.
    ///
    /// Proven rows are signed again for their slots. Others are kept as they were found and stay
    /// damaged.
    private func adopt(_ rows: [RingPage]) throws(StorageError) {
        var known = Set(slots.entries.lazy.filter { !$0.isDamaged }.map(\.sequence))
        var new = slots
        var written: [RingFile.Row] = []
        for page in rows {
            let entry = proven(page)
            if let entry {
                guard known.insert(entry.sequence).inserted, isExpected(entry.sequence) else {
                    continue
                }
            } else if !page.isSealed || isKept(page, written) {
                continue
            }
            let turn = entry?.sequence ?? (isExpected(page.sequence) ? page.sequence : 0)
            let kept = entry ?? SlotTable.Entry(sequence: turn, trust: .damaged)
            let slot: Int
            let isNew = new.count < wantedSlots
            if isNew {
                slot = new.count
                new.add(kept)
            } else if let free = self.slot(for: kept, in: &new) {
                slot = free
                new.set(free, kept)
            } else {
                continue
            }
            if let entry {
                written.append(try row(slot, entry, page.sealed, isNew: isNew))
            } else {
                written.append(
                    RingFile.Row(
                        slot: slot,
                        entry: kept,
                        sealed: page.sealed,
                        proof: page.proof,
                        claims: (page.storedSequence, page.storedEnd),
                        isNew: isNew
                    )
                )
            }
        }
        for start in stride(from: 0, to: written.count, by: RingFormat.maxRowsPerCommit) {
            let part = written[start...].prefix(RingFormat.maxRowsPerCommit)
            try file.write(part)
            for row in part {
                if row.isNew { slots.add(row.entry) } else { slots.set(row.slot, row.entry) }
            }
        }
    }

    /// Whether an unproven row was already taken over, in this step or in one that a crash cut
    /// short.
    private func isKept(_ page: RingPage, _ written: [RingFile.Row]) -> Bool {
        written.contains { $0.sealed == page.sealed }
            || slots.damaged.suffix(RingFormat.maxProven).contains {
                (try? file.row($0))?.sealed == page.sealed
            }
    }

    /// The slot that a row of another ring may take in a full ring; nil when there is none.
    ///
    /// A damaged row never replaces a proven one. A proven row first replaces a damaged one whose
    /// claimed number cannot be a missing one.
    private func slot(for entry: SlotTable.Entry, in slots: inout SlotTable) -> Int? {
        if !entry.isDamaged, slots.damagedCount > 0 {
            var claims: Set<Int64> = []
            var proven: Set<Int64> = [entry.sequence]
            for other in slots.entries where !other.isDamaged { proven.insert(other.sequence) }
            for slot in slots.damaged {
                let claim = slots.entries[slot].sequence
                if claim == 0 || claim > Int64(clamping: head.newest) || proven.contains(claim)
                    || !claims.insert(claim).inserted
                {
                    return slot
                }
            }
        }
        guard let oldest = slots.oldest(), slots.entries[oldest].sequence < entry.sequence else {
            return nil
        }
        return entry.isDamaged && !slots.entries[oldest].isDamaged ? nil : oldest
    }

    /// What a page proves to hold: by its row's proof, or for a tombstone by its own signature.
    private func proven(_ page: RingPage) -> SlotTable.Entry? {
        let entry = page.entry
        if entry.sequence > 0, !entry.isDamaged {
            for slot in page.possibleSlots where isProven(page, slot) { return entry }
        }
        guard let note = Tombstone(page.sealed), note.isSigned(by: key.verifier) else { return nil }
        return Int64(exactly: note.sequence).map { SlotTable.Entry(sequence: $0) }
    }

    /// Whether a number can belong to this ring; an earlier ring may have left a row behind.
    private func isExpected(_ sequence: Int64) -> Bool {
        sequence >= Int64(clamping: head.first)
    }

    private func grow() throws(StorageError) {
        let end = min(wantedSlots, slots.count + RingFormat.maxRowsPerCommit)
        let rows = (slots.count..<end).map { RingFile.Row.empty($0, isNew: true) }
        try file.write(rows)
        rows.forEach { slots.add($0.entry) }
    }

    /// Adds unreadable pages to those set aside, up to ``RingFormat/maxKeptPages``.
    private func keep(_ pages: [[UInt8]]) {
        guard !pages.isEmpty, let aside = try? DiskFile(path + Self.setAsideSuffix, makes: true)
        else { return }
        for page in pages {
            guard aside.size + page.count <= RingFormat.maxKeptPages * RingFormat.pageSize else {
                return
            }
            try? aside.write(page, at: aside.size)
        }
    }
}
