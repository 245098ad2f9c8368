// SPDX-License-Identifier: Apache-2.0

import Events
import Packing

/// The scan of `devices` or `monitors`: what each batch says of them.
final class DescriptionScan: Scan, Redacted {
    private let listing: Listing
    private let table: Table
    private var bounds = Bounds()
    private var index = -1
    private var rows: [[Cell]] = []
    private var row = 0

    init(_ listing: Listing, _ table: Table) {
        (self.listing, self.table) = (listing, table)
    }

    var isAtEnd: Bool { index >= listing.count }

    /// The batch and the row in one number; a batch describes at most 256 devices.
    var rowid: Int64 { listing.sequence(index) << 9 | Int64(row) }

    func cell(_ column: Int) -> Cell {
        rows.indices.contains(row) && rows[row].indices.contains(column) ? rows[row][column] : .null
    }

    func start(_ bounds: Bounds) throws {
        self.bounds = bounds
        (index, rows, row) = (-1, [], 0)
        try advance()
    }

    func advance() throws {
        row += 1
        while row >= rows.count {
            index = listing.next(after: index, bounds, reach: table.reach)
            guard index < listing.count else { return }
            guard case .whole(let batch) = try listing.open(index) else { continue }
            let number = Cell(listing.sequence(index))
            let described = table == .devices ? devices(batch) : monitors(batch)
            (rows, row) = (described.map { [number] + $0 }, 0)
        }
    }

    private func devices(_ batch: OpenedBatch) -> [[Cell]] {
        batch.devices.sorted { $0.key < $1.key }.map { id, device in
            [
                Cell(id), .text(device.name), .text(device.kind.name), Cell(device.vendor),
                Cell(device.product), Cell(device.buttons), Cell(device.master),
                Cell(device.isInjected ? 1 : 0),
                .text(device.axes.map { "\($0.number)=\($0.label)" }.joined(separator: " ")),
            ]
        }
    }

    private func monitors(_ batch: OpenedBatch) -> [[Cell]] {
        guard let screen = batch.screen else { return [] }
        let desktop = [Cell(screen.width), Cell(screen.height)]
        if screen.monitors.isEmpty { return [[Cell](repeating: .null, count: 7) + desktop] }
        return screen.monitors.enumerated().map { number, monitor in
            [
                Cell(number), Cell(monitor.x), Cell(monitor.y), Cell(monitor.width),
                Cell(monitor.height), Cell(monitor.widthMM), Cell(monitor.heightMM),
            ] + desktop
        }
    }
}

/// The scan of `demonstrations`, for which every batch is opened.
final class DemonstrationScan: Scan, Redacted {
    private struct Found {
        var demonstration: Demonstration
        var first: Int64
        var last: Int64
    }

    private let listing: Listing
    private var found: [Found] = []
    private var row = 0

    init(_ listing: Listing) { self.listing = listing }

    var isAtEnd: Bool { row >= found.count }

    var rowid: Int64 { Int64(row) }

    func start(_ bounds: Bounds) throws {
        (found, row) = ([], 0)
        for index in 0..<listing.count {
            guard case .whole(let batch) = try listing.open(index),
                let demonstration = batch.demonstration
            else { continue }
            let number = listing.sequence(index)
            if demonstration.isSame(as: found.last?.demonstration) {
                found[found.count - 1].demonstration = demonstration
                found[found.count - 1].last = number
            } else {
                found.append(Found(demonstration: demonstration, first: number, last: number))
            }
        }
    }

    func advance() { row += 1 }

    func cell(_ column: Int) -> Cell {
        guard found.indices.contains(row) else { return .null }
        let demonstration = found[row].demonstration
        let (from, to) = (demonstration.begun, demonstration.ended)
        return switch column {
        case 0: .text(demonstration.name)
        case 1: .text(demonstration.goal)
        case 2: Cell(from.milliseconds)
        case 3: to.map { Cell($0.milliseconds) } ?? .null
        case 4: Cell(from)
        case 5: to.map { Cell($0) } ?? .null
        case 6: Cell(local: from)
        case 7: to.map { Cell(local: $0) } ?? .null
        case 8: demonstration.outcome.map { .text($0.name) } ?? .null
        case 9: Cell(found[row].first)
        case 10: Cell(found[row].last)
        default: .null
        }
    }
}
