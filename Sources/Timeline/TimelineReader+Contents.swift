// SPDX-License-Identifier: Apache-2.0

package import Events
import Packing
import Storage

extension TimelineReader {
    /// What some batches hold, as a person is told of them before they are erased.
    package struct Contents: Equatable, Sendable, Redacted {
        package var batches = 0
        package var events = 0
        /// From the first event or gap to the last; nil while nothing was opened.
        package var from: WallTime?
        package var to: WallTime?
        /// How many events each application had while it was in front; "" for none.
        package var apps: [String: Int] = [:]

        package init() {}

        /// Takes what other batches hold in addition.
        package mutating func add(_ other: Contents) {
            batches += other.batches
            events += other.events
            from = [from, other.from].compactMap(\.self).min()
            to = [to, other.to].compactMap(\.self).max()
            apps.merge(other.apps, uniquingKeysWith: +)
        }
    }

    /// Counts what the batches hold that touch a stretch of time: whole, as they are erased.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970.
    ///   - numbers: of the batches that alone are meant; nil for all.
    /// - Returns: the counts; batches that do not open are left out.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func contents(
        _ range: ClosedRange<Int64>,
        only numbers: Set<UInt64>? = nil
    ) throws -> Contents {
        var all = Contents()
        for entry in try ring.settledEntries(opener) where entry.touches(range) {
            guard numbers?.contains(entry.sequence) ?? true, let sealed = try ring.sealed(entry),
                case .opened(let batch) = opener.open(sealed)
            else { continue }
            all.add(Self.contents(of: batch))
        }
        return all
    }

    private static func contents(of batch: OpenedBatch) -> Contents {
        var found = Contents()
        found.batches = 1
        var app = batch.header.app
        for item in batch.items {
            let event = RecordedEvent(item, in: batch.header, after: WallTime(0))
            found.from = min(found.from ?? event.time, event.time)
            found.to = max(found.to ?? event.end, event.end)
            if case .focus(let name, _) = item.payload { app = name }
            guard item.payload.isInput else { continue }
            found.events += 1
            found.apps[app, default: 0] += 1
        }
        return found
    }
}
