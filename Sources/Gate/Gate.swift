// SPDX-License-Identifier: Apache-2.0

package import Events

/// Decides what may be stored: closed unless provably open.
///
/// Upstream: capture. Downstream: packing. Promise: an event leaves only while every condition
/// holds, cut down to the key detail; what is left out becomes a gap with a reason and no count.
///
/// A pure state machine: no clock, no file, no C. The order of checks is consent, pause, session,
/// connection, context, then (with their own issue) exemption and exclusion, then key detail.
package struct Gate: Sendable {
    /// What the gate is told from outside; it starts with everything closed.
    package struct Conditions: Equatable, Sendable {
        /// A valid consent of this person, for this host and notice.
        package var hasConsent = false
        package var isPaused = false
        package var isLocked = false
        /// Controls, settings and ring can be used.
        package var isSound = false
        /// The disk has room to spare.
        package var hasSpace = false
        /// The X server is connected.
        package var isConnected = false
        package var keyDetail = KeyDetail.shortcuts

        package init() {}

        /// Why nothing may be recorded, the first reason in the order of checks; nil when it may.
        package var closedBy: GapReason? {
            if !isSound { return .fault }
            if !hasConsent { return .noConsent }
            if isPaused { return .paused }
            if isLocked { return .sessionLocked }
            if !hasSpace { return .diskFull }
            if !isConnected { return .disconnected }
            return nil
        }
    }

    /// Where a stream's input goes, and what is being left out of it.
    private struct Lane {
        var context = AppContext.unknown
        var gap: Gap?
    }

    package private(set) var conditions = Conditions()
    private var closure: Gap?
    private var keyboard = Lane()
    private var pointer = Lane()
    private var heldKeys = HeldKeys()
    private var toldApp: String?

    /// A closed gate.
    ///
    /// - Parameter stopped: when the daemon last ran, or now; the gap up to the first conditions is
    ///   one of not running.
    package init(stopped: EventTime) {
        closure = Gap(reason: .notRunning, from: stopped, to: stopped)
    }

    /// Changes the conditions.
    ///
    /// - Parameters:
    ///   - new: the conditions from `time` on.
    ///   - time: for a closing gate the moment up to which input was read.
    ///   - sink: takes what must be stored because of the change: releases of held keys, the gap
    ///     that has ended.
    package mutating func set(
        _ new: Conditions,
        at time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        let before = conditions.closedBy
        conditions = new
        guard new.closedBy != before || closure?.reason == .notRunning else { return }
        if before == nil { close(at: time, &sink) }
        endClosure(at: time, &sink)
        closure = new.closedBy.map { Gap(reason: $0, from: time, to: time) }
    }

    /// Puts the gap of a closed gate on record up to `time`, as before a stop; it goes on after.
    package mutating func recordClosure(
        until time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        guard let reason = closure?.reason else { return close(at: time, &sink) }
        endClosure(at: time, &sink)
        closure = Gap(reason: reason, from: time, to: time)
    }

    /// Takes the next event of a stream.
    ///
    /// - Parameters:
    ///   - event: the event, in the order of its stream.
    ///   - sink: takes what may be stored, in order.
    /// - Returns: whether an input event was admitted; nil for an event that is no input.
    package mutating func take(
        _ event: CaptureEvent,
        into sink: inout some GateSink & ~Copyable
    ) -> Bool? {
        switch event {
        case .context(let context, let stream, let time):
            enter(context, stream, at: time, &sink)
            return nil
        case .input(let raw, let stream):
            guard conditions.closedBy == nil else { return false }
            let context = stream == .keyboard ? keyboard.context : pointer.context
            switch context {
            case .unknown:
                drop(.unknownContext, stream, at: raw.time, &sink)
                return false
            case .grabbed:
                drop(.keyboardGrabbed, stream, at: raw.time, &sink)
                return false
            case .window: return admit(raw, &sink)
            }
        case .devices: return nil
        }
    }

    // MARK: Admission

    private mutating func admit(_ raw: RawEvent, _ sink: inout some GateSink & ~Copyable) -> Bool {
        let payload: AdmittedEvent.Payload
        switch raw.payload {
        case .motion(let dx, let dy): payload = .motion(dx: dx, dy: dy)
        case .scroll(let dx, let dy): payload = .scroll(dx: dx, dy: dy)
        case .button(let number, let isDown): payload = .button(number: number, isDown: isDown)
        case .key(let key):
            // A release may have been withheld: a new press implies it.
            let release = heldKeys.release(key.keycode, at: raw.time)
            if let release { sink.take(.event(release)) }
            guard key.isDown else { return release != nil }
            guard let admitted = conditions.keyDetail.admit(key) else { return false }
            heldKeys.press(key.keycode, device: raw.device, admitted)
            payload = .key(admitted)
        }
        sink.take(.event(AdmittedEvent(time: raw.time, device: raw.device, payload: payload)))
        return true
    }

    // MARK: Gaps

    private mutating func enter(
        _ context: AppContext,
        _ stream: InputStream,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        // What was in front while nothing was watched says nothing about later.
        guard conditions.closedBy == nil else { return }
        update(stream) { $0.context = context }
        switch context {
        case .unknown: break
        case .grabbed:
            // The server withholds the keys, so no drop would mark the gap.
            if stream == .keyboard { drop(.keyboardGrabbed, stream, at: time, &sink) }
        case .window(let window):
            endGap(stream, at: time, &sink)
            let app = window.app
            if stream == .keyboard, app != toldApp {
                toldApp = app
                sink.take(.focus(AdmittedFocus(time: time, app: app)))
            }
        }
    }

    private mutating func drop(
        _ reason: GapReason,
        _ stream: InputStream,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        let lane = stream == .keyboard ? keyboard : pointer
        if let gap = lane.gap, gap.reason == reason {
            update(stream) { $0.gap?.to = max(gap.to, time) }
            return
        }
        endGap(stream, at: time, &sink)
        if stream == .keyboard { releaseAll(at: time, &sink) }
        update(stream) { $0.gap = Gap(reason: reason, from: time, to: time, stream: stream) }
    }

    private mutating func endGap(
        _ stream: InputStream,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        let lane = stream == .keyboard ? keyboard : pointer
        guard var gap = lane.gap else { return }
        // A grab ends when the focus comes back; other gaps with the last event left out.
        if gap.reason == .keyboardGrabbed { gap.to = max(gap.to, time) }
        update(stream) { $0.gap = nil }
        sink.take(.gap(gap))
    }

    private mutating func update(_ stream: InputStream, _ change: (inout Lane) -> Void) {
        if stream == .keyboard { change(&keyboard) } else { change(&pointer) }
    }

    private mutating func releaseAll(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        for release in heldKeys.releaseAll(at: time) { sink.take(.event(release)) }
    }

    private mutating func close(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        for stream in InputStream.allCases { endGap(stream, at: time, &sink) }
        releaseAll(at: time, &sink)
        (keyboard, pointer, toldApp) = (Lane(), Lane(), nil)
    }

    private mutating func endClosure(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        guard var gap = closure else { return }
        gap.to = max(gap.from, time)
        if gap.to > gap.from { sink.take(.gap(gap)) }
        closure = nil
    }
}
