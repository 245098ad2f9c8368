// SPDX-License-Identifier: Apache-2.0

/// One raw input event as the X server reported it, before the gate's decision.
package struct RawEvent: Sendable, BitwiseCopyable, Redacted {
    /// The kind of event with its values; text is not yet reduced to runs.
    package typealias Payload = InputPayload<Key, Never>

    /// A key press or release.
    package struct Key: Sendable, BitwiseCopyable {
        /// The X keycode, 8 to 255; it pairs presses with releases and is never stored.
        package var keycode: UInt8
        /// Whether the key was pressed; otherwise it was released.
        package var isDown: Bool
        /// The function of the key.
        package var keyClass: KeyClass
        /// The modifiers in effect at the event.
        package var modifiers: Modifiers
        /// The X keysym under the active layout, group and level; 0 for none.
        package var keysym: UInt32
        /// The keysym by which toolkits identify the key in a command: Latin on every layout.
        ///
        /// 0 if the modifiers are those of text, so that no command is given.
        package var shortcut: UInt32

        /// Creates a key event; without `shortcut`, commands use `keysym`.
        package init(
            keycode: UInt8,
            isDown: Bool,
            keyClass: KeyClass,
            modifiers: Modifiers,
            keysym: UInt32,
            shortcut: UInt32? = nil
        ) {
            self.keycode = keycode
            self.isDown = isDown
            self.keyClass = keyClass
            self.modifiers = modifiers
            self.keysym = keysym
            self.shortcut = shortcut ?? keysym
        }
    }

    /// The X server's timestamp, extended to 64 bits.
    package var time: EventTime
    /// The XInput2 id of the physical (source) device.
    package var device: UInt8
    /// What happened.
    package var payload: Payload
    /// The pointer's pixel after the event; nil if it is not reported or not certain.
    package var pixel: Pixel?

    /// Creates an event; without a pixel the pointer's position is not known.
    package init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }

    /// Creates the event for one motion of a run.
    package init(_ step: MotionRun.Step, of device: UInt8) {
        let payload = Payload.motion(dx: step.dx, dy: step.dy)
        self.init(time: step.time, device: device, payload: payload)
    }
}

extension RawEvent.Key: Redacted {}
