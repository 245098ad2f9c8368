// SPDX-License-Identifier: Apache-2.0

import Events

/// The open typing run and the modifiers that wait for their use.
///
/// It keeps the time of the last key, which is never stored, and emits steps.
struct Typing: Redacted {
    /// A modifier that is down and not stored.
    private struct Waiting: Redacted {
        var press: Press
        /// Whether text was written while it was down or just before, so that it belongs to the
        /// run.
        var isOfRun: Bool

        func isOf(_ keycode: UInt8, _ device: UInt8) -> Bool {
            press.keycode == keycode && press.device == device
        }
    }

    /// A key press that is stored.
    struct Press: Redacted {
        var keycode: UInt8
        var device: UInt8
        var key: StoredKey
        var time: EventTime
    }

    /// The time of the last key of the open run; nil while none is open.
    private var last: EventTime?
    /// The rounded end of the last ended run.
    private var lastEnd = EventTime.distantPast
    /// The stored time of the last key, button or wheel motion that used modifiers.
    private(set) var served = EventTime.distantPast
    private var waiting: [Waiting] = []

    /// Whether an editing key at this time belongs to the run.
    func isOpen(at time: EventTime) -> Bool {
        last.map { time.milliseconds - $0.milliseconds <= TypingRun.patience } ?? false
    }

    /// Adds a key to a run.
    ///
    /// A pause within one step does not end a run: two runs in the same step would reveal the
    /// pause.
    ///
    /// - Returns: The step, and whether it continues the run; nil if nothing new is stored.
    mutating func type(at time: EventTime) -> (step: EventTime, continues: Bool)? {
        for index in waiting.indices { waiting[index].isOfRun = true }
        let step = TypingRun.begin(of: time)
        let before = last.map { TypingRun.begin(of: $0) }
        let continues = isOpen(at: time) || step == before
        last = max(last ?? time, time)
        if continues, let before, step.milliseconds <= before.milliseconds { return nil }
        return (step, continues)
    }

    /// Ends an open run; nothing stored from now on is earlier than the run's rounded end.
    mutating func end() {
        guard let last else { return }
        lastEnd = max(lastEnd, TypingRun.end(of: last))
        self.last = nil
    }

    /// Notes a run that was reduced before: what comes soon after it is stored at its end.
    mutating func noteRun(endingAt end: EventTime) {
        last = nil
        lastEnd = max(lastEnd, end)
    }

    /// The time at which to store a key or button that came at `time`.
    ///
    /// An event before the rounded end of a run, or soon after it, would reveal when the last
    /// letter was written. So it gets that end as its time, which depends only on the step of that
    /// letter.
    func stored(_ time: EventTime) -> EventTime {
        let isSoon = time.milliseconds &- TypingRun.patience < lastEnd.milliseconds
        return lastEnd > .distantPast && isSoon ? lastEnd : time
    }

    /// Drops the run and the waiting modifiers, at a focus change, a gap or a closing gate.
    mutating func drop() {
        last = nil
        lastEnd = .distantPast
        waiting.removeAll()
    }

    // MARK: Modifiers

    /// Handles a modifier press.
    mutating func wait(_ press: Press) {
        guard !waiting.contains(where: { $0.isOf(press.keycode, press.device) }) else { return }
        waiting.append(Waiting(press: press, isOfRun: isOpen(at: press.time)))
    }

    /// Forgets the modifiers of a device.
    mutating func forget(_ device: UInt8) {
        waiting.removeAll { $0.press.device == device }
    }

    /// Whether an unstored modifier is down that may modify a wheel motion.
    ///
    /// One that was pressed while text was written may belong to the text.
    var servesWheel: Bool { waiting.contains { !$0.isOfRun } }

    /// Lets all waiting modifiers modify an event that is stored at `time`.
    ///
    /// - Returns: The presses to store with it, in the order in which they went down.
    mutating func serve(at time: EventTime) -> [Press] {
        served = time
        defer { waiting.removeAll() }
        return waiting.map {
            var press = $0.press
            press.time = time
            return press
        }
    }

    /// Records the release of a key that used modifiers: they are not released earlier.
    mutating func noteServed(_ time: EventTime) {
        served = max(served, time)
    }

    /// Handles the release of a waiting modifier.
    ///
    /// - Returns: Its press, if it was pressed by itself and outside a run.
    mutating func release(_ keycode: UInt8, device: UInt8) -> Press? {
        guard let index = waiting.firstIndex(where: { $0.isOf(keycode, device) }) else {
            return nil
        }
        let modifier = waiting.remove(at: index)
        guard !modifier.isOfRun else { return nil }
        // It is stored by itself, so a run whose time is over ends before it.
        end()
        var press = modifier.press
        press.time = stored(press.time)
        return press
    }
}
