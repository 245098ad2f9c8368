// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
package import Timeline

/// Writes events as comma-separated values with a header line (RFC 4180).
///
/// There is a column for each field of the JSON Lines.
package struct CSV: EventWriter {
    /// Who reads the recorded text (application, title, name); everything else is the same for all.
    package enum Reader: Sendable {
        /// A spreadsheet: no text is a formula (``SafeText/cell(_:)``).
        case spreadsheet
        /// A person at a terminal: also without characters that control a terminal.
        case terminal
        /// A program that takes all text as data.
        case program
    }

    /// What was written and not yet taken.
    package var text = TextBuffer()
    private let reader: Reader
    private let words = Words()
    private let classes = KeyClass.allCases.map { Array($0.name.utf8) }

    /// The constant parts of lines, cached as bytes.
    private struct Words: Redacted {
        let yes = Array("true".utf8)
        let no = Array("false".utf8)
        let end = [UInt8]([0x0D, 0x0A])
        /// Between the pixel and whether a program made the event.
        let toInjected: [UInt8]
        let afterInjected: [UInt8]

        init() {
            let injected = CSV.columns.firstIndex(of: "injected") ?? 0
            let pixel = CSV.columns.firstIndex(of: "y") ?? 0
            toInjected = Array(repeating: 0x2C, count: injected - pixel)
            afterInjected =
                Array(repeating: 0x2C, count: CSV.columns.count - 1 - injected) + [0x0D, 0x0A]
        }
    }

    /// Makes a writer.
    ///
    /// - Parameter reader: who reads the recorded text.
    package init(for reader: Reader = .spreadsheet) {
        self.reader = reader
    }

    /// The names of the columns, in order.
    package static let columns = [
        "time", "type", "state", "class", "keysym", "modifiers", "button", "dx", "dy", "app",
        "reason", "to", "stream", "device", "title", "x", "y", "axes",
        "kind", "name", "finger", "seconds", "injected",
    ]

    /// The header line, ended by CR LF.
    package var head: [UInt8] {
        Array(Self.columns.joined(separator: ",").utf8) + [0x0D, 0x0A]
    }

    /// Appends one event as a line, ended by CR LF.
    ///
    /// - Parameter event: from the timeline.
    package mutating func append(_ event: RecordedEvent) {
        text.append(event.time)
        switch event.item.payload {
        // The most frequent kinds are written faster, in the same columns.
        case .input(.motion(let dx, let dy)):
            text.append(",motion,,,,,,")
            text.append(dx)
            comma()
            text.append(dy)
            text.append(",,,,,")
            text.append(Int32(event.item.device))
        case .input(.key(let key)):
            text.append(key.isDown ? ",key,down," : ",key,up,")
            text.append(classes[Int(key.keyClass.rawValue)])
            comma()
            if key.keysym != 0 { text.append(KeysymName.of(key.keysym)) }
            comma()
            text.append(key.modifiers.words.joined(separator: "+"))
            text.append(",,,,,,,,")
            text.append(Int32(event.item.device))
        default:
            comma()
            text.append(event.item.payload.name)
            for column in Self.columns.dropFirst(2) {
                comma()
                cell(column, event)
            }
            return text.append(words.end)
        }
        comma()
        comma()
        if let pixel = event.item.pixel { text.append(Int32(pixel.x)) }
        comma()
        if let pixel = event.item.pixel { text.append(Int32(pixel.y)) }
        text.append(words.toInjected)
        injected(event)
        text.append(words.afterInjected)
    }

    /// Appends a cell; nothing where the event has no such field.
    private mutating func cell(_ column: String, _ event: RecordedEvent) {
        switch (column, event.item.payload) {
        case ("device", .input), ("device", .device): text.append(Int32(event.item.device))
        case ("x", _): if let pixel = event.item.pixel { text.append(Int32(pixel.x)) }
        case ("y", _): if let pixel = event.item.pixel { text.append(Int32(pixel.y)) }
        case ("injected", .device(let device)):
            text.append(device.isInjected ? words.yes : words.no)
        case ("injected", _): injected(event)
        case ("app", .focus(let app, _)): quoted(app)
        case ("title", .focus(_, let title?)): quoted(title)
        case ("reason", .gap(let reason, _, _)): text.append(reason.name)
        case ("to", .gap): text.append(event.end)
        case ("stream", .gap(_, _, let stream?)): text.append(stream.name)
        case ("kind", .device(let device)): text.append(device.kind.name)
        case ("name", .device(let device)): quoted(device.name)
        case ("name", .screen(let screen)): text.append(Self.words(screen))
        case ("name", .demonstration(let demonstration)): quoted(demonstration.name)
        case ("title", .demonstration(let demonstration)): quoted(demonstration.goal)
        case ("state", .demonstration(let demonstration)):
            text.append(demonstration.ended == nil ? "begin" : "end")
        case ("reason", .demonstration(let demonstration)):
            text.append(demonstration.outcome?.name ?? "")
        default: field(column, event.item)
        }
    }

    private mutating func field(_ column: String, _ item: OpenedItem) {
        switch EventField(rawValue: column).flatMap({ item.value(of: $0) }) {
        case .word(let word): text.append(word)
        case .number(let number): text.append("\(number)")
        case .notches(let amount): text.append(notches: amount)
        case .modifiers(let modifiers): text.append(modifiers.words.joined(separator: "+"))
        case .axes(let values): text.append(values.words)
        case nil: break
        }
    }

    private mutating func injected(_ event: RecordedEvent) {
        guard event.item.payload.isInput, let isInjected = event.isInjected else { return }
        text.append(isInjected ? words.yes : words.no)
    }

    /// The desktop and its monitors in X's geometry notation: `2560x1024: 1280x1024+0+0 …`.
    private static func words(_ screen: ScreenLayout) -> String {
        let monitors = screen.monitors.map { " \($0.width)x\($0.height)+\($0.x)+\($0.y)" }
        return "\(screen.width)x\(screen.height):" + monitors.joined()
    }

    private mutating func comma() { text.bytes.append(0x2C) }

    private mutating func quoted(_ value: String) {
        let value =
            switch reader {
            case .spreadsheet: SafeText.cell(value)
            case .terminal: SafeText.cell(SafeText.printable(value))
            case .program: value
            }
        text.bytes.append(0x22)
        for byte in value.utf8 {
            if byte == 0x22 { text.bytes.append(byte) }
            text.bytes.append(byte)
        }
        text.bytes.append(0x22)
    }
}
