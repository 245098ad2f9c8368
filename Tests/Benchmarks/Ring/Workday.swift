// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// A stream of input like that of a day's work, the same in every run: strokes of the mouse at 1 kHz
/// that begin slowly, hurry and settle, words with pauses between keys, clicks, turns of the wheel.
struct Workday {
    private var state: UInt64 = 88_172_645_463_325_252
    private(set) var time = EventTime(1000)

    /// A number below a bound, from a fixed sequence (xorshift64).
    private mutating func number(_ bound: Int64) -> Int64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int64(state >> 33) % bound
    }

    /// XTestDevice out the events of one piece of work, some hundred.
    mutating func piece(_ body: (CaptureEvent) -> Void) {
        switch number(10) {
        case 0..<6: stroke(body)
        case 6..<9: word(body)
        default: scroll(body)
        }
        time.milliseconds += number(2500)
        if number(40) == 0 {
            let app = ["Editor", "Browser", "Terminal", "Mail"][Int(number(4))]
            for stream in InputStream.allCases {
                body(.context(.app(app), stream: stream, at: time))
            }
        }
    }

    private mutating func stroke(_ body: (CaptureEvent) -> Void) {
        let length = 150 + number(500)
        let (dx, dy) = (Double(number(1600) - 800), Double(number(900) - 450))
        var (x, y) = (0.0, 0.0)
        for step in 1...length {
            // The shape of an aimed movement: position goes as 10t³ - 15t⁴ + 6t⁵.
            let t = Double(step) / Double(length)
            let part = t * t * t * (10 + t * (6 * t - 15))
            let (nx, ny) = ((dx * part).rounded(), (dy * part).rounded())
            let shake = number(12) == 0 ? Int32(number(3) - 1) : 0
            let (mx, my) = (Int32(nx - x) + shake, Int32(ny - y))
            (x, y) = (nx, ny)
            time.milliseconds += 1
            if mx != 0 || my != 0 { send(.motion(dx: mx, dy: my), 9, .pointer, body) }
        }
        guard number(3) != 0 else { return }
        time.milliseconds += 60 + number(120)
        send(.button(number: 1, isDown: true), 9, .pointer, body)
        time.milliseconds += 60 + number(50)
        send(.button(number: 1, isDown: false), 9, .pointer, body)
    }

    private mutating func word(_ body: (CaptureEvent) -> Void) {
        for _ in 0..<4 + number(40) {
            let letter = 0x61 + UInt32(number(26))
            let isSpace = number(6) == 0
            for isDown in [true, false] {
                let key = RawEvent.Key(
                    keycode: isSpace ? 65 : UInt8(letter & 0xFF),
                    isDown: isDown,
                    keyClass: isSpace ? .space : .letter,
                    modifiers: [],
                    keysym: isSpace ? 0x20 : letter
                )
                send(.key(key), 8, .keyboard, body)
                time.milliseconds += isDown ? 60 + number(40) : 40 + number(160)
            }
        }
    }

    private mutating func scroll(_ body: (CaptureEvent) -> Void) {
        let direction: Int32 = number(2) == 0 ? 120 : -120
        for _ in 0..<2 + number(12) {
            send(.scroll(dx: 0, dy: direction), 9, .pointer, body)
            time.milliseconds += 20 + number(90)
        }
    }

    private func send(
        _ payload: RawEvent.Payload,
        _ device: UInt8,
        _ stream: InputStream,
        _ body: (CaptureEvent) -> Void
    ) {
        body(.input(RawEvent(time: time, device: device, payload: payload), stream: stream))
    }
}
