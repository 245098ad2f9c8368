// SPDX-License-Identifier: Apache-2.0

import Sealing

/// Where a row's parts stand in its page, in one version of the ring.
struct RowLayout: Equatable {
    /// Bytes of what is sealed.
    let sealedSize: Int
    /// Bytes of the proof; 0 where rows have none.
    let proofSize: Int

    static let current = RowLayout(
        sealedSize: RingFormat.slotSize,
        proofSize: RingFormat.proofSize
    )
    /// Of version 2.
    static let before = RowLayout(sealedSize: 4037, proofSize: 0)

    /// The record's header: its length, NULL for the rowid, two 6-byte integers, the blobs.
    var recordHeader: [UInt8] {
        let blobs =
            RingPage.varint(12 + 2 * sealedSize)
            + (proofSize > 0 ? RingPage.varint(12 + 2 * proofSize) : [])
        return [UInt8(4 + blobs.count), 0, 5, 5] + blobs
    }

    var proofStart: Int { RingFormat.pageSize - proofSize }
    var blobStart: Int { proofStart - sealedSize }
    var endStart: Int { blobStart - 6 }
    var sequenceStart: Int { endStart - 6 }
    var recordStart: Int { sequenceStart - recordHeader.count }
}

/// A page of the ring's file that holds one row, read without SQLite (SQLite, "Database File
/// Format", 1.6 and 2).
///
/// A row fills its page from the end, always in the same way, so that a page can be read where the
/// tree around it is damaged, and compared bit by bit with what it should be.
package struct RingPage: Equatable, Sendable {
    /// The slot; nil where the page does not tell.
    package var slot: Int64?
    /// Above ``RingFormat/origin``, as it is stored.
    package var storedSequence: Int64
    /// Likewise; of version 2 not above it.
    package var storedEnd: Int64
    package var sealed: [UInt8]
    package var proof: [UInt8]
    /// Slots it may have come from where it does not tell, or not rightly.
    var guesses: [Int] = []

    /// The slots for which its proof may have been made.
    var possibleSlots: [Int] { (slot.flatMap { Int(exactly: $0) }.map { [$0] } ?? []) + guesses }

    /// The number of the batch; 0 for none.
    package var sequence: Int64 { storedSequence.subtractingSaturated(RingFormat.valueOffset) }

    /// Reads a page whose record looks as it should; nil where it does not.
    ///
    /// - Parameter page: ``RingFormat/pageSize`` bytes.
    package init?(_ page: [UInt8]) { self.init(page, .current) }

    init?(_ page: [UInt8], _ layout: RowLayout) {
        guard page.count == RingFormat.pageSize,
            page[layout.recordStart..<layout.sequenceStart].elementsEqual(layout.recordHeader)
        else { return nil }
        self.init(whatever: page, layout)
        // In front of the record stands the number of the row, one to nine bytes, behind the record's
        // size, which is always the same and whose last byte ends the search.
        var start = layout.recordStart - 1
        while start > 0, page[start - 1] >= 0x80, layout.recordStart - start < 9 { start -= 1 }
        slot = page[start..<layout.recordStart].reduce(0) { $0 << 7 | Int64($1 & 0x7F) }
    }

    /// Takes what stands where a row's parts would, whatever is in front of them; without the slot.
    ///
    /// - Parameters:
    ///   - page: ``RingFormat/pageSize`` bytes.
    ///   - layout: of its version.
    init(whatever page: [UInt8], _ layout: RowLayout = .current) {
        storedSequence = Self.integer(page[layout.sequenceStart..<layout.endStart])
        storedEnd = Self.integer(page[layout.endStart..<layout.blobStart])
        sealed = Array(page[layout.blobStart..<layout.proofStart])
        proof = Array(page[layout.proofStart...])
    }

    /// Whether a page is, bit by bit, what a row looks like.
    static func isRow(_ page: [UInt8]) -> Bool {
        let layout = RowLayout.current
        guard let row = RingPage(page), let slot = row.slot else { return false }
        return page[..<layout.blobStart]
            .elementsEqual(front(layout, slot, row.storedSequence, row.storedEnd))
    }

    package init(
        slot: Int64,
        storedSequence: Int64,
        storedEnd: Int64,
        sealed: [UInt8],
        proof: [UInt8]
    ) {
        self.slot = slot
        self.storedSequence = storedSequence
        self.storedEnd = storedEnd
        self.sealed = sealed
        self.proof = proof
    }

    /// An empty row.
    package static let empty = RingPage(
        slot: 0,
        storedSequence: RingFormat.valueOffset,
        storedEnd: RingFormat.valueOffset,
        sealed: [UInt8](repeating: 0, count: RingFormat.slotSize),
        proof: [UInt8](repeating: 0, count: RingFormat.proofSize)
    )

    /// Whether a batch or a note stands in it, as far as can be told without a key.
    var isPlausible: Bool { isSealed || Tombstone(sealed) != nil }

    /// Whether what it holds begins as a batch does.
    var isSealed: Bool { sealed.starts(with: Self.intro) }

    /// What every sealed batch begins with.
    static let intro = Array("\(Age.intro)\n".utf8)

    /// What the row claims to be.
    var entry: SlotTable.Entry {
        SlotTable.Entry(claiming: storedSequence, storedEnd, sealed, proof)
    }

    /// The page as SQLite writes it: header, one cell pointer, zeros, the cell.
    package var bytes: [UInt8] {
        Self.front(.current, slot ?? 0, storedSequence, storedEnd) + sealed + proof
    }

    /// All of the page in front of what is sealed.
    private static func front(
        _ layout: RowLayout,
        _ slot: Int64,
        _ sequence: Int64,
        _ end: Int64
    ) -> [UInt8] {
        let header = layout.recordHeader
        let size = header.count + 12 + layout.sealedSize + layout.proofSize
        let cell = varint(size) + varint(Int(slot)) + header + bytes(sequence) + bytes(end)
        let start = layout.blobStart - cell.count
        let offset = [UInt8(start >> 8), UInt8(start & 255)]
        let pageHeader: [UInt8] = [0x0D, 0, 0, 0, 1] + offset + [0] + offset
        return pageHeader + [UInt8](repeating: 0, count: start - pageHeader.count) + cell
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        // Six bytes, of which the first has the sign.
        let value = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return (value << 16) >> 16
    }

    private static func bytes(_ value: Int64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * $0)) }
    }

    /// SQLite's variable-length integers: big-endian groups of seven bits.
    static func varint(_ value: Int) -> [UInt8] {
        var groups = [UInt8(value & 0x7F)]
        var rest = value >> 7
        while rest > 0 {
            groups.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
            rest >>= 7
        }
        return groups
    }
}

extension SlotTable.Entry {
    /// What a row claims to hold: nothing, a batch, a note, or what nothing can be, which is damage.
    init(claiming sequence: Int64, _ end: Int64, _ sealed: [UInt8], _ proof: [UInt8]) {
        let number = sequence.subtractingSaturated(RingFormat.valueOffset)
        let moment = end.subtractingSaturated(RingFormat.valueOffset)
        if number == 0, moment == 0, sealed.isZero, proof.isZero {
            self.init()
        } else if RingFormat.numbers.contains(number), RingFormat.ends.contains(moment) {
            self.init(sequence: number, end: moment)
        } else if RingFormat.numbers.contains(number), moment == 0,
            Tombstone(sealed)?.sequence == UInt64(number)
        {
            self.init(sequence: number)
        } else {
            self.init(trust: .damaged)
        }
    }
}

extension [UInt8] {
    /// Whether there is nothing but zeros.
    var isZero: Bool { allSatisfy { $0 == 0 } }
}
