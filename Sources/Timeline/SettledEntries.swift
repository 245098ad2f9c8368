// SPDX-License-Identifier: Apache-2.0

import Packing
import Sealing
package import Storage

extension RingReader {
    /// Lists the stored batches, oldest first, and opens doubtful ones to learn their number and
    /// end.
    ///
    /// - Parameter opener: has the person's keys.
    /// - Returns: everything that may be a batch. An entry stays doubtful when its batch does not
    ///   open, or when another row has its number.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func settledEntries(_ opener: BatchOpener) throws -> [Entry] {
        let entries = try entries()
        guard entries.contains(where: \.isDoubtful) else { return entries }
        let known = Set(entries.lazy.filter { !$0.isDoubtful }.map(\.sequence))
        return try settle(entries, known, opener)
    }

    /// Opens all entries to learn their number and end, because none of their claims is credible
    /// any more.
    ///
    /// - Parameters:
    ///   - entries: of which one was found not to be what its row claims.
    ///   - known: the numbers of batches that were already read.
    ///   - opener: has the person's keys.
    /// - Returns: all entries, oldest first.
    /// - Throws: `StorageError` when the ring cannot be read.
    func resettled(
        _ entries: some Sequence<Entry>,
        _ known: Set<UInt64>,
        _ opener: BatchOpener
    ) throws -> [Entry] {
        let doubted = entries.map { entry in
            var entry = entry
            entry.isDoubtful = true
            return entry
        }
        return try settle(doubted, known, opener)
    }

    private func settle(
        _ entries: [Entry],
        _ known: Set<UInt64>,
        _ opener: BatchOpener
    ) throws -> [Entry] {
        var (entries, known) = (entries, known)
        for index in entries.indices where entries[index].isDoubtful {
            guard let sealed = try sealed(entries[index]),
                case .opened(let batch) = opener.open(sealed),
                known.insert(batch.header.sequence).inserted
            else { continue }
            entries[index].sequence = batch.header.sequence
            entries[index].end = SealedBatch.roundedEnd(batch.end)
            entries[index].isDoubtful = false
        }
        return entries.sorted { $0.sequence < $1.sequence }
    }
}
