// SPDX-License-Identifier: Apache-2.0

/// One raw input event as the X server reported it, before the gate has decided anything.
package struct RawEvent: Sendable, BitwiseCopyable, Redacted {
    /// What happened, with the values of the device and not of the screen.
    package enum Payload: Sendable, BitwiseCopyable {
        case key(Key)
        /// A button, numbered as in the core protocol, without the wheel's 4 to 7.
        case button(number: UInt8, isDown: Bool)
        /// A movement in the device's own counts, unaccelerated.
        case motion(dx: Int32, dy: Int32)
        /// A turn of a wheel in 1/120 notch; down and right are positive.
        case scroll(dx: Int32, dy: Int32)
        /// Axes of a device that tells positions, or that has more than a movement and wheels.
        case axes(AxisValues)
        /// A finger; its event's place is where it is, not the pointer.
        case touch(Touch)
    }

    /// A key that moved.
    package struct Key: Sendable, BitwiseCopyable {
        /// The server's number of the key, 8 to 255: pairs presses with releases, never stored.
        package var keycode: UInt8
        package var isDown: Bool
        package var keyClass: KeyClass
        package var modifiers: Modifiers
        /// The X keysym under the layout, group and level in force; 0 is none.
        package var keysym: UInt32
        /// The keysym by which toolkits know the key in a command: Latin on every layout.
        ///
        /// 0 where the modifiers are those of text, so that no command is given.
        package var shortcut: UInt32

        /// A key; without `shortcut` a command names it as text does.
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

    package var time: EventTime
    /// The XInput2 id of the physical (source) device.
    package var device: UInt8
    package var payload: Payload
    /// Where the pointer was after it; nil where that is not told or not certain.
    package var pixel: Pixel?

    package init(time: EventTime, device: UInt8, payload: Payload, pixel: Pixel? = nil) {
        self.time = time
        self.device = device
        self.payload = payload
        self.pixel = pixel
    }

    /// A movement of a run.
    package init(_ step: MotionRun.Step, of device: UInt8) {
        let payload = Payload.motion(dx: step.dx, dy: step.dy)
        self.init(time: step.time, device: device, payload: payload)
    }
}

extension RawEvent.Payload: Redacted {}
extension RawEvent.Key: Redacted {}
