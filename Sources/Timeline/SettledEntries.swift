// SPDX-License-Identifier: Apache-2.0

import Packing
import Sealing
package import Storage

extension RingReader {
    /// The batches stored, oldest first: where a row is in doubt what is sealed in it tells its number
    /// and its end.
    ///
    /// - Parameter opener: with the person's keys.
    /// - Returns: all that may be a batch. What does not open stays in doubt, and so does one whose
    ///   number another row has.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func settledEntries(_ opener: BatchOpener) throws -> [Entry] {
        let entries = try entries()
        guard entries.contains(where: \.isDoubtful) else { return entries }
        let known = Set(entries.lazy.filter { !$0.isDoubtful }.map(\.sequence))
        return try settle(entries, known, opener)
    }

    /// The same for entries of which nothing is believed any more.
    ///
    /// - Parameters:
    ///   - entries: of which one was found not to be what its row claims.
    ///   - known: numbers of batches that were read already.
    ///   - opener: with the person's keys.
    /// - Returns: all of them.
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
