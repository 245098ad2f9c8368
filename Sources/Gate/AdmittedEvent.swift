// SPDX-License-Identifier: Apache-2.0

package import Events

/// Input that the gate admitted, reduced to what may be stored.
///
/// Only this module can create one, so its existence proves that the gate was open.
package struct AdmittedEvent: Sendable, BitwiseCopyable, Redacted {
    /// What happened, without the withheld parts.
    package typealias Payload = InputPayload<StoredKey, TypedKey>

    /// A key of a typing run: of text or, at `activity`, any key.
    ///
    /// The event's time is the beginning of its step, and only the first key of each step is
    /// emitted. Held-back keys of injected devices have runs of their own, which other input does
    /// not end.
    package struct TypedKey: Sendable, BitwiseCopyable, Redacted {
        /// Whether it extends the run before it, if that is still open.
        package var continues: Bool
        /// Whether a program sent it.
        package var isInjected: Bool
    }

    /// The time to store; the end of a preceding typing run may have replaced the actual one.
    package let time: EventTime
    /// The XInput2 id of the source device.
    package let device: UInt8
    /// What happened.
    package let payload: Payload
    /// The pointer's pixel after the event; nil if it is not certain.
    package let pixel: Pixel?

    init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }
}

/// A run of motions of one device that the gate admitted, like an ``AdmittedEvent`` each.
package struct AdmittedMotions: Sendable, Redacted {
    /// The XInput2 id of the source device.
    package let device: UInt8
    /// At least one motion, in stream order.
    package let steps: [MotionRun.Step]

    init(_ run: MotionRun) {
        (device, steps) = (run.device, run.steps)
    }

    /// The motion at an index, as a single event.
    package func event(at index: Int) -> AdmittedEvent {
        let step = steps[index]
        let payload = AdmittedEvent.Payload.motion(dx: step.dx, dy: step.dy)
        return AdmittedEvent(time: step.time, device: device, payload: payload)
    }
}

/// An application that came to the front while the gate was open.
package struct AdmittedFocus: Sendable, Redacted {
    /// The time of the change, or a moment before it.
    package let time: EventTime
    /// The class of WM_CLASS; empty if what is in front is left out or has no owner.
    package let app: String
    /// The title; nil unless titles are stored.
    package let title: String?

    init(time: EventTime, app: String, title: String?) {
        self.time = time
        self.app = app
        self.title = title
    }
}

/// The description of a device with admitted events; other devices are never described.
package struct AdmittedDevice: Sendable, Redacted {
    /// The XInput2 id.
    package let id: UInt8
    /// The device; nil if no current device has the id.
    package let device: Device?

    init(id: UInt8, device: Device?) {
        self.id = id
        self.device = device
    }
}

/// The desktop layout at a time at which events are admitted.
package struct AdmittedScreen: Sendable, Redacted {
    /// The desktop with its monitors.
    package let screen: ScreenLayout

    init(_ screen: ScreenLayout) {
        self.screen = screen
    }
}

/// The receiver of the gate's outputs.
package protocol GateSink: ~Copyable {
    /// Takes the next output, in the order in which it is to be stored.
    mutating func take(_ output: GateOutput)
    /// Receives an event, the most frequent output.
    mutating func take(_ event: AdmittedEvent)
}

extension GateSink where Self: ~Copyable {
    /// Receives an event as an output.
    package mutating func take(_ event: AdmittedEvent) {
        take(.event(event))
    }
}

extension AdmittedEvent {
    /// Whether open typing runs end before this event.
    ///
    /// Other events leave a run open: their position relative to a closed run would reveal key
    /// times.
    package var endsRuns: Bool {
        switch payload {
        case .key, .button: true
        case .touch(let touch): touch.phase == .down
        default: false
        }
    }
}

/// An output of the gate, in the order in which it is to be stored.
package enum GateOutput: Sendable, Redacted {
    /// An input event.
    case event(AdmittedEvent)
    /// A change of the application in front.
    case focus(AdmittedFocus)
    /// A period in which input was omitted.
    case gap(Gap)
    /// The description of a device, for its events that follow.
    case device(AdmittedDevice)
    /// The desktop layout, for the events that follow.
    case screen(AdmittedScreen)
}
