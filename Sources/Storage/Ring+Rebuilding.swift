// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing
import System

extension Ring {
    /// What of other rings is still to be moved into this one.
    struct Rebuilding {
        var old: [(path: String, reason: OldRing.Reason)]
        /// Whether there was an old ring.
        let hasMoved: Bool
        /// Bytes that all files together may take until it is over.
        var limit: Int
    }

    /// Whether ``rebuildStep()`` has something to do.
    package var isRebuilding: Bool { rebuilding != nil }

    /// Does a part of a rebuilding that takes some milliseconds.
    ///
    /// - Throws: ``StorageError``; the same step is then done by the next call.
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

    /// Does all of a rebuilding.
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

    /// Bytes of all files of the ring, the log and the index at their largest.
    var allFiles: Int {
        let paths =
            [path, path + Self.setAsideSuffix, EarlierRing.path(path)]
            + OldRing.paths(path).map(\.path)
        return paths.compactMap { Disk.size($0) }.reduce(0, +) + RingFormat.logSize
            + RingFormat.indexSize
    }

    /// A ring of the version before gives way where this one has no room.
    func makeRoom() throws(StorageError) {
        guard let earlier else { return }
        try earlier.giveWay()
        if earlier.isEmpty { dropEarlier() }
        // New rows change the tree around them.
        head.structure = SealedBatch.noDigest
        writeHead()
        while slots.count < wantedSlots { try grow() }
        noteStructure()
    }

    private func keepEarlier(_ rows: [RingPage]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        if earlier == nil { earlier = try EarlierRing.make(path) }
        try earlier?.insert(rows)
        // The new ring needs some room from the beginning.
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

    /// Takes over rows of another ring, as far as the newest of all fit.
    ///
    /// What is proven is signed anew for its slot. What is not is kept as it was found, and stays
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

    /// Whether an unproven row was taken over before, by this step or by one that a crash has cut short.
    private func isKept(_ page: RingPage, _ written: [RingFile.Row]) -> Bool {
        written.contains { $0.sealed == page.sealed }
            || slots.damaged.suffix(RingFormat.maxProven).contains {
                (try? file.row($0))?.sealed == page.sealed
            }
    }

    /// The slot that gives way in a full ring to a row of another one; nil where none does.
    ///
    /// What is proven gives way to nothing but what is, and to that only after what is not, where the
    /// number this claims can be no missing one's.
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

    /// What a page proves to hold: by its row's proof, or a note by its own signature.
    private func proven(_ page: RingPage) -> SlotTable.Entry? {
        let entry = page.entry
        if entry.sequence > 0, !entry.isDamaged {
            for slot in page.possibleSlots where isProven(page, slot) { return entry }
        }
        guard let note = Tombstone(page.sealed), note.isSigned(by: key.verifier) else { return nil }
        return Int64(exactly: note.sequence).map { SlotTable.Entry(sequence: $0) }
    }

    /// Whether a number can be one of this ring's: it may have been left behind by an earlier one.
    private func isExpected(_ sequence: Int64) -> Bool {
        sequence >= Int64(clamping: head.first)
    }

    private func grow() throws(StorageError) {
        let end = min(wantedSlots, slots.count + RingFormat.maxRowsPerCommit)
        let rows = (slots.count..<end).map { RingFile.Row.empty($0, isNew: true) }
        try file.write(rows)
        rows.forEach { slots.add($0.entry) }
    }

    /// Adds unreadable pages to those set aside, as far as they may be kept.
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
