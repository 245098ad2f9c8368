// SPDX-License-Identifier: Apache-2.0

package import Events
import Packing
package import Storage

/// Reads the ring back: opens each batch with the person's key and hands out its events.
///
/// Upstream: the ring. Downstream: the person. Promise: one batch at a time, oldest first; what
/// does not open is counted and passed over, never guessed.
package final class TimelineReader {
    /// What a reading came across.
    package struct Summary: Equatable, Sendable {
        package var batches = 0
        package var events = 0
        package var gaps = 0
        /// Batches sealed to another key.
        package var foreign = 0
        /// Batches that are damaged or not where they belong.
        package var damaged = 0
        /// Events that programs made, and were left out because of that.
        package var injected = 0
        /// Events left out because their devices are not described: programs may have made them.
        package var undescribed = 0
    }

    let ring: RingReader
    let opener: BatchOpener
    /// How many items of each batch were already handed out, for batches that may still grow.
    private var seen: [UInt64: Int] = [:]
    /// The application in front at the event that is being handed out; empty where none is known.
    package private(set) var app = ""
    /// The latest time handed out.
    private var last = WallTime(0)
    /// The devices and the desktop last told.
    private var devices: [UInt8: Device] = [:]
    private var screen: ScreenLayout?

    /// - Parameters:
    ///   - ring: the ring to read.
    ///   - identities: the person's keys.
    package init(_ ring: RingReader, _ identities: [Identity]) {
        self.ring = ring
        opener = BatchOpener(identities)
    }

    /// XTestDevice out what lies in a stretch of time.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970; a gap belongs to it when it touches it.
    ///   - onlyNew: leave out what an earlier call on this reader handed out.
    ///   - now: runs of text that may still grow at this moment wait for a later call; nil hands them out
    ///     as far as they go.
    ///   - onlyHuman: leave out the events of injected devices, and of those that are not described.
    ///   - progress: told how many of how many batches were read.
    ///   - body: takes each event in the order of the recording; false ends the reading.
    /// - Returns: the counts.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func read(
        _ range: ClosedRange<Int64>,
        onlyNew: Bool = false,
        now: WallTime? = nil,
        onlyHuman: Bool = false,
        progress: (Int, Int) -> Void = { _, _ in },
        _ body: (RecordedEvent) throws -> Bool
    ) throws -> Summary {
        var summary = Summary()
        if !onlyNew { (app, last, devices, screen) = ("", WallTime(0), [:], nil) }
        var isBehind = false
        var entries = try ring.settledEntries(opener)
            .filter { $0.isDoubtful || $0.end >= range.lowerBound }
        var (index, isSettled, read) = (0, false, Set<UInt64>())
        while index < entries.count {
            let entry = entries[index]
            progress(index, entries.count)
            index += 1
            if !entry.touches(range), !entry.isDoubtful {
                // The first batch behind the stretch may tell of a long gap within it.
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
                // Where one row claims what it is not no other is believed.
                if !isSettled {
                    (isSettled, index) = (true, index - 1)
                    entries[index...] = try ring.resettled(entries[index...], read, opener)[...]
                } else {
                    summary.damaged += 1
                }
                continue
            }
            read.insert(entry.sequence)
            summary.batches += 1
            let skipped = onlyNew ? seen[entry.sequence] ?? 0 : 0
            let count =
                entry.sequence == entries.last?.sequence
                ? now.map { batch.settledCount(at: $0) } ?? batch.items.count : batch.items.count
            if onlyNew { seen = [entry.sequence: count] }
            // What was in front, where the batch that told it is gone.
            let focus = OpenedItem(
                time: batch.header.base,
                device: 0,
                payload: .focus(app: batch.header.app)
            )
            let isNews =
                skipped == 0 && !batch.header.app.isEmpty && batch.header.app != app
                && batch.items.first?.payload.isInput == true
            for item in (isNews ? [focus] : []) + batch.items.prefix(count).dropFirst(skipped) {
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
                for description in news(of: item, in: batch) {
                    let news = RecordedEvent(description, in: batch.header, after: last)
                    guard try body(news) else { return summary }
                }
                guard try body(event) else { return summary }
            }
        }
        return summary
    }

    /// What is to be told before an item, where it is not what was told last: the desktop, and the
    /// item's device.
    private func news(of item: OpenedItem, in batch: OpenedBatch) -> [OpenedItem] {
        guard item.payload.isInput else { return [] }
        var news: [OpenedItem.Payload] = []
        if let new = batch.screen, new != screen {
            screen = new
            news.append(.screen(new))
        }
        if let new = batch.devices[item.device], new != devices[item.device] {
            devices[item.device] = new
            news.append(.device(new))
        }
        return news.map { OpenedItem(time: item.time, device: item.device, payload: $0) }
    }

    /// The batches in which an application was in front.
    ///
    /// - Parameters:
    ///   - range: wall time in milliseconds since 1970.
    ///   - isWanted: whether an application is the one; the recording has the class of its windows.
    /// - Returns: their numbers.
    /// - Throws: `StorageError` when the ring cannot be read.
    package func batches(
        _ range: ClosedRange<Int64>,
        where isWanted: (String) -> Bool
    ) throws -> [UInt64] {
        try ring.settledEntries(opener).filter { $0.touches(range) }.compactMap { entry in
            guard let sealed = try ring.sealed(entry), case .opened(let batch) = opener.open(sealed)
            else { return nil }
            let apps = batch.items.lazy.compactMap { item -> String? in
                if case .focus(let app, _) = item.payload { app } else { nil }
            }
            let isInFront = ([batch.header.app] + apps).contains { !$0.isEmpty && isWanted($0) }
            return isInFront ? batch.header.sequence : nil
        }
    }
}

extension OpenedBatch {
    /// How many of its items stay as they are: the last ones may be runs of text that still grow.
    fileprivate func settledCount(at now: WallTime) -> Int {
        var count = items.count
        while count > 0, case .typing(let end) = items[count - 1].payload,
            end.milliseconds &+ header.wallOffset &+ TypingRun.patience > now.milliseconds
        {
            count -= 1
        }
        return count
    }
}
