// SPDX-License-Identifier: Apache-2.0

package import Events

/// Input that the gate let through, reduced to what may be stored.
///
/// It has no initialiser outside this module: to hold one is the proof that the gate was open.
package struct AdmittedEvent: Sendable, BitwiseCopyable, Redacted {
    /// What happened, without what was withheld.
    package enum Payload: Sendable, BitwiseCopyable, Redacted {
        case key(Key)
        /// A key of a run of text or, at `activity`, of any keys; the event's time is the step in which
        /// it came. Only the first one of each step is told. Keys of injected devices that are told no
        /// more of have runs of their own, which nothing ends but a gap or a change of focus.
        case typing(continues: Bool, isInjected: Bool)
        case button(number: UInt8, isDown: Bool)
        case motion(dx: Int32, dy: Int32)
        case scroll(dx: Int32, dy: Int32)
        case axes(AxisValues)
        case touch(Touch)
    }

    /// A key as far as the key detail tells it; the keycode is never told.
    package struct Key: Sendable, BitwiseCopyable, Redacted {
        package var isDown: Bool
        package var keyClass: KeyClass
        package var modifiers: Modifiers
        /// 0 where the identity is withheld.
        package var keysym: UInt32
    }

    package let time: EventTime
    package let device: UInt8
    package let payload: Payload
    /// Where the pointer was after it, where that is certain.
    package let pixel: Pixel?

    init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }
}

/// Movements of one device that the gate let through, as ``AdmittedEvent`` is one.
package struct AdmittedMotions: Sendable, Redacted {
    package let device: UInt8
    /// At least one, in the order of the stream.
    package let steps: [MotionRun.Step]

    init(_ run: MotionRun) {
        (device, steps) = (run.device, run.steps)
    }

    /// One of them.
    package func event(at index: Int) -> AdmittedEvent {
        let step = steps[index]
        let payload = AdmittedEvent.Payload.motion(dx: step.dx, dy: step.dy)
        return AdmittedEvent(time: step.time, device: device, payload: payload)
    }
}

/// An application that came to the front while the gate was open.
package struct AdmittedFocus: Sendable, Redacted {
    package let time: EventTime
    package let app: String
    /// nil unless titles are stored.
    package let title: String?

    init(time: EventTime, app: String, title: String?) {
        self.time = time
        self.app = app
        self.title = title
    }
}

/// A device of which something was let through: one that is left out is not described either.
package struct AdmittedDevice: Sendable, Redacted {
    package let id: UInt8
    /// nil where nobody can say which device has the id.
    package let device: Device?

    init(id: UInt8, device: Device?) {
        self.id = id
        self.device = device
    }
}

/// The desktop at a time when something was let through.
package struct AdmittedScreen: Sendable, Redacted {
    package let screen: ScreenLayout

    init(_ screen: ScreenLayout) {
        self.screen = screen
    }
}

/// Takes what leaves the gate.
package protocol GateSink: ~Copyable {
    /// Takes the next output, in the order in which it is to be stored.
    mutating func take(_ output: GateOutput)
    /// Takes an event; of the outputs these are most.
    mutating func take(_ event: AdmittedEvent)
}

extension GateSink where Self: ~Copyable {
    package mutating func take(_ event: AdmittedEvent) {
        take(.event(event))
    }
}

extension AdmittedEvent {
    /// Whether the runs of text that are open end in front of it.
    ///
    /// Whatever else comes among the keys of a run leaves it as it is: where it stood would tell of them.
    package var endsRuns: Bool {
        switch payload {
        case .key, .button: true
        case .touch(let touch): touch.phase == .down
        case .typing, .motion, .scroll, .axes: false
        }
    }
}

/// What leaves the gate, in the order in which it is to be stored.
package enum GateOutput: Sendable, Redacted {
    case event(AdmittedEvent)
    case focus(AdmittedFocus)
    case gap(Gap)
    /// What a device is, for the events of it that follow.
    case device(AdmittedDevice)
    /// What the desktop is, for the events that follow.
    case screen(AdmittedScreen)
}
