// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Notes
import Testing

@testable import Holder
@testable import Reader
@testable import Release

/// A log that was changed, cut, forked or put back is found.
@Suite struct LogTraceTests {
    private let desk: ReleaseDesk
    private let leaves: [[UInt8]]
    private let checkpoint: [UInt8]

    init() throws {
        desk = try ReleaseDesk(try ReleaseOffice())
        for number in 0..<3 { try desk.release([UInt8](repeating: UInt8(number), count: 1000)) }
        for _ in 0..<3 { _ = try desk.open(try desk.stored()) }
        (leaves, checkpoint) = desk.log()
    }

    private func trace(
        _ leaves: [[UInt8]],
        _ checkpoint: [UInt8],
        seen: [UInt8] = []
    ) throws -> LogTrace {
        try LogTrace(leaves: leaves, checkpoint: checkpoint, of: desk.record, seen: seen)
    }

    @Test func `the log itself is believed`() throws {
        #expect(try trace(leaves, checkpoint).entries.count == 9)
        #expect(try trace(leaves, checkpoint, seen: checkpoint).checkpoint.size == 10)
    }

    @Test func `every changed bit of a leaf and of the checkpoint is found`() throws {
        let isProof = ProcessInfo.processInfo.environment["MCI_PROOF"] != nil
        // A leaf is checked by its hash first, so that one leaf of each kind suffices.
        for number in isProof ? Array(leaves.indices) : [0, 1] {
            for index in leaves[number].indices where isProof || index % 8 == 0 {
                for bit in 0..<8 {
                    var changed = leaves
                    changed[number][index] ^= 1 << UInt8(bit)
                    #expect(throws: ReleaseError.self) { try trace(changed, checkpoint) }
                }
            }
        }
        for index in checkpoint.indices {
            for bit in 0..<8 {
                var changed = checkpoint
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: ReleaseError.self) { try trace(leaves, changed) }
                #expect(throws: ReleaseError.self) {
                    try trace(leaves, checkpoint, seen: changed)
                }
            }
        }
    }

    @Test func `a leaf that is missing, doubled or exchanged is found`() throws {
        for index in leaves.indices {
            var changed = leaves
            changed.remove(at: index)
            #expect(throws: ReleaseError.self) { try trace(changed, checkpoint) }
            changed = leaves
            changed.insert(leaves[index], at: index)
            #expect(throws: ReleaseError.self) { try trace(changed, checkpoint) }
            for other in leaves.indices where other != index {
                changed = leaves
                changed.swapAt(index, other)
                #expect(throws: ReleaseError.self) { try trace(changed, checkpoint) }
            }
        }
    }

    /// Signs another log as the holder could.
    private func signed(_ leaves: [[UInt8]]) throws -> [UInt8] {
        let tree = MerkleTree(leaves.map { MerkleTree.hash(leaf: $0) })
        var note = try #require(
            SignedNote(
                text: Checkpoint(
                    origin: desk.record.grant.content.origin,
                    size: leaves.count,
                    root: tree.root
                ).text
            )
        )
        try note.sign(desk.store.key)
        return note.bytes
    }

    @Test func `a fork and a log that was put back are found, though their holder signs them`()
        throws
    {
        for size in 1..<leaves.count {
            let old = Array(leaves.prefix(size))
            let error = #expect(throws: ReleaseError.self) {
                try trace(old, try signed(old), seen: checkpoint)
            }
            #expect(error?.reason.contains("older than the one seen before") == true)
        }
        for index in 1..<leaves.count {
            var fork = leaves
            fork.remove(at: index)
            fork.append(leaves[index])
            guard fork != leaves else { continue }
            #expect(throws: ReleaseError.self) {
                try trace(fork, try signed(fork), seen: checkpoint)
            }
        }
        // What was never seen before is believed as far as its signatures go.
        let old = Array(leaves.prefix(4))
        #expect(try trace(old, try signed(old)).entries.count == 3)
        #expect(try trace(leaves, checkpoint, seen: try signed(old)).entries.count == 9)
    }

    @Test func `a leaf that the holder made up is found`() throws {
        var opening = try Signed<Opening>(leaves[1]).content
        opening.reason = "something else"
        var forged = try Signed(opening)
        try forged.sign(desk.store.clock, at: 1)
        let made = leaves + [forged.bytes]
        #expect(throws: ReleaseError.self) { try trace(made, try signed(made)) }
    }
}
