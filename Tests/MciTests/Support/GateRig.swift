// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// A gate with its outputs collected.
final class GateRig {
    var gate = Gate(stopped: EventTime(0))
    var outputs: [GateOutput] = []
    var conditions = GateRig.open

    static var open: Gate.Conditions {
        var conditions = Gate.Conditions()
        conditions.hasConsent = true
        conditions.isSound = true
        conditions.hasSpace = true
        conditions.isConnected = true
        conditions.isAwake = true
        conditions.isMarked = true
        // Each key by itself; runs of text have tests of their own (TypingTests).
        conditions.keyDetail = .classes
        return conditions
    }

    init(_ conditions: Gate.Conditions = GateRig.open, app: String? = "Editor") {
        self.conditions = conditions
        set(at: 0) { _ in }
        if let app { enter(.app(app), at: 0) }
        outputs = []
    }

    func set(at time: Int64, _ change: (inout Gate.Conditions) -> Void) {
        change(&conditions)
        var new: [GateOutput] = []
        gate.set(conditions, at: EventTime(time)) { new.append($0) }
        outputs += new
    }

    func enter(
        _ context: AppContext,
        at time: Int64,
        _ streams: [InputStream] = [.keyboard, .pointer]
    ) {
        var new: [GateOutput] = []
        for stream in streams {
            _ = gate.take(.context(context, stream: stream, at: EventTime(time))) { new.append($0) }
        }
        outputs += new
    }

    func use(_ restrictions: Restrictions, at time: Int64) {
        let minute = WeekMinute(day: 0, minuteOfDay: 720)
        gate.use(restrictions, at: minute, from: EventTime(time)) { outputs.append($0) }
    }

    func use(devices: [UInt8: String]) {
        _ = gate.take(.devices(devices.mapValues { Device(name: $0) })) { outputs.append($0) }
    }

    func use(_ devices: [UInt8: Device]) {
        _ = gate.take(.devices(devices)) { outputs.append($0) }
    }

    func recordClosure(until time: Int64) {
        gate.recordClosure(until: EventTime(time)) { outputs.append($0) }
    }

    @discardableResult
    func take(_ payload: RawEvent.Payload, at time: Int64, device: UInt8 = 3) -> Bool {
        var stream = InputStream.pointer
        if case .key = payload { stream = .keyboard }
        let raw = RawEvent(time: EventTime(time), device: device, payload: payload)
        var new: [GateOutput] = []
        let isAdmitted = gate.take(.input(raw, stream: stream)) { new.append($0) }
        outputs += new
        return isAdmitted ?? false
    }

    @discardableResult
    func key(
        _ code: UInt8,
        down: Bool,
        _ keyClass: KeyClass = .letter,
        _ modifiers: Modifiers = [],
        keysym: UInt32 = 0x61,
        at time: Int64 = 10,
        device: UInt8 = 3
    ) -> Bool {
        take(
            .key(
                RawEvent.Key(
                    keycode: code,
                    isDown: down,
                    keyClass: keyClass,
                    modifiers: modifiers,
                    keysym: keysym
                )
            ),
            at: time,
            device: device
        )
    }

    var gaps: [Gap] {
        outputs.compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
    }

    var keys: [StoredKey] {
        outputs.compactMap {
            if case .event(let event) = $0, case .key(let key) = event.payload { key } else { nil }
        }
    }

    var foci: [AdmittedFocus] {
        outputs.compactMap { if case .focus(let focus) = $0 { focus } else { nil } }
    }

    var events: [AdmittedEvent] {
        outputs.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }
}

extension MotionRun {
    /// A run as a test wants it.
    init(of device: UInt8, _ steps: [(time: Int64, dx: Int32, dy: Int32)]) {
        self.init(of: device)
        self.steps = steps.map { Step(time: EventTime($0.time), dx: $0.dx, dy: $0.dy) }
    }
}
