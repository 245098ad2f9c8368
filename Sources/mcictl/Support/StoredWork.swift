// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Packing
import Timeline

/// The last minutes of a recording, as `watch` shows them: read from the ring, so what it shows is what
/// is stored.
struct StoredWork: Redacted {
    /// Milliseconds that it goes back.
    static let length: Int64 = 10 * 60_000

    /// One thing that was stored, in words.
    struct Line {
        var time: WallTime
        var source: String
        var words: String
    }

    /// The time from which on it was read, in milliseconds since 1970.
    let from: Int64
    /// What was stored, oldest first; movements in a row are one line.
    private(set) var lines: [Line] = []
    /// Events in each ten seconds.
    private var counts = [Int](repeating: 0, count: 60)
    /// Whether text was typed in each ten seconds.
    private var typing = [Bool](repeating: false, count: 60)
    /// Whether nothing was recorded in each ten seconds.
    private var closed = [Bool](repeating: false, count: 60)
    /// Movements since the last line.
    private var movements: (count: Int, last: RecordedEvent)?

    /// Reads the last minutes before a moment.
    ///
    /// - Parameters:
    ///   - timeline: the recording.
    ///   - now: the moment.
    /// - Throws: `StorageError` when the ring cannot be read.
    init(_ timeline: TimelineReader, _ now: WallTime) throws {
        from = now.milliseconds - Self.length
        // A step that is not over yet may already be stored.
        _ = try timeline.read(from...now.milliseconds + TypingRun.step) {
            take($0)
            return true
        }
        endMovements()
    }

    private mutating func take(_ event: RecordedEvent) {
        let window = from...from + 2 * Self.length
        func part(_ time: WallTime) -> Int {
            let time = min(max(time.milliseconds, window.lowerBound), window.upperBound)
            return Int((time - from) / 10_000)
        }
        let (first, last) = (part(event.time), min(part(event.end), 59))
        switch event.item.payload {
        case .input(let input):
            if first < 60 { counts[first] += 1 }
            switch input {
            case .typing: for index in first..<max(first, last + 1) { typing[index] = true }
            case .motion, .axes:
                movements = ((movements?.count ?? 0) + 1, event)
                return
            case .button(_, isDown: false): return
            case .key(let key) where !key.isDown: return
            default: break
            }
        case .gap(_, _, nil): for index in first..<max(first, last + 1) { closed[index] = true }
        case .gap, .focus: break
        case .device, .screen: return
        case .demonstration: break
        }
        endMovements()
        add(event, EventText.words(event, withKeys: false))
    }

    private mutating func endMovements() {
        guard let (count, last) = movements else { return }
        movements = nil
        add(last, TimeText.count(count, "movement", "movements"))
    }

    private mutating func add(_ event: RecordedEvent, _ words: String) {
        lines.append(Line(time: event.end, source: EventText.source(event), words: words))
    }

    /// Blocks for the ten minutes, in at most some columns: how much was stored in each part.
    func blocks(_ columns: Int) -> (input: String, typing: String) {
        let part = max(1, (60 + max(columns, 1) - 1) / max(columns, 1))
        let signs = Terminal.isASCII ? Array("_.:-=+*#") : Array("▁▂▃▄▅▆▇█")
        var (input, text) = ("", "")
        for start in stride(from: 0, to: 60, by: part) {
            let range = start..<min(start + part, 60)
            let count = counts[range].reduce(0, +)
            let level = Double(count) / Double(range.count * 10)
            let index = count == 0 ? 0 : min(7, 1 + Int((level.squareRoot() * 1.5).rounded(.down)))
            let isClosed = count == 0 && closed[range].contains(true)
            input.append(isClosed ? (Terminal.isASCII ? "x" : "░") : signs[index])
            text.append(typing[range].contains(true) ? (Terminal.isASCII ? "#" : "▄") : " ")
        }
        return (input, text)
    }
}
