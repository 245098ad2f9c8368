// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Sealing
package import Signing
package import Storage

/// Verifies that the ring holds all that the recorder stored, and nothing else.
///
/// Upstream: the ring, its head, the recorder's public key. Downstream: the person. Promise: it
/// finds every changed bit of what was stored, and every missing, reordered, duplicate or foreign
/// batch.
///
/// Each batch is sealed (with a changed bit it does not open), signed by the recorder, numbered,
/// and names the digest of its predecessor. The head names the newest batch.
package final class Verifier {
    private let ring: RingReader
    private let path: String
    private let opener: BatchOpener
    private let key: DeviceVerifier
    private let marks: HighWaterFiles?
    private var result = Verification()

    /// Opens the ring.
    ///
    /// - Parameters:
    ///   - path: of the ring.
    ///   - identities: the person's keys.
    ///   - key: the recorder's public key, from the consent receipt.
    ///   - marks: the files of high-water marks outside of the ring; nil to ignore them.
    /// - Throws: `StorageError` when the ring cannot be opened.
    package init(
        _ path: String,
        _ identities: [Identity],
        _ key: DeviceVerifier,
        _ marks: HighWaterFiles? = nil
    ) throws(StorageError) {
        self.path = path
        ring = try RingReader(path: path)
        opener = BatchOpener(identities)
        self.key = key
        self.marks = marks
    }

    /// Verifies the ring's state at one moment, whatever is written meanwhile.
    ///
    /// - Parameter progress: receives how many slots were verified, of how many.
    /// - Returns: what was found.
    /// - Throws: `StorageError` `busy` when the recorder writes too much to hold one moment. That
    ///   says nothing about the ring.
    package func verify(
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(StorageError) -> Verification {
        result = Verification()
        guard !ring.isOfEarlierVersion else { return verifyEarlier(progress) }
        result.isIncomplete = ring.isBeingRebuilt
        // Read the marks before the ring: the ring may be ahead of them and never behind.
        let outside = marks?.read(key)
        let slots: [Int64]
        let (head, damagedRecords): (RingHead?, Int)
        do throws(StorageError) {
            (head, damagedRecords) = try ring.beginReading(key)
            slots = try ring.slots()
        } catch {
            ring.endReading()
            guard error.code != .busy else { throw error }
            result.add(.unreadable, 0, (nil, nil))
            return result
        }
        defer { ring.endReading() }
        if head == nil || damagedRecords > 0 { result.add(.head, 0, (nil, nil)) }
        if let head { check(head, outside) }
        if let outside {
            outside.damaged.forEach { _ in result.add(.marks, 0, (nil, nil)) }
            // The first head is written before the marks exist, and every later one after.
            let hasLost = !outside.exists && head.map { $0.writings > 1 } == true
            if hasLost { result.add(.marks, 0, (nil, nil)) }
        }
        if let head, head.structure != SealedBatch.noDigest { check(structure: head.structure) }
        let remembered = outside.flatMap { $0.marks.hasRing ? $0.marks.ringID : nil }
        check(slots, head, head?.ringID ?? remembered ?? ring.namedID ?? [], progress)
        return result
    }

    /// Checks the head's incidents, and whether it is the head that was written last.
    private func check(_ head: RingHead, _ outside: HighWaterFiles.Found?) {
        if let outside, head.writings < outside.marks.writings {
            result.add(.putBack, 0, (nil, nil))
        }
        for incident in head.incidents {
            let fault: Verification.Fault =
                switch incident.kind {
                case .putBack: .putBack
                case .ringGone: .ringGone
                case .headGone: .headGone
                case .missing: .lost
                }
            result.findings.append(
                Verification.Finding(
                    fault: fault,
                    first: incident.first,
                    last: incident.last,
                    from: nil,
                    to: WallTime(incident.at),
                    incident: incident.name
                )
            )
        }
    }

    /// Compares the digest of the pages without rows.
    ///
    /// The recorder may be moving its log into the file right now: only a persistent difference
    /// counts.
    private func check(structure: [UInt8]) {
        for _ in 0..<5 where ring.structure() == structure { return }
        result.add(.structure, 0, (nil, nil))
    }

    /// A row, and the number by which it is sorted among the others.
    private struct Item {
        var slot: Int64
        var number: UInt64
        var end: Int64
        var isProven: Bool
    }

    /// What is known of the batch before.
    private struct Last {
        var sequence: UInt64 = 0
        var digest: [UInt8]?
        var end: WallTime?

        /// Whether no fault was found in it.
        var isSound: Bool { digest != nil }
    }

    private func check(
        _ slots: [Int64],
        _ head: RingHead?,
        _ ringID: [UInt8],
        _ progress: (Int, Int) -> Void
    ) {
        var items: [Item] = []
        var unnumbered: [RingReader.Row] = []
        var (notes, empty): (UInt64, Int) = (0, 0)
        for (count, slot) in slots.enumerated() {
            progress(count, 2 * slots.count)
            guard let row = try? ring.row(slot, ringID, key) else {
                result.add(.unreadable, 0, (nil, nil))
                return
            }
            if case .empty = row.kind {
                empty += 1
                continue
            }
            if case .note = row.kind, row.isProven { notes += 1 }
            guard let number = row.isProven ? row.sequence : number(ofUnproven: row) else {
                unnumbered.append(row)
                continue
            }
            items.append(Item(slot: slot, number: number, end: row.end, isProven: row.isProven))
        }
        items.sort { ($0.number, $0.isProven ? 0 : 1) < ($1.number, $1.isProven ? 0 : 1) }
        for row in unnumbered {
            result.add(row.sealed.allSatisfy { $0 == 0 } ? .notEmpty : .damaged, 0, (nil, nil))
        }
        // A crash may have come between an eviction and the head's record of it.
        let first = empty == 0 ? items.first.map(\.number) : nil
        let expected = max(head?.first ?? items.first?.number ?? 1, first ?? 0)
        var last = Last(sequence: expected > 0 ? expected - 1 : 0)
        var newest = SealedBatch.noDigest
        let ends = EndsAhead(items.map(\.end))
        for (count, item) in items.enumerated() {
            progress(items.count + count, 2 * items.count)
            guard let row = try? ring.row(item.slot, ringID, key) else { continue }
            let around = (last.end, ends.next(after: count))
            if item.number == last.sequence, count > 0 {
                result.add(.doubled, item.number, around)
                continue
            }
            if item.number < expected { result.add(.misplaced, item.number, around) }
            if item.number > last.sequence + 1 { addMissing(last, item.number, around) }
            let digest = check(row, item.number, last, around)
            let end = item.end > 0 ? WallTime(item.end) : last.end
            last = Last(sequence: item.number, digest: digest, end: end)
            newest = SealedBatch.digest(row.sealed)
        }
        if let head {
            if notes < head.notes { result.add(.putBack, 0, (nil, nil)) }
            check(last, newest, head)
        }
        progress(slots.count, slots.count)
    }

    /// The number of a row whose proof fails: the one sealed in its batch, or else the row's claim.
    private func number(ofUnproven row: RingReader.Row) -> UInt64? {
        if case .opened(let batch) = opener.open(row.sealed), batch.header.sequence > 0,
            key.isValid(batch.signature, of: batch.signed)
        {
            return batch.header.sequence
        }
        return row.sequence > 0 ? row.sequence : nil
    }

    /// Verifies a ring of the previous version, in which only the batches can be checked.
    private func verifyEarlier(_ progress: (Int, Int) -> Void) -> Verification {
        guard let slots = try? ring.slots() else {
            result.add(.unreadable, 0, (nil, nil))
            return result
        }
        for (count, slot) in slots.enumerated() {
            progress(count, slots.count)
            guard let row = try? ring.row(slot, [], key) else { continue }
            switch row.kind {
            case .batch: _ = check(row, row.sequence, Last(), (nil, nil))
            case .note: note(Tombstone(row.sealed), row.sequence, (nil, nil))
            case .empty, .none: continue
            }
        }
        progress(slots.count, slots.count)
        return result
    }

    /// Compares the newest stored batch with the head; a crash may have undone the last write.
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

    /// Checks the contents of a slot.
    ///
    /// - Returns: the digest that the next batch must name; nil when it may name anything.
    private func check(
        _ row: RingReader.Row,
        _ number: UInt64,
        _ last: Last,
        _ around: (WallTime?, WallTime?)
    ) -> [UInt8]? {
        if case .note = row.kind {
            note(row.isProven ? Tombstone(row.sealed) : nil, number, around)
            return nil
        }
        switch opener.open(row.sealed) {
        case .foreign:
            result.add(.foreign, number, around)
            return nil
        case .damaged:
            result.add(Tombstone.isOne(row.sealed) ? .forgedNote : .damaged, number, around)
            return nil
        case .opened(let batch):
            let fault = fault(of: batch, row)
            if let fault { result.add(fault, number, around) }
            if let digest = last.digest, number == last.sequence + 1, batch.predecessor != digest {
                result.add(.outdated, last.sequence, (around.0, around.0))
            }
            guard fault == nil || fault == .unproven || fault == .mistimed else { return nil }
            if fault == nil {
                result.whole += 1
                let begin = batch.header.base.milliseconds &+ batch.header.wallOffset
                result.from = result.from ?? WallTime(begin)
                result.to = WallTime(row.end)
            }
            return SealedBatch.digest(row.sealed)
        }
    }

    private func fault(of batch: OpenedBatch, _ row: RingReader.Row) -> Verification.Fault? {
        if !key.isValid(batch.signature, of: batch.signed) { return .unsigned }
        if batch.header.sequence != row.sequence { return .misplaced }
        let end = SealedBatch.roundedEnd(batch.end)
        if RingReader.storedEnd(end) != row.end { return .mistimed }
        return row.isProven ? nil : .unproven
    }

    private func note(
        _ stone: Tombstone?,
        _ number: UInt64,
        _ around: (WallTime?, WallTime?)
    ) {
        guard let stone, stone.isSigned(by: key) else {
            return result.add(.forgedNote, number, around)
        }
        guard stone.sequence == number else {
            return result.add(.misplaced, number, around)
        }
        switch stone.reason {
        case .forgotten: result.forgotten += 1
        case .expired: result.expired += 1
        case .lost: result.lost += 1
        }
    }
}

/// For each index, the end of the next batch that has one.
private struct EndsAhead {
    private let ends: [Int64]

    init(_ known: [Int64]) {
        var ends = [Int64](repeating: 0, count: known.count + 1)
        for index in known.indices.reversed() {
            ends[index] = known[index] > 0 ? known[index] : ends[index + 1]
        }
        self.ends = ends
    }

    /// The end of the batch at an index or, when it has none, of the next batch that has one.
    func next(after index: Int) -> WallTime? {
        ends[index] > 0 ? WallTime(ends[index]) : nil
    }
}
