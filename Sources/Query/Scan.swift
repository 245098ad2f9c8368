// SPDX-License-Identifier: Apache-2.0

import Events
import Packing

/// The scan of one cursor over one table.
protocol Scan: AnyObject {
    /// Goes to the first row that may be wanted.
    func start(_ bounds: Bounds) throws
    /// Goes to the next row.
    func advance() throws
    var isAtEnd: Bool { get }
    /// A number that is unique in the table.
    var rowid: Int64 { get }
    /// A value of the current row, computed on request.
    func cell(_ column: Int) throws -> Cell
}

extension Table {
    /// Starts a scan of the table.
    func scan(_ listing: Listing) -> any Scan {
        switch self {
        case .events: ItemScan(listing, EventRows())
        case .gaps: ItemScan(listing, GapRows())
        case .batches: BatchScan(listing)
        case .devices, .monitors: DescriptionScan(listing, self)
        case .demonstrations: DemonstrationScan(listing)
        }
    }
}

/// The scan of `batches`; it opens a batch only for a column that needs it.
private final class BatchScan: Scan {
    private let listing: Listing
    private var bounds = Bounds()
    private var index = 0
    private var opened: Listing.Opened?

    init(_ listing: Listing) { self.listing = listing }

    func start(_ bounds: Bounds) {
        self.bounds = bounds
        index = -1
        advance()
    }

    func advance() {
        opened = nil
        index = listing.next(after: index, bounds, reach: Table.batches.reach)
    }

    var isAtEnd: Bool { index >= listing.count }

    var rowid: Int64 { listing.sequence(index) }

    func cell(_ column: Int) throws -> Cell {
        switch BatchColumn(rawValue: column) {
        case .batch: return Cell(listing.sequence(index))
        case .endMs: return Cell(listing.end(index))
        case .endTime: return Cell(WallTime(listing.end(index)))
        case .endLocal: return Cell(local: WallTime(listing.end(index)))
        case .events: return try count { $0 != .gaps }
        case .gaps: return try count { $0 == .gaps }
        case .state:
            switch try open() {
            case .whole: return .text("whole")
            case .foreign: return .text("foreign")
            case .damaged: return .text("damaged")
            case .gone: return .null
            }
        case .keyDetail:
            guard case .whole(let batch) = try open() else { return .null }
            return .text(batch.header.keyDetailName)
        case nil: return .null
        }
    }

    /// The number of items of the batch in some tables; NULL when the batch does not open.
    private func count(_ isCounted: (Table) -> Bool) throws -> Cell {
        guard case .whole(let batch) = try open() else { return .null }
        return Cell(batch.items.count { isCounted($0.table) })
    }

    private func open() throws -> Listing.Opened {
        if let opened { return opened }
        let result = try listing.open(index)
        opened = result
        return result
    }
}
