// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// Makes the rows of `events`.
struct EventRows: RowMaker {
    let table = Table.events

    func cell(_ column: Int, _ row: Row) -> Cell {
        let item = row.item
        return switch EventColumn(rawValue: column) {
        case .ms: Cell(row.time.milliseconds)
        case .time: Cell(row.time)
        case .type: Self.type(item.payload)
        case .app: row.app.isEmpty ? .null : .text(row.app)
        case .device: item.payload.isInput ? Cell(item.device) : .null
        case .batch: Cell(row.batch)
        case .title: Self.title(item.payload)
        case .x: item.pixel.map { Cell($0.x) } ?? .null
        case .y: item.pixel.map { Cell($0.y) } ?? .null
        case .local: Cell(local: row.time)
        case .injected: row.isInjected.map { Cell($0 ? 1 : 0) } ?? .null
        case let other?: Self.fields[other.rawValue].map { Self.cell($0, item) } ?? .null
        case nil: .null
        }
    }

    /// The field of each column; nil for a column that is not a field of input.
    private static let fields = EventColumn.allCases.map { EventField(rawValue: "\($0)") }

    private static func cell(_ field: EventField, _ item: OpenedItem) -> Cell {
        switch item.value(of: field) {
        case .word(let word): .text(word)
        case .number(let number): .integer(number)
        case .notches(let amount): .real(Double(amount) / 120)
        case .modifiers(let modifiers): .text(modifiers.words.joined(separator: "+"))
        case .axes(let values): .text(values.words)
        case nil: .null
        }
    }

    private static func title(_ payload: OpenedItem.Payload) -> Cell {
        guard case .focus(_, let title?) = payload else { return .null }
        return .text(title)
    }

    private static func type(_ payload: OpenedItem.Payload) -> Cell {
        switch payload {
        case .input(let input): .text(input.name)
        case .focus: .text("focus")
        case .gap, .device, .screen, .demonstration: .null
        }
    }
}

/// Makes the rows of `gaps`.
struct GapRows: RowMaker {
    let table = Table.gaps

    func cell(_ column: Int, _ row: Row) -> Cell {
        guard case .gap(let reason, _, let stream) = row.item.payload else { return .null }
        return switch GapColumn(rawValue: column) {
        case .fromMs: Cell(row.time.milliseconds)
        case .toMs: Cell(row.end.milliseconds)
        case .fromTime: Cell(row.time)
        case .toTime: Cell(row.end)
        case .reason: .text(reason.name)
        case .stream: stream.map { .text($0 == .keyboard ? "keyboard" : "pointer") } ?? .null
        case .batch: Cell(row.batch)
        case .fromLocal: Cell(local: row.time)
        case .toLocal: Cell(local: row.end)
        case nil: .null
        }
    }
}

extension OpenedItem {
    /// The table to which the item belongs.
    var table: Table {
        if case .gap = payload { .gaps } else { .events }
    }

    var isGapOfNotRunning: Bool {
        if case .gap(.notRunning, _, _) = payload { true } else { false }
    }
}

extension OpenedBatch {
    /// The application in front at the end of the batch; empty when unknown.
    var lastApp: String {
        for item in items.reversed() {
            if case .focus(let app, _) = item.payload { return app }
        }
        return header.app
    }

    /// The latest time in the batch.
    var latest: WallTime {
        items.map { RecordedEvent($0, in: header, after: WallTime(0)).time }.max() ?? WallTime(0)
    }
}
