// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Storage

@Suite struct SlotTableTests {
    @Test func `the earliest end is the smallest of all, whatever is put where`() {
        var random = SplitMix(seed: 71)
        var table = SlotTable([SlotTable.Entry](repeating: .init(), count: 12))
        var sequence: Int64 = 0
        var end: Int64 = 1_000_000
        for _ in 0..<20_000 {
            let slot: Int
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                // The next batch, mostly in the oldest slot; the clock may go back.
                slot = table.oldest() ?? 0
                sequence += 1
                end += .random(in: -60_000...120_000, using: &random)
                table.set(slot, .init(sequence: sequence, end: end))
            case 6..<8:
                // The newest one has grown.
                guard let newest = table.slots(of: table.newest).first, sequence > 0 else {
                    continue
                }
                slot = newest
                end += .random(in: 0...60_000, using: &random)
                table.set(slot, .init(sequence: sequence, end: end))
            case 8:
                slot = .random(in: 0..<12, using: &random)
                // Erased: a tombstone has no end.
                table.set(slot, .init(sequence: table.entries[slot].sequence))
            default:
                slot = .random(in: 0..<12, using: &random)
                table.set(slot, .init())
            }
            let smallest = table.entries.filter(\.isBatch).map(\.end).min()
            #expect(table.earliestEnd { $1 } == smallest)
        }
    }

    @Test func `a bound that is found later holds once it is asked for anew`() {
        var table = SlotTable([.init(sequence: 1, end: 100), .init(sequence: 2, end: 500)])
        #expect(table.earliestEnd { $1 } == 100)
        table.forgetEarliest()
        #expect(table.earliestEnd { $0 == 2 ? 50 : $1 } == 50)
    }
}
