// SPDX-License-Identifier: Apache-2.0

import Sealing

/// A page of the ring's file that holds one row, read without SQLite (SQLite, "Database File
/// Format", 1.6 and 2).
///
/// A row fills its page from the end, always in the same way, so that a page can be read where the
/// tree around it is damaged, and compared bit by bit with what it should be.
package struct RingPage: Equatable, Sendable {
    package var slot: Int64
    /// Above ``RingFormat/origin``, as it is stored.
    var storedSequence: Int64
    package var storedEnd: Int64
    package var sealed: [UInt8]

    /// The record's header: its length, NULL for the rowid, two 6-byte integers, the blob.
    private static let recordHeader: [UInt8] = [6, 0, 5, 5] + varint(12 + 2 * RingFormat.slotSize)
    private static let blobStart = RingFormat.pageSize - RingFormat.slotSize
    private static let endStart = blobStart - 6
    private static let sequenceStart = endStart - 6
    private static let recordStart = sequenceStart - recordHeader.count

    /// The number of the batch; 0 for none.
    package var sequence: Int64 { storedSequence - RingFormat.origin }

    /// Reads a page as far as it makes sense; nil when no batch and no tombstone can be in it.
    ///
    /// - Parameter page: ``RingFormat/pageSize`` bytes.
    package init?(_ page: [UInt8]) {
        guard let numbers = Self.numbers(page) else { return nil }
        (slot, storedSequence, storedEnd) = numbers
        sealed = Array(page[Self.blobStart...])
    }

    /// Whether a page is, bit by bit, what a row looks like.
    static func isRow(_ page: [UInt8]) -> Bool {
        guard let (slot, sequence, end) = numbers(page) else { return false }
        return page[..<blobStart].elementsEqual(front(slot, sequence, end))
    }

    private static func numbers(_ page: [UInt8]) -> (slot: Int64, sequence: Int64, end: Int64)? {
        guard page.count == RingFormat.pageSize,
            page[recordStart..<sequenceStart].elementsEqual(recordHeader)
        else { return nil }
        // In front of the record stands the number of the row, one to nine bytes, behind the record's
        // size, which is always the same and whose last byte ends the search.
        var start = recordStart - 1
        while start > 0, page[start - 1] >= 0x80, recordStart - start < 9 { start -= 1 }
        let slot = page[start..<recordStart].reduce(0) { $0 << 7 | Int64($1 & 0x7F) }
        return (slot, integer(page[sequenceStart..<endStart]), integer(page[endStart..<blobStart]))
    }

    init(slot: Int64, storedSequence: Int64, storedEnd: Int64, sealed: [UInt8]) {
        self.slot = slot
        self.storedSequence = storedSequence
        self.storedEnd = storedEnd
        self.sealed = sealed
    }

    /// An empty row.
    package static let empty = RingPage(
        slot: 0,
        storedSequence: RingFormat.origin,
        storedEnd: RingFormat.origin,
        sealed: [UInt8](repeating: 0, count: RingFormat.slotSize)
    )

    /// Whether it holds a batch or a tombstone, as far as can be told without a key.
    var isPlausible: Bool {
        guard sequence > 0, sequence < RingFormat.origin else { return false }
        if Tombstone(sealed)?.sequence == UInt64(sequence) { return true }
        return sealed.starts(with: Self.intro) && RingFormat.ends.contains(storedEnd)
    }

    private static let intro = Array("\(Age.intro)\n".utf8)

    /// The page as SQLite writes it: header, one cell pointer, zeros, the cell.
    package var bytes: [UInt8] { Self.front(slot, storedSequence, storedEnd) + sealed }

    /// All of the page in front of what is sealed.
    private static func front(_ slot: Int64, _ sequence: Int64, _ end: Int64) -> [UInt8] {
        let size = recordHeader.count + 12 + RingFormat.slotSize
        let cell = varint(size) + varint(Int(slot)) + recordHeader + bytes(sequence) + bytes(end)
        let start = blobStart - cell.count
        let place = [UInt8(start >> 8), UInt8(start & 255)]
        let header: [UInt8] = [0x0D, 0, 0, 0, 1] + place + [0] + place
        return header + [UInt8](repeating: 0, count: start - header.count) + cell
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        bytes.reduce(0) { $0 << 8 | Int64($1) }
    }

    private static func bytes(_ value: Int64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * $0)) }
    }

    /// SQLite's variable-length integers: big-endian groups of seven bits.
    private static func varint(_ value: Int) -> [UInt8] {
        var groups = [UInt8(value & 0x7F)]
        var rest = value >> 7
        while rest > 0 {
            groups.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
            rest >>= 7
        }
        return groups
    }
}
