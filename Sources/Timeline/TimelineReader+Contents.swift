// SPDX-License-Identifier: Apache-2.0

package import Events
import Packing
import Storage

extension TimelineReader {
    /// A summary of batches that the person sees before they are erased.
    package struct Contents: Equatable, Sendable, Redacted {
        /// The number of batches that opened.
        package var batches = 0
        /// The number of input events; typing runs count once.
        package var events = 0
        /// The time of the first event or gap; nil when no batch opened.
        package var from: WallTime?
        /// The end of the last event or gap; nil when no batch opened.
        package var to: WallTime?
        /// The number of input events while each application was in front; "" stands for none.
        package var apps: [String: Int] = [:]

        /// Makes an empty summary.
        package init() {}

        /// Adds the summary of other batches.
        ///
        /// - Parameter other: of batches that are not counted yet.
        package mutating func add(_ other: Contents) {
            batches += other.batches
            events += other.events
            from = [from, other.from].compactMap(\.self).min()
            to = [to, other.to].compactMap(\.self).max()
            apps.merge(other.apps, uniquingKeysWith: +)
        }
    }

    /// Summarises the batches that overlap a time range, as a whole, because they are erased as a
    /// whole.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970.
    ///   - numbers: sequence numbers to restrict the summary to; nil for all.
    /// - Returns: the summary; batches that do not open are not included.
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
