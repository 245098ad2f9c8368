// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// An item, and all it takes to make a row of it.
struct Row {
    let event: RecordedEvent
    /// The application in front; empty when not known.
    let app: String
    let batch: Int64
}

/// How a table of items makes a row.
protocol RowMaker {
    var table: Table { get }
    func cell(_ column: Int, _ row: Row) -> Cell
}

/// The walk over `events` or `gaps`, in the order of the recording.
///
/// It holds one opened batch, and the one before it: the rows are those that a reading of the whole
/// ring gives, whichever part of it is read.
final class ItemScan<Maker: RowMaker>: Scan {
    /// An opened batch, and where in it the walk is.
    private struct Place {
        let index: Int
        let batch: OpenedBatch
        /// What was in front when the batch began, where the batch that told it is gone.
        var told: OpenedItem?
        /// The index of the item; -1 is ``told`` or nothing yet.
        var item = -1
        var app: String
        /// The latest time before the item.
        var last: WallTime
    }

    private let listing: Listing
    private let maker: Maker
    private var bounds = Bounds()
    private var index = -1
    private var place: Place?
    private var row: Row?
    /// The batch walked through last.
    private var previous: (index: Int, batch: OpenedBatch)?

    init(_ listing: Listing, _ maker: Maker) {
        self.listing = listing
        self.maker = maker
    }

    var isAtEnd: Bool { row == nil }

    /// A batch has at most 2^20 items, so that its number and the item's are one number.
    var rowid: Int64 { (row?.batch ?? 0) << 21 | Int64((place?.item ?? -1) + 1) }

    func cell(_ column: Int) -> Cell {
        row.map { maker.cell(column, $0) } ?? .null
    }

    func start(_ bounds: Bounds) throws {
        self.bounds = bounds
        (index, place) = (-1, nil)
        try advance()
    }

    func advance() throws {
        row = nil
        while row == nil {
            if place == nil { place = try nextPlace() }
            guard place != nil else { return }
            step()
        }
    }

    /// Opens the next batch that may hold a wanted row; what does not open is passed over.
    private func nextPlace() throws -> Place? {
        while true {
            index = listing.next(after: index, bounds, reach: maker.table.reach)
            guard index < listing.count else { return nil }
            guard case .whole(let batch) = try listing.open(index) else { continue }
            return Place(
                index: index,
                batch: batch,
                told: try told(by: batch),
                app: batch.header.app,
                last: try latest(before: batch)
            )
        }
    }

    private func told(by batch: OpenedBatch) throws -> OpenedItem? {
        let header = batch.header
        guard maker.table == .events, !header.app.isEmpty,
            batch.items.first?.payload.isInput == true,
            bounds.mayHold(header.base.milliseconds &+ header.wallOffset),
            try batchBefore()?.lastApp != header.app
        else { return nil }
        return OpenedItem(time: header.base, device: 0, payload: .focus(app: header.app))
    }

    /// The latest time before a batch, which only a gap of not running has to know.
    private func latest(before batch: OpenedBatch) throws -> WallTime {
        guard maker.table == .gaps, batch.items.contains(where: \.isGapOfNotRunning) else {
            return WallTime(0)
        }
        return try batchBefore()?.latest ?? WallTime(0)
    }

    /// The nearest batch before the one at ``index`` that opens.
    private func batchBefore() throws -> OpenedBatch? {
        for earlier in stride(from: index - 1, through: 0, by: -1) {
            if let previous, previous.index == earlier { return previous.batch }
            guard case .whole(let batch) = try listing.open(earlier) else { continue }
            previous = (earlier, batch)
            return batch
        }
        return nil
    }

    /// Goes on by one item, which becomes the row where the table has it.
    private func step() {
        guard var place else { return }
        let item: OpenedItem
        if let told = place.told {
            item = told
            place.told = nil
        } else if place.item + 1 < place.batch.items.count {
            place.item += 1
            item = place.batch.items[place.item]
        } else {
            previous = (place.index, place.batch)
            self.place = nil
            return
        }
        switch item.payload {
        case .focus(let app): place.app = app
        case .gap(_, _, nil): place.app = ""
        default: break
        }
        let event = RecordedEvent(item, in: place.batch.header, after: place.last)
        place.last = max(place.last, event.time)
        self.place = place
        if item.table == maker.table {
            row = Row(event: event, app: place.app, batch: listing.sequence(place.index))
        }
    }
}
