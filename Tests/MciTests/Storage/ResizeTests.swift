// SPDX-License-Identifier: Apache-2.0

import Foundation
import Storage
import Testing

/// A ring that is made larger or smaller is not a damaged one.
@Suite struct ResizeTests {
    @Test(
        arguments: [[5, 3, 9], [4, 9], [3, 4, 5, 6], [9, 8, 9, 8]],
        [1, 1000]
    )
    func `a ring of another size is not called damaged, wherever its making stands`(
        sizes: [Int],
        steps: Int
    ) throws {
        let folder = try TemporaryFolder()
        let mill = try BatchMill()
        let start: Int64 = 1_800_000_000_000
        var number: UInt64 = 0
        for size in sizes + sizes {
            let ring = try Ring.open(
                "\(folder.path)/ring.db",
                cap: size << 20,
                key: mill.key,
                now: start
            )
            #expect(ring.takeFindings() == [], "\(size) MiB")
            for _ in 0..<steps where ring.isRebuilding { try ring.rebuildStep() }
            for _ in 0..<3 {
                number += 1
                try ring.put(try mill.batch(number, end: start))
            }
            #expect(ring.takeFindings() == [] && ring.takeLosses().isEmpty, "\(size) MiB")
        }
    }
}
