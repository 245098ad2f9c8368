// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Sealing
package import Signing
package import Storage

/// Looks whether the ring holds what the recorder stored, all of it and nothing else.
///
/// Upstream: the ring, its head, the recorder's public key. Downstream: the person. Promise: every
/// changed bit of what was stored, and every missing, reordered, doubled or foreign batch is found.
/// What proves it: each batch is sealed (a changed bit does not open), signed by the recorder,
/// numbered, and names the digest of the batch before it; the head names the newest.
package final class Verifier {
    private let ring: RingReader
    private let path: String
    private let opener: BatchOpener
    private let key: DeviceVerifier
    private var result = Verification()

    /// - Parameters:
    ///   - path: of the ring.
    ///   - identities: the person's keys.
    ///   - key: the recorder's public key, from the consent receipt.
    /// - Throws: `StorageError` when there is no ring at all.
    package init(
        _ path: String,
        _ identities: [Identity],
        _ key: DeviceVerifier
    ) throws(StorageError) {
        self.path = path
        ring = try RingReader(path: path)
        opener = BatchOpener(identities)
        self.key = key
    }

    /// Looks at everything.
    ///
    /// - Parameter progress: told how many of how many slots were looked at.
    /// - Returns: what was found.
    package func verify(progress: (Int, Int) -> Void = { _, _ in }) -> Verification {
        result = Verification()
        result.isIncomplete = ring.isBeingRebuilt
        let (head, damagedRecords) = RingHead.read(path, key)
        if head == nil || damagedRecords > 0 { result.add(.head, 0, (nil, nil)) }
        if let head, head.structure != SealedBatch.noDigest { check(structure: head.structure) }
        let index: [RingReader.Entry]
        do throws(StorageError) {
            index = try ring.index()
        } catch {
            result.add(.unreadable, 0, (nil, nil))
            return result
        }
        check(index, head, progress)
        return result
    }

    /// The recorder may be moving its log into the file at this moment: only what is still so a little
    /// later counts.
    private func check(structure: [UInt8]) {
        for _ in 0..<3 where ring.structure() == structure { return }
        result.add(.structure, 0, (nil, nil))
    }

    /// What is known of the batch looked at before.
    private struct Last {
        var sequence: UInt64 = 0
        var digest: [UInt8]?
        var end: WallTime?

        /// Whether nothing was found wrong with it.
        var isSound: Bool { digest != nil }
    }

    private func check(
        _ index: [RingReader.Entry],
        _ head: RingHead?,
        _ progress: (Int, Int) -> Void
    ) {
        let stored = index.filter { $0.sequence > 0 }
        let isFull = stored.count == index.count
        // A crash may have come between an eviction and its note in the head.
        let first = isFull ? stored.first.map(\.sequence) : nil
        let expected = max(head?.first ?? stored.first?.sequence ?? 1, first ?? 0)
        var last = Last(sequence: expected - 1)
        var newest = SealedBatch.noDigest
        let ends = EndsAhead(index)
        for (count, entry) in index.enumerated() {
            progress(count, index.count)
            guard let sealed = try? ring.sealed(entry) else {
                // Overwritten by a newer batch since the index was read.
                continue
            }
            if entry.sequence == 0 {
                let isEmpty = entry.end == 0 && sealed == RingPage.empty.sealed
                if !isEmpty { result.add(.notEmpty, 0, (nil, nil)) }
                continue
            }
            let around = (last.end, ends.next(after: count))
            if entry.sequence == last.sequence, count > 0 {
                result.add(.doubled, entry.sequence, around)
                continue
            }
            if entry.sequence < expected { result.add(.misplaced, entry.sequence, around) }
            if entry.sequence > last.sequence + 1 { addMissing(last, entry.sequence, around) }
            let digest = check(entry, sealed, last, around)
            let end = entry.end > 0 ? WallTime(entry.end) : last.end
            last = Last(sequence: entry.sequence, digest: digest, end: end)
            newest = SealedBatch.digest(sealed)
        }
        if let head { check(last, newest, head) }
        progress(index.count, index.count)
    }

    /// Compares the newest that is stored with what the head knows: the last writing may be undone.
    private func check(_ last: Last, _ digest: [UInt8], _ head: RingHead) {
        if (last.sequence, digest) == (head.before, head.digestBefore) { return }
        if last.sequence < head.newest {
            addMissing(last, head.newest + 1, (last.end, WallTime(head.end)))
        } else if last.sequence == head.newest, digest != head.digest, last.isSound {
            result.add(.outdated, head.newest, (last.end, WallTime(head.end)))
        }
    }

    private func addMissing(_ last: Last, _ next: UInt64, _ around: (WallTime?, WallTime?)) {
        result.add(.missing, last.sequence + 1, around)
        result.findings[result.findings.count - 1].last = next - 1
    }

    /// Checks what stands in a slot.
    ///
    /// - Returns: the digest by which the next batch must name it; nil where it may name anything.
    private func check(
        _ entry: RingReader.Entry,
        _ sealed: [UInt8],
        _ last: Last,
        _ around: (WallTime?, WallTime?)
    ) -> [UInt8]? {
        if entry.end == 0 {
            note(Tombstone(sealed), entry, around)
            return nil
        }
        switch opener.open(sealed) {
        case .foreign:
            result.add(.foreign, entry.sequence, around)
            return nil
        case .damaged:
            result.add(.damaged, entry.sequence, around)
            return nil
        case .opened(let batch):
            let fault = fault(of: batch, entry)
            if let fault { result.add(fault, entry.sequence, around) }
            if let digest = last.digest, entry.sequence == last.sequence + 1,
                batch.predecessor != digest
            {
                result.add(.outdated, last.sequence, (around.0, around.0))
            }
            guard fault == nil else { return nil }
            result.whole += 1
            result.from =
                result.from ?? WallTime(batch.header.base.milliseconds + batch.header.wallOffset)
            result.to = WallTime(entry.end)
            return SealedBatch.digest(sealed)
        }
    }

    private func fault(of batch: OpenedBatch, _ entry: RingReader.Entry) -> Verification.Fault? {
        if !key.isValid(batch.signature, of: batch.signed) { return .unsigned }
        if batch.header.sequence != entry.sequence { return .misplaced }
        return SealedBatch.roundedEnd(batch.end) == entry.end ? nil : .mistimed
    }

    private func note(
        _ stone: Tombstone?,
        _ entry: RingReader.Entry,
        _ around: (WallTime?, WallTime?)
    ) {
        guard let stone, stone.isSigned(by: key) else {
            return result.add(.forgedNote, entry.sequence, around)
        }
        guard stone.sequence == entry.sequence else {
            return result.add(.misplaced, entry.sequence, around)
        }
        switch stone.reason {
        case .forgotten: result.forgotten += 1
        case .expired: result.expired += 1
        case .lost: result.lost += 1
        }
    }
}

/// For each place in the index the end of the next batch behind it.
private struct EndsAhead {
    private let ends: [Int64]

    init(_ index: [RingReader.Entry]) {
        var ends = [Int64](repeating: 0, count: index.count + 1)
        for place in index.indices.reversed() {
            ends[place] = index[place].end > 0 ? index[place].end : ends[place + 1]
        }
        self.ends = ends
    }

    /// The end of the batch at a place or, where it has none, of the next that has one.
    func next(after place: Int) -> WallTime? {
        ends[place] > 0 ? WallTime(ends[place]) : nil
    }
}
