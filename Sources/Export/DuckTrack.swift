// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
package import Timeline

/// Writes events in the format of DuckTrack's `events.jsonl`.
///
/// Each line has `time_stamp` (seconds since 1970) and `action`: `press` and `release` {name},
/// `click` {button, pressed, x, y}, `scroll` {dx, dy in whole notches, up is positive, x, y},
/// `move` {x, y}, `pause` and `resume`. The format has no words for typing runs, keys whose
/// identity was not recorded, movements without a pixel, focus, devices, and gaps of one stream:
/// these are omitted. There are no screenshots.
package struct DuckTrack: EventWriter {
    /// What was written and not yet taken.
    package var text = TextBuffer()
    /// What was omitted so far.
    package private(set) var omissions = Omissions()
    private var turns = (x: NotchCounter(), y: NotchCounter())

    /// Makes a writer.
    package init() {}

    /// Appends one event as a line; a gap becomes two lines.
    ///
    /// - Parameter event: from the timeline.
    package mutating func append(_ event: RecordedEvent) {
        switch event.item.payload {
        case .input(.key(let key)):
            guard key.keysym != 0 else { return omissions.hiddenKeys += key.isDown ? 1 : 0 }
            guard let name = PynputName.of(key.keysym) else {
                return omissions.unnamedKeys += key.isDown ? 1 : 0
            }
            begin(key.isDown ? "press" : "release", event.time)
            text.append(",\"name\":")
            text.append(quoted: name)
        case .input(.button(let number, let isDown)):
            begin("click", event.time)
            text.append(",\"button\":\"\(PynputName.button(number))\",\"pressed\":\(isDown)")
            pixel(event.item.pixel)
        case .input(.scroll(let dx, let dy)):
            let notches = (turns.x.take(dx), -turns.y.take(dy))
            guard notches != (0, 0) else { return }
            begin("scroll", event.time)
            text.append(",\"dx\":\(notches.0),\"dy\":\(notches.1)")
            pixel(event.item.pixel)
        case .input(.touch): return omissions.touches += 1
        case .input(.typing): return omissions.runs += 1
        // Everything else moves the pointer.
        case .input:
            guard event.item.pixel != nil else { return omissions.motions += 1 }
            begin("move", event.time)
            pixel(event.item.pixel)
        case .gap(_, _, nil):
            begin("pause", event.time)
            text.append("}\n")
            begin("resume", event.end)
        case .focus, .gap, .device, .screen, .demonstration: return
        }
        text.append("}\n")
    }

    /// Appends the pixel if it is known.
    private mutating func pixel(_ pixel: Pixel?) {
        guard let pixel else { return }
        text.append(",\"x\":\(pixel.x),\"y\":\(pixel.y)")
    }

    private mutating func begin(_ action: String, _ time: WallTime) {
        let milliseconds = time.milliseconds % 1000
        let zeros = milliseconds < 10 ? "00" : milliseconds < 100 ? "0" : ""
        text.append("{\"time_stamp\":\(time.milliseconds / 1000).\(zeros)\(milliseconds)")
        text.append(",\"action\":\"\(action)\"")
    }
}
