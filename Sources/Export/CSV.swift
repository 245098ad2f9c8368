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
    private let words = (yes: Array("true".utf8), no: Array("false".utf8))
    private let classes = KeyClass.allCases.map { Array($0.name.utf8) }

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
        case .input(let input):
            comma()
            text.append(input.name)
            for column in Self.columns.dropFirst(2) {
                comma()
                cell(column, event)
            }
            return text.append([0x0D, 0x0A])
        case .focus(let app, let title):
            text.append(",focus,,,,,,,,")
            quoted(app)
            text.append(",,,,")
            comma()
            if let title { quoted(title) }
            return text.append(Array(",,,,,,,,\r\n".utf8))
        case .device(let device):
            text.append(",device,,,,,,,,,,,,\(event.item.device),,,,,\(device.kind.name),")
            quoted(device.name)
            return text.append(Array(",,,\(device.isInjected)\r\n".utf8))
        case .screen(let screen):
            text.append(",monitors,,,,,,,,,,,,,,,,,,\(Self.words(screen)),,,\r\n")
            return
        case .gap(let reason, _, let stream):
            text.append(",gap,,,,,,,,,\(reason.name),")
            text.append(event.end)
            text.append(",\(stream?.name ?? ""),")
        }
        comma()
        comma()
        if let pixel = event.item.pixel { text.append(Int32(pixel.x)) }
        comma()
        if let pixel = event.item.pixel { text.append(Int32(pixel.y)) }
        text.append(Array(",,,,,,".utf8))
        injected(event)
        text.append([0x0D, 0x0A])
    }

    /// Appends a cell of input; nothing where the input does not have the field.
    private mutating func cell(_ column: String, _ event: RecordedEvent) {
        switch column {
        case "device": text.append(Int32(event.item.device))
        case "x": if let pixel = event.item.pixel { text.append(Int32(pixel.x)) }
        case "y": if let pixel = event.item.pixel { text.append(Int32(pixel.y)) }
        case "injected": injected(event)
        default:
            switch EventField(rawValue: column).flatMap({ event.item.value(of: $0) }) {
            case .word(let word): text.append(word)
            case .number(let number): text.append("\(number)")
            case .notches(let amount): text.append(notches: amount)
            case .modifiers(let modifiers): text.append(modifiers.words.joined(separator: "+"))
            case .axes(let values): text.append(values.words)
            case nil: break
            }
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
