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
        case .state: Self.state(item.payload)
        case .class, .keysym, .modifiers: Self.key(column, item.payload)
        case .button:
            if case .input(.button(let number, _)) = item.payload { Cell(number) } else { .null }
        case .dx: Self.movement(item.payload).dx
        case .dy: Self.movement(item.payload).dy
        case .app: row.app.isEmpty ? .null : .text(row.app)
        case .device: item.payload.isInput ? Cell(item.device) : .null
        case .batch: Cell(row.batch)
        case .title: Self.title(item.payload)
        case .x: item.pixel.map { Cell($0.x) } ?? .null
        case .y: item.pixel.map { Cell($0.y) } ?? .null
        case .axes: Self.axes(item.payload)
        case .finger:
            if case .input(.touch(let touch)) = item.payload { Cell(touch.finger) } else { .null }
        case .local: Cell(local: row.time)
        case .seconds: if case .input(.typing) = item.payload { Cell(item.seconds) } else { .null }
        case .injected: row.isInjected.map { Cell($0 ? 1 : 0) } ?? .null
        case nil: .null
        }
    }

    private static func title(_ payload: OpenedItem.Payload) -> Cell {
        guard case .focus(_, let title?) = payload else { return .null }
        return .text(title)
    }

    private static func type(_ payload: OpenedItem.Payload) -> Cell {
        switch payload {
        case .input(.key): .text("key")
        case .input(.typing): .text("typing")
        case .input(.button): .text("button")
        case .input(.motion): .text("motion")
        case .input(.scroll): .text("scroll")
        case .focus: .text("focus")
        case .input(.axes): .text("axes")
        case .input(.touch): .text("touch")
        case .gap, .device, .screen: .null
        }
    }

    private static func axes(_ payload: OpenedItem.Payload) -> Cell {
        switch payload {
        case .input(.axes(let values)): .text(values.words)
        case .input(.touch(let touch)): .text(touch.values.words)
        default: .null
        }
    }

    private static func state(_ payload: OpenedItem.Payload) -> Cell {
        switch payload {
        case .input(.key(let key)): .text(key.isDown ? "down" : "up")
        case .input(.button(_, let isDown)): .text(isDown ? "down" : "up")
        case .input(.touch(let touch)): .text(touch.phase.name)
        default: .null
        }
    }

    private static func key(_ column: Int, _ payload: OpenedItem.Payload) -> Cell {
        guard case .input(.key(let key)) = payload else { return .null }
        return switch EventColumn(rawValue: column) {
        case .class: .text(classNames[key.keyClass] ?? "")
        case .modifiers: .text(key.modifiers.words.joined(separator: "+"))
        default: key.keysym == 0 ? .null : .text(KeysymName.of(key.keysym))
        }
    }

    private static func movement(_ payload: OpenedItem.Payload) -> (dx: Cell, dy: Cell) {
        switch payload {
        case .input(.motion(let dx, let dy)): (Cell(dx), Cell(dy))
        case .input(.scroll(let dx, let dy)): (.real(Double(dx) / 120), .real(Double(dy) / 120))
        default: (.null, .null)
        }
    }

    /// The names of the key classes, cached because they are slow to make.
    private static let classNames = Dictionary(
        uniqueKeysWithValues: KeyClass.allCases.map { ($0, $0.name) }
    )
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
