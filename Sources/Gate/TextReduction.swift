// SPDX-License-Identifier: Apache-2.0

package import Events

/// Reduces stored input to what the detail `shortcuts` stores of it.
///
/// Upstream: a recording of any detail, in its order. Downstream: a release. Promise: text leaves it
/// as typing runs that depend on the steps of their first and last keys only, whatever the detail
/// was; input that is reduced already stays as it is, on steps of the clock that it is given.
package struct TextReduction: Redacted {
    /// What is left of the input.
    package enum Output: Sendable, Redacted {
        /// A key that writes no text, or one of a chord.
        case key(StoredKey, device: UInt8, time: EventTime)
        /// A typing run, in whole steps.
        case run(device: UInt8, begin: EventTime, end: EventTime)
    }

    private var typing = Typing()
    private var held = HeldKeys()
    private var openRun: (device: UInt8, begin: EventTime, end: EventTime)?
    /// The end of the last stored run, and where it was moved to.
    private var ends: (stored: EventTime, moved: EventTime)?
    /// Stands for the keycode, which is not stored: it pairs presses with releases.
    private var codes: [UInt32: UInt8] = [:]
    private var outputs: [Output] = []

    /// Creates a reduction that has seen nothing.
    package init() {}

    /// Takes what is to be stored now, in its order.
    package mutating func take() -> [Output] {
        defer { outputs = [] }
        return outputs
    }

    /// Handles a stored key.
    package mutating func key(_ key: StoredKey, device: UInt8, at time: EventTime) {
        let time = moved(time)
        guard key.isDown else { return release(key, device, time) }
        let raw = RawEvent.Key(
            keycode: code(of: key.keysym),
            isDown: true,
            keyClass: key.keyClass,
            modifiers: key.modifiers,
            keysym: key.keysym
        )
        let press = Typing.Press(keycode: raw.keycode, device: device, key: key, time: time)
        switch KeyDetail.shortcuts.role(of: raw) {
        case .text: type(device, time)
        case .editing where typing.isOpen(at: time): type(device, time)
        case .modifier:
            release(key, device, time)
            typing.wait(press)
        case .editing, .named:
            var press = press
            press.time = endRun(at: time)
            put(press)
        }
    }

    /// Handles a stored typing run, which is moved to the whole step before it.
    ///
    /// Its length stays. Where its steps began would reveal how long the machine had been on.
    package mutating func run(device: UInt8, from begin: EventTime, to end: EventTime) {
        emitRun()
        let moved = TypingRun.begin(of: begin)
        let last = EventTime(end.milliseconds &- (begin.milliseconds &- moved.milliseconds))
        typing.noteRun(endingAt: last)
        ends = (end, last)
        outputs.append(.run(device: device, begin: moved, end: last))
    }

    /// The time of an event after a stored run: what was stored at the run's end goes with it.
    private func moved(_ time: EventTime) -> EventTime {
        if let ends, time <= ends.stored { return ends.moved }
        return time
    }

    /// Ends the run for a button, a finger or a wheel motion under modifiers.
    ///
    /// - Returns: The time at which the event is stored.
    package mutating func endRun(at time: EventTime) -> EventTime {
        let time = moved(time)
        typing.end()
        emitRun()
        let stored = typing.stored(time)
        for modifier in typing.serve(at: stored) { put(modifier) }
        return stored
    }

    /// Whether a wheel motion ends the run, because modifiers are down.
    package var isChord: Bool { typing.servesWheel || held.hasModifier }

    /// Ends the run if its time is over before an event that leaves it open, such as a motion.
    package mutating func pass(_ time: EventTime) {
        guard let run = openRun, time.milliseconds >= run.end.milliseconds &+ TypingRun.patience
        else {
            return
        }
        emitRun()
    }

    /// Ends everything, at a change of focus, a gap or the end.
    package mutating func drop(at time: EventTime) {
        emitRun()
        for event in held.releaseAll(at: typing.stored(time)) { emit(event) }
        typing.drop()
        ends = nil
    }

    private mutating func type(_ device: UInt8, _ time: EventTime) {
        for event in held.releaseAll(at: typing.served) { emit(event) }
        guard let typed = typing.type(at: time) else { return }
        let end = TypingRun.end(of: typed.step)
        if typed.continues, let run = openRun {
            openRun = (run.device, run.begin, max(run.end, end))
        } else {
            emitRun()
            openRun = (device, typed.step, end)
        }
    }

    private mutating func emitRun() {
        guard let run = openRun else { return }
        openRun = nil
        outputs.append(.run(device: run.device, begin: run.begin, end: run.end))
    }

    private mutating func put(_ press: Typing.Press) {
        let release = held.release(press.keycode, device: press.device, at: press.time)
        if let release { emit(release) }
        held.press(press.keycode, device: press.device, press.key)
        outputs.append(.key(press.key, device: press.device, time: press.time))
    }

    private mutating func release(_ key: StoredKey, _ device: UInt8, _ time: EventTime) {
        let code = code(of: key.keysym)
        let alone = typing.release(code, device: device)
        if let alone {
            emitRun()
            put(alone)
        }
        let stored = typing.stored(time)
        let hasServed = alone == nil && held.isModifier(code, device: device)
        let event = held.release(code, device: device, at: hasServed ? typing.served : stored)
        guard let event else { return }
        if !hasServed { typing.noteServed(stored) }
        emit(event)
    }

    private mutating func emit(_ event: AdmittedEvent) {
        guard case .key(let key) = event.payload else { return }
        outputs.append(.key(key, device: event.device, time: event.time))
    }

    private mutating func code(of keysym: UInt32) -> UInt8 {
        if let code = codes[keysym] { return code }
        let code = UInt8(truncatingIfNeeded: codes.count)
        codes[keysym] = code
        return code
    }
}
