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
        var entries = try entries()
        guard entries.contains(where: \.isDoubtful) else { return entries }
        var known = Set(entries.lazy.filter { !$0.isDoubtful }.map(\.sequence))
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
