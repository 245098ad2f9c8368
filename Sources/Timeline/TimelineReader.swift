// SPDX-License-Identifier: Apache-2.0

package import Events
package import Packing
package import Storage

/// Reads the ring: opens each batch with the person's key and passes its events on.
///
/// Upstream: the ring. Downstream: the person. Promise: one batch at a time, oldest first. A batch
/// that does not open is counted and skipped, never guessed.
package final class TimelineReader {
    /// Counts of what was read.
    package struct Summary: Equatable, Sendable {
        /// Batches that were opened.
        package var batches = 0
        /// Events passed on, without gaps and descriptions.
        package var events = 0
        /// Gaps passed on.
        package var gaps = 0
        /// Batches sealed to another key.
        package var foreign = 0
        /// Batches that are damaged, or in a slot that is not theirs.
        package var damaged = 0
        /// Events omitted because programs made them.
        package var injected = 0
        /// Events omitted because their devices are not described, so programs may have made them.
        package var undescribed = 0

        /// Counts nothing yet.
        package init() {}
    }

    let ring: RingReader
    let opener: BatchOpener
    /// How many items of each batch were already passed on, for batches that may still grow.
    private var seen: [UInt64: Int] = [:]
    /// The application in front at the current event; empty when unknown.
    package private(set) var app = ""
    /// The latest time passed on.
    private var last = WallTime(0)
    /// What was last passed on of devices, desktop and demonstrations.
    private var descriptions = Descriptions()
    private var demonstration: Demonstration?

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - ring: the ring to read.
    ///   - identities: the person's keys.
    package init(_ ring: RingReader, _ identities: [Identity]) {
        self.ring = ring
        opener = BatchOpener(identities)
    }

    /// Passes on the events of a time range, and descriptions of devices and desktop before their
    /// first use.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970; a gap belongs to it when it overlaps it.
    ///   - onlyNew: omit what an earlier call on this reader passed on.
    ///   - now: typing runs that may still grow at this moment wait for a later call; nil passes on
    ///     what is stored of them.
    ///   - onlyHuman: omit the events of injected devices, and of devices that are not described.
    ///   - progress: receives how many batches were read, of how many.
    ///   - isWanted: whether the events of a batch are passed on at all.
    ///   - onBatch: takes each batch before its events.
    ///   - body: takes each event in the order of the recording; false stops the reading.
    /// - Returns: the counts.
    /// - Throws: `StorageError` when the ring cannot be read, and what `body` throws.
    package func read(
        _ range: ClosedRange<Int64>,
        onlyNew: Bool = false,
        now: WallTime? = nil,
        onlyHuman: Bool = false,
        progress: (Int, Int) -> Void = { _, _ in },
        where isWanted: (OpenedBatch) -> Bool = { _ in true },
        onBatch: (OpenedBatch) -> Void = { _ in },
        _ body: (RecordedEvent) throws -> Bool
    ) throws -> Summary {
        var summary = Summary()
        if !onlyNew {
            (app, last, descriptions) = ("", WallTime(0), Descriptions())
            demonstration = nil
        }
        var isBehind = false
        var entries = try ring.settledEntries(opener)
            .filter { $0.isDoubtful || $0.end >= range.lowerBound }
        var (index, isSettled, read) = (0, false, Set<UInt64>())
        while index < entries.count {
            let entry = entries[index]
            progress(index, entries.count)
            index += 1
            if !entry.touches(range), !entry.isDoubtful {
                // The first batch after the range may contain a long gap that began within it.
                if isBehind { continue }
                isBehind = true
            }
            if onlyNew, let newest = seen.keys.max(), entry.sequence < newest { continue }
            guard let sealed = try ring.sealed(entry) else { continue }
            let batch: OpenedBatch
            switch opener.open(sealed) {
            case .opened(let opened): batch = opened
            case .foreign:
                summary.foreign += 1
                continue
            case .damaged:
                summary.damaged += 1
                continue
            }
            guard batch.header.sequence == entry.sequence, !read.contains(entry.sequence) else {
                // Once one row's claim is wrong, no other claim is believed.
                if !isSettled {
                    (isSettled, index) = (true, index - 1)
                    entries[index...] = try ring.resettled(entries[index...], read, opener)[...]
                } else {
                    summary.damaged += 1
                }
                continue
            }
            read.insert(entry.sequence)
            guard isWanted(batch) else { continue }
            summary.batches += 1
            descriptions.beginBatch()
            onBatch(batch)
            if let news = news(of: batch), range.contains(news.time.milliseconds) {
                guard try body(news) else { return summary }
            }
            let skipped = onlyNew ? seen[entry.sequence] ?? 0 : 0
            let count =
                entry.sequence == entries.last?.sequence
                ? now.map { batch.settledCount(at: $0) } ?? batch.items.count : batch.items.count
            if onlyNew { seen = [entry.sequence: count] }
            // Restores the focus if the batch that recorded it is missing.
            let focus = OpenedItem(
                time: batch.header.base,
                device: 0,
                payload: .focus(app: batch.header.app)
            )
            let isNews =
                skipped == 0 && !batch.header.app.isEmpty && batch.header.app != app
                && batch.items.first?.payload.isInput == true
            for number in (isNews ? -1 : skipped)..<max(count, skipped) {
                let item = number < 0 ? focus : batch.items[number]
                let event = RecordedEvent(
                    item,
                    in: batch.header,
                    isInjected: batch.isInjected(item),
                    after: last
                )
                if case .focus(let name, _) = item.payload { app = name }
                last = max(last, event.time)
                guard event.end.milliseconds >= range.lowerBound,
                    event.time.milliseconds <= range.upperBound
                else { continue }
                if onlyHuman, event.isInjected != false {
                    if event.isInjected == nil {
                        summary.undescribed += 1
                    } else {
                        summary.injected += 1
                    }
                    continue
                }
                if case .gap = item.payload { summary.gaps += 1 } else { summary.events += 1 }
                for description in descriptions.news(of: item, in: batch) {
                    let news = RecordedEvent(description, in: batch.header, after: last)
                    guard try body(news) else { return summary }
                }
                guard try body(event) else { return summary }
            }
        }
        return summary
    }

    /// The begin or the end of a demonstration to pass on before a batch.
    private func news(of batch: OpenedBatch) -> RecordedEvent? {
        guard batch.demonstration != demonstration else { return nil }
        demonstration = batch.demonstration
        guard let demonstration else { return nil }
        let time = demonstration.ended ?? demonstration.begun
        let item = OpenedItem(
            time: EventTime(time.milliseconds &- batch.header.wallOffset),
            device: 0,
            payload: .demonstration(demonstration)
        )
        return RecordedEvent(item, in: batch.header, after: WallTime(0))
    }

    /// Finds the batches of a demonstration.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970.
    ///   - isWanted: whether a demonstration is the wanted one.
    /// - Returns: the sequence numbers of the batches.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func batches(
        _ range: ClosedRange<Int64>,
        ofDemonstration isWanted: (Demonstration) -> Bool
    ) throws -> [UInt64] {
        try batches(touching: range) { batch in batch.demonstration.map(isWanted) ?? false }
    }

    /// Finds the batches in which an application was in front.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970.
    ///   - isWanted: whether an application is the wanted one; the recording has the class of its
    ///     windows (WM_CLASS).
    /// - Returns: the sequence numbers of the batches.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func batches(
        _ range: ClosedRange<Int64>,
        where isWanted: (String) -> Bool
    ) throws -> [UInt64] {
        try batches(touching: range) { batch in
            let apps = batch.items.lazy.compactMap { item -> String? in
                if case .focus(let app, _) = item.payload { app } else { nil }
            }
            return ([batch.header.app] + apps).contains { !$0.isEmpty && isWanted($0) }
        }
    }

    /// The sequence numbers of the wanted batches among those that can be opened.
    private func batches(
        touching range: ClosedRange<Int64>,
        _ isWanted: (OpenedBatch) -> Bool
    ) throws -> [UInt64] {
        try ring.settledEntries(opener).filter { $0.touches(range) }.compactMap { entry in
            guard let sealed = try ring.sealed(entry),
                case .opened(let batch) = opener.open(sealed), isWanted(batch)
            else { return nil }
            return batch.header.sequence
        }
    }
}

extension OpenedBatch {
    /// The number of items that no longer change: the last ones may be typing runs that still grow.
    fileprivate func settledCount(at now: WallTime) -> Int {
        var count = items.count
        while count > 0, case .input(.typing(let end)) = items[count - 1].payload,
            end.milliseconds &+ header.wallOffset &+ TypingRun.patience > now.milliseconds
        {
            count -= 1
        }
        return count
    }
}
