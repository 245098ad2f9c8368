// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Packing
import Timeline

/// Recorded events in words.
enum EventText {
    /// The device of an event: `keyboard 3`, `pointer 2`; a dash if none.
    static func source(_ event: RecordedEvent) -> String {
        let device = event.item.device
        return switch event.item.payload {
        case .input(.key), .input(.typing): "keyboard \(device)"
        case .input(.touch): "touch \(device)"
        case .input: "pointer \(device)"
        case .device: "device \(device)"
        case .screen, .focus, .gap, .demonstration: "–"
        }
    }

    /// What happened.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - withKeys: whether to name the key and not only its class.
    /// - Returns: a few words without terminal control characters.
    static func words(_ event: RecordedEvent, withKeys: Bool) -> String {
        let words = plainWords(event, withKeys)
        return event.item.payload.isInput && event.isInjected == true
            ? "\(words) (injected)" : words
    }

    private static func plainWords(_ event: RecordedEvent, _ withKeys: Bool) -> String {
        let pixel = event.item.pixel.map { " at \($0.x), \($0.y)" } ?? ""
        switch event.item.payload {
        case .input(.key(let key)):
            let name = withKeys && key.keysym != 0 ? " \(KeysymName.of(key.keysym))" : ""
            let held = key.modifiers.subtracting(.numLock).words.joined(separator: "+")
            let with = held.isEmpty || key.keyClass == .modifier ? "" : " with \(held)"
            return "\(key.isDown ? "pressed" : "released") \(key.keyClass.name)\(name)\(with)"
        case .input(.typing):
            let length = TimeText.length(event.end.milliseconds - event.time.milliseconds)
            return "typed for \(length)"
        case .input(.button(let number, let isDown)):
            return "\(isDown ? "pressed" : "released") \(button(number))\(pixel)"
        case .input(.motion(let dx, let dy)):
            return "moved \(direction(dx, dy) { "\($0)" })"
        case .input(.scroll(let dx, let dy)):
            return "scrolled \(direction(dx, dy, notches))"
        case .input(.axes(let values)):
            return "axes "
                + values.reported.map { "\($0.axis) at \($0.value)" }.joined(separator: ", ")
        case .input(.touch(let touch)):
            return "finger \(touch.finger) \(touch.phase.name)\(pixel)"
        case .device(let device):
            return "is the \(device.kind.name) “\(Terminal.printable(device.name))”"
        case .screen(let screen):
            let monitors = TimeText.count(screen.monitors.count, "monitor", "monitors")
            return "the desktop has \(screen.width) × \(screen.height) pixels on \(monitors)"
        case .focus(let app, let title):
            let name = title.map { ", “\(Terminal.printable($0))”" } ?? ""
            return app.isEmpty
                ? "in front: something that is not recorded"
                : "in front: \(Terminal.printable(app))\(name)"
        case .gap(let reason, _, let stream): return gap(event, reason, stream)
        case .demonstration(let demonstration):
            let name = "demonstration “\(Terminal.printable(demonstration.name))”"
            if demonstration.ended == nil {
                return "\(name) begins: \(Terminal.printable(demonstration.goal))"
            }
            return "\(name) ends: \(demonstration.outcome?.name ?? "ended")"
        }
    }

    /// The typing runs that a format or a replay left out, as a sentence.
    static func leftOut(runs: Int) -> String {
        "\(TimeText.count(runs, "typing run", "typing runs")) without the text: left out."
    }

    private static func gap(
        _ event: RecordedEvent,
        _ reason: GapReason,
        _ stream: InputStream?
    ) -> String {
        let isOneDay = LocalTime(event.time).isSameDay(as: LocalTime(event.end))
        let from = isOneDay ? TimeText.exact(event.time) : TimeText.full(event.time)
        let length = TimeText.length(event.end.milliseconds - event.time.milliseconds)
        let scope = stream.map { "\($0.name) not recorded" } ?? "nothing recorded"
        return "\(scope) for \(length): \(reason.words) (since \(from))"
    }

    private static func button(_ number: UInt8) -> String {
        switch number {
        case 1: "left button"
        case 2: "middle button"
        case 3: "right button"
        case 8: "back button"
        case 9: "forward button"
        default: "button \(number)"
        }
    }

    /// `right 5, down 3`.
    private static func direction(_ dx: Int32, _ dy: Int32, _ amount: (UInt32) -> String) -> String
    {
        var words: [String] = []
        if dx != 0 { words.append("\(dx < 0 ? "left" : "right") \(amount(dx.magnitude))") }
        if dy != 0 { words.append("\(dy < 0 ? "up" : "down") \(amount(dy.magnitude))") }
        return words.isEmpty ? "by nothing" : words.joined(separator: ", ")
    }

    /// Of 1/120 notch: `1`, `0.25`.
    private static func notches(_ amount: UInt32) -> String {
        guard amount % 120 != 0 else { return "\(amount / 120)" }
        let hundredths = (Int64(amount) * 100 + 60) / 120
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
