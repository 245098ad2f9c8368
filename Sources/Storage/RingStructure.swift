// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The pages of a ring's file that hold no row: the tree, the schema, the first page.
enum RingStructure {
    /// SHA-256 of these pages, each behind its number.
    ///
    /// - Parameters:
    ///   - count: pages in the file.
    ///   - read: reads one, of which the log must hold no newer state; nil where it cannot.
    /// - Returns: 32 bytes; nil where a page cannot be read, or too many hold no row.
    static func digest(_ count: Int, _ read: (Int) -> [UInt8]?) -> [UInt8]? {
        var structure: [UInt8] = []
        for number in 0..<count {
            guard let page = read(number) else { return nil }
            if !RingPage.isRow(page) { structure += Array("\(number)\n".utf8) + page }
            // A ring has fewer, and what is none must not fill the memory.
            guard structure.count <= (count / 256 + 64) * RingFormat.pageSize else { return nil }
        }
        return SealedBatch.digest(structure)
    }
}
