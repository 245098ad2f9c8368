// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The offsets of a row's parts within its page, for one version of the ring.
struct RowLayout: Equatable {
    /// Bytes of the sealed batch or tombstone.
    let sealedSize: Int
    /// Bytes of the proof; 0 for the version whose rows have none.
    let proofSize: Int

    /// The layout of the current version.
    static let current = RowLayout(
        sealedSize: RingFormat.slotSize,
        proofSize: RingFormat.proofSize
    )
    /// The layout of version 2.
    static let before = RowLayout(sealedSize: 4037, proofSize: 0)

    /// The header of SQLite's record: its length, NULL for the rowid, two 6-byte integers, the
    /// blobs.
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

/// A page of the ring's file that holds one row, read without SQLite.
///
/// A row fills its page from the end, always in the same way. So a page can be read where the tree
/// around it is damaged, and compared bit by bit with what it should be. The format is that of
/// SQLite's "Database File Format", sections 1.6 and 2.
package struct RingPage: Equatable, Sendable {
    /// The slot; nil when the page does not name it.
    package var slot: Int64?
    /// The sequence number as it is stored: plus ``RingFormat/valueOffset``.
    package var storedSequence: Int64
    /// The end as it is stored: in milliseconds since 1970, plus ``RingFormat/valueOffset`` except
    /// in version 2.
    package var storedEnd: Int64
    /// The sealed batch or the tombstone, ``RingFormat/slotSize`` bytes.
    package var sealed: [UInt8]
    /// The signature over the row, 64 bytes; empty in version 2.
    package var proof: [UInt8]
    /// Slots the row may have come from, when the page names none or a wrong one.
    var guesses: [Int] = []

    /// The slots for which the proof may have been signed.
    var possibleSlots: [Int] { (slot.flatMap { Int(exactly: $0) }.map { [$0] } ?? []) + guesses }

    /// The batch's sequence number; 0 for none.
    package var sequence: Int64 { storedSequence.subtractingSaturated(RingFormat.valueOffset) }

    /// Parses a page of the current version; nil when its record header is not the expected one.
    ///
    /// - Parameter page: ``RingFormat/pageSize`` bytes.
    package init?(_ page: [UInt8]) { self.init(page, .current) }

    init?(_ page: [UInt8], _ layout: RowLayout) {
        guard page.count == RingFormat.pageSize,
            page[layout.recordStart..<layout.sequenceStart].elementsEqual(layout.recordHeader)
        else { return nil }
        self.init(whatever: page, layout)
        // The rowid, one to nine bytes, precedes the record and follows the record's size. The size
        // is always the same, and its last byte ends the search.
        var start = layout.recordStart - 1
        while start > 0, page[start - 1] >= 0x80, layout.recordStart - start < 9 { start -= 1 }
        slot = page[start..<layout.recordStart].reduce(0) { $0 << 7 | Int64($1 & 0x7F) }
    }

    /// Takes the bytes where a row's parts would be, whatever precedes them; the slot stays nil.
    ///
    /// - Parameters:
    ///   - page: ``RingFormat/pageSize`` bytes.
    ///   - layout: of the page's version.
    init(whatever page: [UInt8], _ layout: RowLayout = .current) {
        storedSequence = Self.integer(page[layout.sequenceStart..<layout.endStart])
        storedEnd = Self.integer(page[layout.endStart..<layout.blobStart])
        sealed = Array(page[layout.blobStart..<layout.proofStart])
        proof = Array(page[layout.proofStart...])
    }

    /// Whether a page equals, bit by bit, the row that it contains as SQLite writes it.
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

    /// An empty row, for slot 0.
    package static let empty = RingPage(
        slot: 0,
        storedSequence: RingFormat.valueOffset,
        storedEnd: RingFormat.valueOffset,
        sealed: [UInt8](repeating: 0, count: RingFormat.slotSize),
        proof: [UInt8](repeating: 0, count: RingFormat.proofSize)
    )

    /// Whether the row holds a batch or a tombstone, as far as that is visible without a key.
    var isPlausible: Bool { isSealed || Tombstone(sealed) != nil }

    /// Whether the content begins as a sealed batch does.
    var isSealed: Bool { sealed.starts(with: Self.intro) }

    /// The first bytes of every sealed batch: age's first line.
    static let intro = Array("\(Age.intro)\n".utf8)

    /// What the row claims to hold.
    var entry: SlotTable.Entry {
        SlotTable.Entry(claiming: storedSequence, storedEnd, sealed, proof)
    }

    /// The page as SQLite writes it: header, one cell pointer, zeros, the cell.
    package var bytes: [UInt8] {
        Self.front(.current, slot ?? 0, storedSequence, storedEnd) + sealed + proof
    }

    /// Everything in the page that precedes the sealed batch.
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
        // Six bytes, big-endian, with the sign in the first.
        let value = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return (value << 16) >> 16
    }

    private static func bytes(_ value: Int64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * $0)) }
    }

    /// Encodes an integer as SQLite's varint: big-endian groups of seven bits.
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
    /// Takes what a row claims: nothing, a batch, a tombstone, or an impossible combination, which
    /// is damage.
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
    /// Whether all bytes are zero.
    var isZero: Bool { allSatisfy { $0 == 0 } }
}
