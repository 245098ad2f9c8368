// SPDX-License-Identifier: Apache-2.0

import Events
import Packing

/// Writes events as JSON Lines, the export's format (README, "JSON").
package struct JSONLines {
    /// The lines written so far; take them and empty it as they grow.
    package var bytes: [UInt8] = []

    private let withKeys: Bool

    /// - Parameter withKeys: whether to write which key it was, where that was recorded.
    package init(withKeys: Bool) {
        self.withKeys = withKeys
    }

    /// Appends one event as a line.
    package mutating func append(_ event: RecordedEvent) {
        text("{\"time\":\"")
        event.time.append(to: &bytes)
        text("\",\"type\":\"")
        switch event.item.payload {
        case .key(let isDown, let keyClass, let modifiers, let keysym):
            text("key\",\"state\":\"\(isDown ? "down" : "up")\",\"class\":\"\(keyClass.name)\"")
            if withKeys, keysym != 0 { text(",\"keysym\":\"\(KeysymName.of(keysym))\"") }
            text(",\"modifiers\":[")
            text(modifiers.words.map { "\"\($0)\"" }.joined(separator: ","))
            text("]")
            device(event.item.device)
        case .button(let number, let isDown):
            text("button\",\"button\":\(number),\"state\":\"\(isDown ? "down" : "up")\"")
            device(event.item.device)
        case .motion(let dx, let dy):
            text("motion\",\"dx\":\(dx),\"dy\":\(dy)")
            device(event.item.device)
        case .scroll(let dx, let dy):
            text("scroll\",\"dx\":\(Self.notches(dx)),\"dy\":\(Self.notches(dy))")
            device(event.item.device)
        case .focus(let app):
            text("focus\",\"app\":")
            string(app)
        case .gap(let reason, _, let stream):
            text("gap\",\"reason\":\"\(reason.name)\",\"from\":\"")
            event.time.append(to: &bytes)
            text("\",\"to\":\"")
            event.end.append(to: &bytes)
            text("\"")
            if let stream {
                text(",\"stream\":\"\(stream == .keyboard ? "keyboard" : "pointer")\"")
            }
        }
        text("}\n")
    }

    private mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func device(_ device: UInt8) { text(",\"device\":\(device)") }

    /// A JSON string (RFC 8259 §7).
    private mutating func string(_ value: String) {
        bytes.append(0x22)
        for byte in value.utf8 {
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0..<0x20: text("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    /// 1/120 notches as notches, without a fraction where there is none.
    private static func notches(_ value: Int32) -> String {
        value % 120 == 0 ? "\(value / 120)" : "\(Double(value) / 120)"
    }
}
