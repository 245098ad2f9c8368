// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Timeline

/// How much input was recorded, by kind; JSON has these names.
package struct InputCounts: Equatable, Sendable, Encodable {
    /// Key presses: chords and other named keys, and at `classes` and `full` those of text.
    package var keyPresses = 0
    /// Key presses with Ctrl, Alt or Super, which are among ``keyPresses``.
    package var chords = 0
    /// Typing runs.
    package var typingRuns = 0
    /// Seconds of typing runs, in whole steps.
    package var typingSeconds = 0
    /// Presses of buttons.
    package var clicks = 0
    /// Presses of buttons whose pixel is known.
    package var clicksWithPixel = 0
    /// Scroll events.
    package var wheelTurns = 0
    /// Motions, and valuators of pens.
    package var movements = 0
    /// Fingers that came down.
    package var touches = 0
    /// All events of input, releases too.
    package var events = 0
    /// The length of all motions in counts of the device, before acceleration.
    package var distance = 0.0

    private enum CodingKeys: CodingKey {
        case keyPresses, chords, typingRuns, typingSeconds, clicks, clicksWithPixel, wheelTurns,
            movements, touches, events
    }

    /// Counts nothing yet.
    package init() {}

    /// Counts an event of input.
    @inline(__always)
    mutating func add(_ event: RecordedEvent) {
        guard case .input(let input) = event.item.payload else { return }
        events += 1
        switch input {
        case .motion(let dx, let dy):
            movements += 1
            let (x, y) = (Double(dx), Double(dy))
            distance += (x * x + y * y).squareRoot()
        case .key(let key):
            guard key.isDown else { return }
            keyPresses += 1
            let isHeld = !key.modifiers.isDisjoint(with: .command)
            if isHeld, key.keyClass != .modifier { chords += 1 }
        case .typing:
            typingRuns += 1
            typingSeconds += Int(event.item.seconds)
        case .button(_, let isDown):
            guard isDown else { return }
            clicks += 1
            if event.item.pixel != nil { clicksWithPixel += 1 }
        case .scroll: wheelTurns += 1
        case .axes: movements += 1
        case .touch(let touch): if touch.phase == .down { touches += 1 }
        }
    }

    /// Adds the counts of other events.
    package mutating func add(_ other: InputCounts) {
        keyPresses += other.keyPresses
        chords += other.chords
        typingRuns += other.typingRuns
        typingSeconds += other.typingSeconds
        clicks += other.clicks
        clicksWithPixel += other.clicksWithPixel
        wheelTurns += other.wheelTurns
        movements += other.movements
        touches += other.touches
        events += other.events
        distance += other.distance
    }
}
