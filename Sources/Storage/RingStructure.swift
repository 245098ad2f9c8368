// SPDX-License-Identifier: Apache-2.0

import Sealing

/// The pages of a ring's file that hold no row: the tree, the schema, the first page.
enum RingStructure {
    /// SHA-256 of these pages, each behind its number.
    ///
    /// - Parameters:
    ///   - count: pages in the file.
    ///   - read: reads one, of which the log must hold no newer state; nil where it cannot.
    /// - Returns: 32 bytes; nil where a page cannot be read.
    static func digest(_ count: Int, _ read: (Int) -> [UInt8]?) -> [UInt8]? {
        var structure: [UInt8] = []
        for number in 0..<count {
            guard let page = read(number) else { return nil }
            if !RingPage.isRow(page) { structure += Array("\(number)\n".utf8) + page }
        }
        return SealedBatch.digest(structure)
    }
}
