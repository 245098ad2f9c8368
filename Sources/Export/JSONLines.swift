// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
package import Timeline

/// Writes events as JSON Lines, the export's own format (READING.md, "JSON of `mcictl`").
package struct JSONLines: EventWriter {
    /// What was written and not yet taken.
    package var text = TextBuffer()

    private let withKeys: Bool
    private let words = Words()

    /// The constant parts of lines, cached as bytes.
    private struct Words: Redacted {
        let time = Array("{\"time\":\"".utf8)
        let motion = Array("\",\"type\":\"motion\",\"dx\":".utf8)
        let dy = Array(",\"dy\":".utf8)
        let x = Array(",\"x\":".utf8)
        let y = Array(",\"y\":".utf8)
        let device = Array(",\"device\":".utf8)
        let injected = Array(",\"injected\":true".utf8)
        let end = Array("}\n".utf8)
        let fields = EventField.allCases.map { ($0, Array(",\"\($0.rawValue)\":".utf8)) }
        let state = (
            up: Array("\",\"type\":\"key\",\"state\":\"up\",\"class\":\"".utf8),
            down: Array("\",\"type\":\"key\",\"state\":\"down\",\"class\":\"".utf8)
        )
        let classes = KeyClass.allCases.map { Array($0.name.utf8) }
        let keysym = Array("\",\"keysym\":\"".utf8)
        let modifiers = (0...UInt8.max).map { bits in
            let words = Modifiers(rawValue: bits).words.map { "\"\($0)\"" }
            return Array("\",\"modifiers\":[\(words.joined(separator: ","))]".utf8)
        }
    }

    /// Makes a writer.
    ///
    /// - Parameter withKeys: whether to write the identity of keys, where it was recorded.
    package init(withKeys: Bool) {
        self.withKeys = withKeys
    }

    /// Appends one event as a line.
    ///
    /// - Parameter event: from the timeline.
    package mutating func append(_ event: RecordedEvent) {
        text.append(words.time)
        text.append(event.time)
        switch event.item.payload {
        // The most frequent kinds are written faster, in the same order of fields.
        case .input(.motion(let dx, let dy)):
            text.append(words.motion)
            text.append(dx)
            text.append(words.dy)
            text.append(dy)
            pixel(event.item.pixel)
            device(of: event)
        case .input(.key(let key)):
            text.append(key.isDown ? words.state.down : words.state.up)
            text.append(words.classes[Int(key.keyClass.rawValue)])
            if withKeys, key.keysym != 0 {
                text.append(words.keysym)
                text.append(KeysymName.of(key.keysym))
            }
            text.append(words.modifiers[Int(key.modifiers.rawValue)])
            device(of: event)
        case .input(let input):
            text.append("\",\"type\":\"\(input.name)\"")
            for (field, name) in words.fields {
                guard let value = event.item.value(of: field) else { continue }
                text.append(name)
                append(value)
            }
            pixel(event.item.pixel)
            device(of: event)
        case .device(let described):
            text.append("\",\"type\":\"device\"")
            text.append(words.device)
            text.append(Int32(event.item.device))
            describe(described)
        case .screen(let screen): describe(screen)
        case .demonstration(let demonstration):
            let state = demonstration.ended == nil ? "begin" : "end"
            text.append("\",\"type\":\"demonstration\",\"state\":\"\(state)\",\"name\":")
            text.append(quoted: demonstration.name)
            text.append(",\"goal\":")
            text.append(quoted: demonstration.goal)
            if let outcome = demonstration.outcome {
                text.append(",\"outcome\":\"\(outcome.name)\"")
            }
        case .focus(let app, let title):
            text.append("\",\"type\":\"focus\",\"app\":")
            text.append(quoted: app)
            if let title {
                text.append(",\"title\":")
                text.append(quoted: title)
            }
        case .gap(let reason, _, let stream):
            text.append("\",\"type\":\"gap\",\"reason\":\"\(reason.name)\",\"from\":\"")
            text.append(event.time)
            text.append("\",\"to\":\"")
            text.append(event.end)
            text.append("\"")
            if let stream { text.append(",\"stream\":\"\(stream.name)\"") }
        }
        text.append(words.end)
    }

    /// Appends the pixel of the desktop if it is known.
    private mutating func pixel(_ pixel: Pixel?) {
        guard let pixel else { return }
        text.append(words.x)
        text.append(Int32(pixel.x))
        text.append(words.y)
        text.append(Int32(pixel.y))
    }

    private mutating func append(_ value: FieldValue) {
        switch value {
        case .word(let word): text.append("\"\(word)\"")
        case .number(let number): text.append("\(number)")
        case .notches(let amount): text.append(notches: amount)
        case .modifiers(let modifiers):
            let words = modifiers.words.map { "\"\($0)\"" }
            text.append("[\(words.joined(separator: ","))]")
        case .axes(let values):
            let reported = values.reported.map { "\"\($0.axis)\":\($0.value)" }
            text.append("{\(reported.joined(separator: ","))}")
        }
    }

    private mutating func device(of event: RecordedEvent) {
        text.append(words.device)
        text.append(Int32(event.item.device))
        if event.isInjected == true { text.append(words.injected) }
    }
}
