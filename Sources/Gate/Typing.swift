// SPDX-License-Identifier: Apache-2.0

import Events

/// The run of text that is open, and the modifiers that wait for what they serve.
///
/// It knows the time of the last key, which is never stored, and gives out steps.
struct Typing: Redacted {
    /// A modifier that is down and not stored.
    private struct Waiting: Redacted {
        var press: Press
        /// Text was written while it was down, or just before: it belongs to the run.
        var isOfRun: Bool

        func isOf(_ keycode: UInt8, _ device: UInt8) -> Bool {
            press.keycode == keycode && press.device == device
        }
    }

    /// A key that goes down and is told.
    struct Press: Redacted {
        var keycode: UInt8
        var device: UInt8
        var key: AdmittedEvent.Key
        var time: EventTime
    }

    /// When the last key of the open run came; nil while none is open.
    private var last: EventTime?
    /// The rounded end of the run that ended last.
    private var lastEnd = EventTime.distantPast
    /// The time at which the last key, button or turn of a wheel was stored that modifiers served.
    private(set) var served = EventTime.distantPast
    private var waiting: [Waiting] = []

    /// Whether an editing key that comes now belongs to the run.
    func isOpen(at time: EventTime) -> Bool {
        last.map { time.milliseconds - $0.milliseconds <= TypingRun.patience } ?? false
    }

    /// A key of a run comes.
    ///
    /// A pause within one step ends no run: two of the same step would tell of the pause.
    ///
    /// - Returns: the step, and whether it continues the run; nil where nothing new is told.
    mutating func type(at time: EventTime) -> (step: EventTime, continues: Bool)? {
        for index in waiting.indices { waiting[index].isOfRun = true }
        let step = TypingRun.begin(of: time)
        let before = last.map { TypingRun.begin(of: $0) }
        let continues = isOpen(at: time) || step == before
        last = max(last ?? time, time)
        if continues, let before, step.milliseconds <= before.milliseconds { return nil }
        return (step, continues)
    }

    /// A run ends where one is open: what is stored from now on is not earlier than its rounded end.
    mutating func end() {
        guard let last else { return }
        lastEnd = max(lastEnd, TypingRun.end(of: last))
        self.last = nil
    }

    /// The time at which a key or a button is stored that came at another time.
    ///
    /// What comes before the rounded end of a run, or soon behind it, would tell when the last letter was
    /// written: it has that end as its time. It depends on the step of that letter alone.
    func stored(_ time: EventTime) -> EventTime {
        let isSoon = time.milliseconds &- TypingRun.patience < lastEnd.milliseconds
        return lastEnd > .distantPast && isSoon ? lastEnd : time
    }

    /// A focus change, a gap or a closing gate: what waits is dropped.
    mutating func drop() {
        last = nil
        lastEnd = .distantPast
        waiting.removeAll()
    }

    // MARK: Modifiers

    /// A modifier goes down.
    mutating func wait(_ press: Press) {
        guard !waiting.contains(where: { $0.isOf(press.keycode, press.device) }) else { return }
        waiting.append(Waiting(press: press, isOfRun: isOpen(at: press.time)))
    }

    /// Forgets the modifiers of a device.
    mutating func forget(_ device: UInt8) {
        waiting.removeAll { $0.press.device == device }
    }

    /// Whether a modifier is down that is not stored and may serve a wheel: one that was pressed while text
    /// was written may be of the text.
    var servesWheel: Bool { waiting.contains { !$0.isOfRun } }

    /// Something that is stored at a time is served by all modifiers that are down.
    ///
    /// - Returns: those that are to be stored with it, in the order in which they went down.
    mutating func serve(at time: EventTime) -> [Press] {
        served = time
        defer { waiting.removeAll() }
        return waiting.map {
            var press = $0.press
            press.time = time
            return press
        }
    }

    /// A key that modifiers served goes up: they do not go up earlier.
    mutating func noteServed(_ time: EventTime) {
        served = max(served, time)
    }

    /// A modifier that waited goes up.
    ///
    /// - Returns: its press, where it was down by itself and outside of a run.
    mutating func release(_ keycode: UInt8, device: UInt8) -> Press? {
        guard let index = waiting.firstIndex(where: { $0.isOf(keycode, device) }) else {
            return nil
        }
        let modifier = waiting.remove(at: index)
        guard !modifier.isOfRun else { return nil }
        // It is stored by itself: a run whose time is over ends in front of it.
        end()
        var press = modifier.press
        press.time = stored(press.time)
        return press
    }
}
