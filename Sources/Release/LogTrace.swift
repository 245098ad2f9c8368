// SPDX-License-Identifier: Apache-2.0

package import Events
package import Notes

/// A grant's log as its person checked it: who opened what, and when.
///
/// Promise: a changed bit, a leaf that is missing or exchanged, another order, a fork, and a log that
/// is older than the one seen last are found.
package struct LogTrace: Sendable {
    /// One opening.
    package struct Entry: Sendable {
        /// The number of the leaf.
        package var index: Int
        /// When the holder wrote it down.
        package var time: WallTime
        /// The opening, with the reason and the run.
        package var opening: Signed<Opening>
        /// Who the reader is.
        package var certificate: Signed<Certificate>
    }

    /// The openings, in the order of the log.
    package private(set) var entries: [Entry] = []
    /// The end of the grant; nil while the log goes on.
    package private(set) var erasure: Signed<Erasure>?
    /// The state of the log.
    package let checkpoint: Checkpoint

    /// Checks a log.
    ///
    /// - Parameters:
    ///   - leaves: all notes of the log, in its order.
    ///   - note: the checkpoint that the holder signed.
    ///   - record: the grant.
    ///   - seen: the checkpoint that was seen last; empty if none was.
    /// - Throws: ``ReleaseError`` with what is wrong; nothing of such a log is to be believed.
    package init(
        leaves: [[UInt8]],
        checkpoint note: [UInt8],
        of record: GrantRecord,
        seen: [UInt8]
    ) throws(ReleaseError) {
        let grant = record.grant.content
        guard let holder = grant.holders.first, let key = NoteVerifier(holder.key) else {
            throw ReleaseError("The grant has no holder.")
        }
        func checkpoint(_ bytes: [UInt8]) throws(ReleaseError) -> Checkpoint {
            do throws(NoteError) {
                return try Checkpoint.verified(bytes, origin: grant.origin, by: key)
            } catch {
                throw ReleaseError("The log's checkpoint \(error).")
            }
        }
        self.checkpoint = try checkpoint(note)
        let tree = MerkleTree(leaves.map { MerkleTree.hash(leaf: $0) })
        guard tree.leaves.count == self.checkpoint.size, tree.root == self.checkpoint.root else {
            throw ReleaseError("The log does not agree with the checkpoint that its holder signed.")
        }
        if !seen.isEmpty {
            let old = try checkpoint(seen)
            guard old.size <= tree.leaves.count else {
                throw ReleaseError(
                    "The log is older than the one seen before: \(tree.leaves.count) entries, not"
                        + " \(old.size). The holder's file was put back, or entries were removed."
                )
            }
            guard tree.root(of: old.size) == old.root else {
                throw ReleaseError("The log is another one than was seen before (a fork).")
            }
        }
        guard let first = leaves.first, try Signed<Grant>(first).digest == record.grant.digest
        else {
            throw ReleaseError("The log does not begin with the grant.")
        }
        for (index, leaf) in leaves.enumerated().dropFirst() {
            guard erasure == nil else { throw ReleaseError("The log goes on after its end.") }
            try take(leaf, index, record, holder)
        }
    }

    private mutating func take(
        _ leaf: [UInt8],
        _ index: Int,
        _ record: GrantRecord,
        _ holder: Grant.Holder
    ) throws(ReleaseError) {
        if leaf.starts(with: Array("io.mci/\(Erasure.name)/1\n".utf8)) {
            let erasure = try Signed<Erasure>(leaf)
            try erasure.verify(holder.key, of: "holder")
            if erasure.content.cause == .withdrawn {
                try erasure.verify(record.grant.content.key, of: "grant key")
            }
            guard erasure.content.grant == record.id else {
                throw ReleaseError("An erasure in the log is of another grant.")
            }
            self.erasure = erasure
            return
        }
        let opening = try Signed<Opening>(leaf)
        let time = try opening.verify(holder.clock, of: "holder")
        try opening.verify(opening.content.reader, of: "reader")
        let certificate = try Signed<Certificate>(text: opening.content.certificate)
        try certificate.verify(record.purpose.content.readers, of: "reader authority")
        guard certificate.content.key == opening.content.reader,
            certificate.content.purpose == record.purpose.digest
        else { throw ReleaseError("An opening in the log has the certificate of somebody else.") }
        let milliseconds = Int64(clamping: time).multipliedReportingOverflow(by: 1000)
        let wall = WallTime(milliseconds.overflow ? .max : milliseconds.partialValue)
        if let last = entries.last, wall < last.time {
            throw ReleaseError("The times in the log go back.")
        }
        entries.append(
            Entry(index: index, time: wall, opening: opening, certificate: certificate)
        )
    }
}
