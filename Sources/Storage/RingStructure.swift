// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The pages of a ring's file that hold no row, that is the tree, the schema and the first page, and
/// which page holds the row of which slot.
enum RingStructure {
    /// SHA-256 of these pages, each behind its number, and of each row's slot behind the number of its
    /// page.
    ///
    /// - Parameters:
    ///   - count: pages in the file.
    ///   - read: reads one, of which the log must hold no newer state; nil where it cannot.
    /// - Returns: 32 bytes; nil where a page cannot be read, or too many hold no row.
    static func digest(_ count: Int, _ read: (Int) -> [UInt8]?) -> [UInt8]? {
        var structure: [UInt8] = []
        for number in 0..<count {
            guard let page = read(number) else { return nil }
            if RingPage.isRow(page), let slot = RingPage(page)?.slot {
                structure += Array("\(number) \(slot)\n".utf8)
            } else {
                structure += Array("\(number)\n".utf8) + page
            }
            // A ring has fewer, and what is none must not fill the memory.
            guard structure.count <= (count / 64 + 64) * RingFormat.pageSize else { return nil }
        }
        return SealedBatch.digest(structure)
    }
}
