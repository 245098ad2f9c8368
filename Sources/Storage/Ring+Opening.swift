// SPDX-License-Identifier: Apache-2.0

import Files
import Sealing
package import Signing

extension Ring {
    /// What of another ring is still to be moved into this one.
    struct Rebuilding {
        var old: [(path: String, reason: OldRing.Reason)]
        /// Whether there was an old ring.
        let hasMoved: Bool
        /// Whether an old ring was a damaged one.
        var isRepair: Bool
        /// Bytes that all files together may take until it is over.
        var limit: Int
    }

    /// Opens the ring at a path, or makes it; a damaged one, or one of another size, is set aside and
    /// moved into a new one by ``rebuildStep()``.
    ///
    /// - Parameters:
    ///   - path: of the database file; its folder must exist.
    ///   - cap: bytes that all files together may take.
    ///   - key: signs what is noted in the ring.
    ///   - now: in milliseconds since 1970.
    /// - Returns: the ring.
    /// - Throws: ``StorageError``; never `damaged`.
    package static func open(
        _ path: String,
        cap: Int = RingFormat.defaultCap,
        key: DeviceKey,
        now: Int64
    ) throws(StorageError) -> Ring {
        for _ in 0..<3 {
            do throws(StorageError) {
                let ring = try openOnce(path, cap: cap, key: key)
                if ring.slots.count <= ring.wantedSlots {
                    ring.noteClock(now)
                    return ring
                }
                OldRing.setAside(path, .resized)
            } catch {
                switch error.code {
                case .damaged: OldRing.setAside(path, .damaged)
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
        if let folder = Disk.parent(of: path) { Disk.makeReadable(folder, mode: 0o700) }
        for suffix in ["", "-wal", "-shm"] { Disk.makeReadable(path + suffix) }
    }

    private static func openOnce(
        _ path: String,
        cap: Int,
        key: DeviceKey
    ) throws(StorageError) -> Ring {
        OldRing.removeEmpty(path)
        let isAlone = !Disk.exists(path) && Disk.exists(path + "-wal")
        if isAlone { OldRing.setAside(path, .damaged) }
        let isNew = !Disk.exists(path)
        if isNew {
            let isRebuilt = !OldRing.paths(path).isEmpty
            try RingFile.make(path, slots: isRebuilt ? 0 : RingFormat.slots(cap: cap))
        }
        let ring = try Ring(path, cap: cap, key: key)
        try ring.emptyImpossible()
        var (head, _) = RingHead.read(path, key.verifier)
        if isNew { head?.structure = SealedBatch.noDigest }
        ring.head = head ?? RingHead()
        // What a crash left in the log may be something erased; a reader may be in the way.
        ring.hasPendingErasure = (try? ring.file.emptyLog()) == nil
        let old = OldRing.paths(path)
        if let head, old.isEmpty, head.structure != SealedBatch.noDigest, !ring.hasPendingErasure,
            ring.file.structure() != head.structure
        {
            throw StorageError(.damaged)
        }
        if !old.isEmpty || ring.slots.count < ring.wantedSlots {
            ring.rebuilding = Rebuilding(
                old: old,
                hasMoved: !old.isEmpty,
                isRepair: old.contains { $0.reason == .damaged },
                limit: max(ring.cap, ring.allFiles)
            )
            ring.head.structure = SealedBatch.noDigest
        }
        if old.isEmpty {
            try ring.settleHead()
            if head != nil { try ring.buryLost() }
        }
        if ring.isRebuilding { ring.writeHead() }
        if ring.rebuilding == nil, ring.head.structure == SealedBatch.noDigest {
            ring.noteStructure()
        }
        return ring
    }

    /// Brings the head in line with what is stored: a crash may have come between the two, and a ring
    /// without a head has only what is there.
    private func settleHead() throws(StorageError) {
        let oldest = slots.entries.filter { $0.sequence > 0 }.map(\.sequence).min()
        if head.newest == 0 { head.first = max(head.first, UInt64(oldest ?? 1)) }
        let newest = newestStored
        guard newest > 0, let slot = slots.slots(of: slots.newest).last,
            let sealed = try file.sealed(slot)
        else { return }
        let digest = SealedBatch.digest(sealed)
        defer { standing = (newest, digest) }
        if (newest, digest) == (head.newest, head.digest) { return }
        let end = slots.entries[slot].end
        let isUndone = (newest, digest) == (head.before, head.digestBefore)
        guard isUndone || newest >= head.newest else { return }
        if newest == head.newest, !isUndone {
            // Not the state that was stored last.
            losses.append(Loss(batches: 1, stretch: end - 120_000...end))
        }
        (head.newest, head.end, head.digest) = (newest, end, digest)
    }

    /// Keeps aside what stands in slots that are nobody's, and empties them.
    private func emptyImpossible() throws(StorageError) {
        let empty = RingPage.empty
        for slot in impossible {
            if let sealed = try file.sealed(slot), sealed != empty.sealed {
                keep([[UInt8](repeating: 0, count: RingFormat.pageSize - sealed.count) + sealed])
            }
            try file.write([RingFile.Row(slot: slot, entry: .init(), sealed: empty.sealed)])
        }
    }

    // MARK: Rebuilding

    /// Whether ``rebuildStep()`` has something to do.
    package var isRebuilding: Bool { rebuilding != nil }

    /// Does a part of a rebuilding that takes some milliseconds.
    ///
    /// - Throws: ``StorageError``; the same step is then done by the next call.
    package func rebuildStep() throws(StorageError) {
        guard var work = rebuilding else { return }
        if let next = work.old.first {
            var old = OldRing(next.path, next.reason)
            let (rows, unreadable) = old.take(RingFormat.mostTogether)
            try adopt(rows)
            if next.reason == .damaged { keep(unreadable) }
            old.cut(RingFormat.mostTogether)
            if old.isEmpty { work.old.removeFirst() }
            rebuilding = work
        } else if slots.count < wantedSlots {
            try grow()
        } else {
            if work.hasMoved { try settleHead() }
            if work.isRepair { try buryLost() }
            rebuilding = nil
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
    private var allFiles: Int {
        let paths = [path, path + Self.setAsideSuffix] + OldRing.paths(path).map(\.path)
        return paths.compactMap { Disk.size($0) }.reduce(0, +) + RingFormat.logSize
            + RingFormat.indexSize
    }

    /// Takes over rows of another ring, as far as the newest of all fit.
    private func adopt(_ rows: [RingPage]) throws(StorageError) {
        var known = Set(slots.entries.map(\.sequence))
        var new = slots
        var written: [RingFile.Row] = []
        for row in rows where !known.contains(row.sequence) && isExpected(row.sequence) {
            let end = row.storedEnd == RingFormat.origin ? 0 : row.storedEnd
            let entry = SlotTable.Entry(sequence: row.sequence, end: end)
            known.insert(row.sequence)
            if new.count < wantedSlots {
                written.append(
                    .init(slot: new.count, entry: entry, sealed: row.sealed, isNew: true)
                )
                new.add(entry)
            } else if let oldest = new.oldest(), new.entries[oldest].sequence < row.sequence {
                written.append(.init(slot: oldest, entry: entry, sealed: row.sealed))
                new.set(oldest, entry)
            }
        }
        for start in stride(from: 0, to: written.count, by: RingFormat.mostTogether) {
            let part = written[start...].prefix(RingFormat.mostTogether)
            try file.write(part)
            for row in part {
                if row.isNew { slots.add(row.entry) } else { slots.set(row.slot, row.entry) }
            }
        }
    }

    /// Whether a number can be one of this ring's: damage may have changed it.
    private func isExpected(_ sequence: Int64) -> Bool {
        let first = Int64(head.first)
        return sequence >= first && (head.newest == 0 || sequence <= Int64(head.newest) + 1)
    }

    private func grow() throws(StorageError) {
        let empty = [UInt8](repeating: 0, count: RingFormat.slotSize)
        let end = min(wantedSlots, slots.count + RingFormat.mostTogether)
        let rows = (slots.count..<end).map {
            RingFile.Row(slot: $0, entry: .init(), sealed: empty, isNew: true)
        }
        try file.write(rows)
        rows.forEach(didWrite)
    }

    /// Adds unreadable pages to those set aside, as far as they may be kept.
    private func keep(_ pages: [[UInt8]]) {
        guard !pages.isEmpty, let aside = try? DiskFile(path + Self.setAsideSuffix, makes: true)
        else { return }
        for page in pages where aside.size < RingFormat.mostKeptPages * RingFormat.pageSize {
            guard aside.size + page.count <= RingFormat.mostKeptPages * RingFormat.pageSize else {
                return
            }
            try? aside.write(page, at: aside.size)
        }
    }

    // MARK: Losses

    /// Notes which batches are missing: those the head expects and no slot has.
    private func buryLost() throws(StorageError) {
        let entries = slots.entries
        let present = Set(entries.map { UInt64($0.sequence) })
        let oldest = UInt64(entries.map(\.sequence).filter { $0 > 0 }.min() ?? 0)
        let isFull = entries.allSatisfy { $0.sequence > 0 }
        // What a full ring has no room for was not lost.
        if isFull { head.first = max(head.first, oldest) }
        guard head.newest > 0, head.first <= head.newest else { return }
        let missing = (head.first...head.newest).filter { !present.contains($0) }
        guard !missing.isEmpty else { return }
        losses += Self.runs(missing).map { run in
            let before = entries.filter { $0.isBatch && $0.sequence < run.first }
                .max { $0.sequence < $1.sequence }
            let after = entries.filter { $0.isBatch && $0.sequence > run.first }
                .min { $0.sequence < $1.sequence }
            let start = before?.end ?? (after ?? .init(end: head.end)).end - 120_000
            return Loss(
                batches: run.count,
                stretch: start...max(start, after?.end ?? head.end)
            )
        }
        // Older than all that is left: the ring begins later now. The others leave a note.
        if oldest == 0 || oldest > head.newest {
            head.first = head.newest + 1
        } else {
            head.first = max(head.first, oldest)
            try bury(missing.filter { $0 > oldest }.suffix(entries.count / 2), .lost)
        }
        writeHead()
    }

    /// Consecutive numbers together.
    private static func runs(_ numbers: [UInt64]) -> [(first: Int64, count: Int)] {
        numbers.reduce(into: []) { runs, number in
            if let last = runs.last, last.first + Int64(last.count) == Int64(number) {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((Int64(number), 1))
            }
        }
    }

    /// Notes what the pages without rows are now, which nothing changes but a rebuilding.
    private func noteStructure() {
        guard (try? file.emptyLog()) != nil, let digest = file.structure() else { return }
        head.structure = digest
        writeHead()
    }
}
