// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The pages of a ring's file that hold no row, and which page holds the row of which slot.
///
/// Pages without a row are the first page, the schema and the interior pages of the tree.
enum RingStructure {
    /// Computes the SHA-256 of these pages and of the order of the rows.
    ///
    /// Each page without a row is hashed after its number. For each row, its slot is hashed after
    /// the number of its page.
    ///
    /// - Parameters:
    ///   - count: the number of pages in the file.
    ///   - read: reads a page from the file, for which the log must hold no newer state; nil on
    ///     failure.
    /// - Returns: 32 bytes; nil when a page cannot be read, or too many pages hold no row.
    static func digest(_ count: Int, _ read: (Int) -> [UInt8]?) -> [UInt8]? {
        var structure: [UInt8] = []
        for number in 0..<count {
            guard let page = read(number) else { return nil }
            if RingPage.isRow(page), let slot = RingPage(page)?.slot {
                structure += Array("\(number) \(slot)\n".utf8)
            } else {
                structure += Array("\(number)\n".utf8) + page
            }
            // A ring has fewer such pages, and a file that is not a ring must not fill the memory.
            guard structure.count <= (count / 64 + 64) * RingFormat.pageSize else { return nil }
        }
        return SealedBatch.digest(structure)
    }
}
