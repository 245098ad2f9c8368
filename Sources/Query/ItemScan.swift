// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// An item with everything that is needed to make a row of it.
struct Row: Redacted {
    let item: OpenedItem
    /// Its time; for a gap, its beginning.
    let time: WallTime
    /// The end of a gap or a typing run; for other items, their time.
    let end: WallTime
    /// The application in front; empty when unknown.
    let app: String
    /// The sequence number of its batch.
    let batch: Int64
    /// Whether a program made it; nil when its device is not described.
    let isInjected: Bool?
}

/// Turns the items of a table into rows.
protocol RowMaker {
    var table: Table { get }
    func cell(_ column: Int, _ row: Row) -> Cell
}

/// The scan of `events` or `gaps`, in the order of the recording.
///
/// It holds one opened batch and the one before it. Its rows are the same as in a scan of the whole
/// ring, whichever part is read. An unwanted item costs a few nanoseconds; a row is made when a
/// column is requested.
final class ItemScan<Maker: RowMaker>: Scan, Redacted {
    private let listing: Listing
    private let maker: Maker
    private let isEvents: Bool
    private var bounds = Bounds()

    /// The opened batch; nil at the end.
    private var batch: OpenedBatch?
    /// The index of ``batch`` in the listing.
    private var index = -1
    /// The index of the row's item in ``batch``; -1 for ``announced``.
    private var item = -1
    /// The focus at the beginning of the batch, when the batch that recorded it is missing.
    private var announced: OpenedItem?
    /// The application in front at the current item.
    private var app = ""
    /// The latest time before the current item; only `gaps` needs it.
    private var last = WallTime(0)
    /// The batch that was scanned before.
    private var previous: (index: Int, batch: OpenedBatch)?

    init(_ listing: Listing, _ maker: Maker) {
        self.listing = listing
        self.maker = maker
        isEvents = maker.table == .events
    }

    var isAtEnd: Bool { batch == nil }

    /// The batch and the item in one number; a batch has at most 2^20 items.
    var rowid: Int64 { listing.sequence(index) << 21 | Int64(item + 1) }

    func cell(_ column: Int) -> Cell {
        guard let batch, let item = item < 0 ? announced : batch.items[item] else { return .null }
        let event = RecordedEvent(item, in: batch.header, after: last)
        return maker.cell(
            column,
            Row(
                item: item,
                time: event.time,
                end: event.end,
                app: app,
                batch: listing.sequence(index),
                isInjected: batch.isInjected(item)
            )
        )
    }

    func start(_ bounds: Bounds) throws {
        self.bounds = bounds
        (index, batch) = (-1, nil)
        try openNext()
        if announced == nil { try advance() }
    }

    func advance() throws {
        while let batch {
            if step(batch) { return }
            previous = (index, batch)
            try openNext()
            if announced != nil { return }
        }
    }

    /// Goes to the next item of the batch that is a row; false when there is none.
    private func step(_ batch: OpenedBatch) -> Bool {
        let offset = batch.header.wallOffset
        while true {
            if !isEvents, item >= 0 {
                let event = RecordedEvent(batch.items[item], in: batch.header, after: last)
                last = max(last, event.time)
            }
            item += 1
            guard item < batch.items.count else { return false }
            switch batch.items[item].payload {
            case .focus(let app, _): self.app = app
            case .gap(_, _, let stream):
                if stream == nil { app = "" }
                if isEvents { continue }
                return true
            default: break
            }
            if isEvents, bounds.mayHold(batch.items[item].time.milliseconds &+ offset) {
                return true
            }
        }
    }

    // MARK: Batches

    /// Opens the next batch that may hold a wanted row, and skips batches that do not open.
    private func openNext() throws {
        (batch, announced, item) = (nil, nil, -1)
        while true {
            index = listing.next(after: index, bounds, reach: maker.table.reach)
            guard index < listing.count else { return }
            guard case .whole(let next) = try listing.open(index) else { continue }
            announced = try announced(by: next)
            last = try latest(before: next)
            (batch, app) = (next, next.header.app)
            return
        }
    }

    private func announced(by batch: OpenedBatch) throws -> OpenedItem? {
        let header = batch.header
        guard isEvents, !header.app.isEmpty, batch.items.first?.payload.isInput == true,
            bounds.mayHold(header.base.milliseconds &+ header.wallOffset),
            try batchBefore()?.lastApp != header.app
        else { return nil }
        return OpenedItem(time: header.base, device: 0, payload: .focus(app: header.app))
    }

    /// The latest time before a batch, which only a gap of not running needs.
    private func latest(before batch: OpenedBatch) throws -> WallTime {
        guard !isEvents, batch.items.contains(where: \.isGapOfNotRunning) else {
            return WallTime(0)
        }
        return try batchBefore()?.latest ?? WallTime(0)
    }

    /// The nearest batch before ``index`` that opens.
    private func batchBefore() throws -> OpenedBatch? {
        for earlier in stride(from: index - 1, through: 0, by: -1) {
            if let previous, previous.index == earlier { return previous.batch }
            guard case .whole(let batch) = try listing.open(earlier) else { continue }
            previous = (earlier, batch)
            return batch
        }
        return nil
    }
}
