// SPDX-License-Identifier: Apache-2.0

import Events

/// An event of the X server, reduced to what capture needs.
enum X11Event: BitwiseCopyable, Redacted {
    case rawKey(RawHeader, keycode: UInt8, isDown: Bool)
    case rawButton(RawHeader, number: UInt8, isDown: Bool)
    /// A motion or a position of axes 0 and 1, the most frequent event.
    case rawMotion(RawHeader, Move)
    /// Values that include other axes: wheels, pressure.
    case rawAxes(RawHeader, Axes)
    /// A touch, which may move a pointer without a raw motion.
    case rawTouch(RawHeader, id: UInt32, Touch.Phase, Axes)
    case focusIn(window: UInt, mode: FocusMode, detail: FocusDetail)
    case focusOut(window: UInt, mode: FocusMode, detail: FocusDetail)
    /// The pointer entered a window or one inside it.
    case entered(window: UInt, mode: FocusMode, detail: FocusDetail, at: Pixel)
    /// The pointer left a window, or entered one inside it.
    case left(window: UInt, mode: FocusMode, detail: FocusDetail, at: Pixel)
    case created(window: UInt, parent: UInt)
    case destroyed(window: UInt)
    case unmapped(window: UInt)
    case reparented(window: UInt, parent: UInt)
    /// The window was mapped, moved, resized, reshaped or restacked.
    case rearranged(window: UInt)
    case propertyChanged(window: UInt, Property)
    /// The modifiers or group of a master keyboard changed.
    case modifiersChanged(keyboard: UInt8, HeldModifiers)
    /// The keysyms of these keycodes changed; `isReplaced` says that the map may be another
    /// device's.
    case keyMapChanged(device: UInt8, keycodes: ByteSet, isReplaced: Bool)
    /// The enabled XKB controls of a keyboard, such as AccessX, changed.
    case keyboardControls(device: UInt8, enabled: UInt32)
    /// These devices came, went, moved to another master, or were enabled or disabled.
    case devicesChanged(ByteSet)
    /// The logical button numbers of a pointer or a device changed.
    case buttonMapChanged
    /// The desktop or a monitor changed.
    case screenChanged
    case other

    /// Whether it is a key, a button, a motion or a wheel; touches do not count.
    var isInput: Bool {
        switch self {
        case .rawMotion, .rawAxes, .rawKey, .rawButton: true
        default: false
        }
    }

    /// Whether it reports a change of a button map.
    var isButtonMapChange: Bool {
        if case .buttonMapChanged = self { true } else { false }
    }

    /// The pixel, mode and direction of a crossing; nil for other events.
    var crossing: (pixel: Pixel, mode: FocusMode, isEntry: Bool)? {
        switch self {
        case .entered(_, let mode, _, let pixel): (pixel, mode, true)
        case .left(_, let mode, _, let pixel): (pixel, mode, false)
        default: nil
        }
    }

    /// The fields common to all raw events.
    struct RawHeader: BitwiseCopyable {
        /// The server's timestamp in milliseconds.
        var time: UInt32
        /// The slave (physical) device.
        var device: UInt8
        /// The master device that it moves or types for.
        var master: UInt8
        /// Whether the server derived the event from another one, like a button from a wheel.
        var isEmulated: Bool
    }

    /// The values of axes 0 and 1.
    struct Move: BitwiseCopyable {
        /// A bit mask: bit n is set if axis n has a value.
        var present: UInt8 = 0
        /// The raw values, in device units.
        var raw = (x: 0.0, y: 0.0)
        /// The accelerated values: after acceleration, or after a transformation of positions.
        var accelerated = (x: 0.0, y: 0.0)

        /// Whether the accelerated values are whole pixels.
        var isWhole: Bool { accelerated.x.isWhole && accelerated.y.isWhole }
    }

    /// The values of the first eight axes.
    struct Axes: BitwiseCopyable {
        /// A bit mask: bit n is set if axis n has a value.
        var present: UInt8 = 0
        /// The values of axes 0 and 1.
        var move = Move()
        /// The raw values of axes 2 to 7, in device units.
        var others = InlineArray<6, Double>(repeating: 0)

        subscript(axis: Int) -> Double? {
            guard present & (1 << axis) != 0 else { return nil }
            return axis > 1 ? others[axis - 2] : axis == 0 ? move.raw.x : move.raw.y
        }

        /// The values of a touch.
        ///
        /// The position is taken from the transformed values: an axis that the driver omitted would
        /// otherwise be 0 (xserver, GetTouchEvents).
        var ofTouch: AxisValues {
            var values = AxisValues()
            for axis in AxisValues.axes {
                values[axis] = self[axis].map {
                    Int32(
                        near: axis == 0 ? move.accelerated.x : axis == 1 ? move.accelerated.y : $0
                    )
                }
            }
            return values
        }
    }

    /// The modifiers and the group in effect on a keyboard.
    struct HeldModifiers: BitwiseCopyable {
        var modifiers: UInt8 = 0
        var group: UInt8 = 0
    }

    /// The kinds of window properties that matter.
    enum Property {
        /// Properties that identify the application: WM_CLASS, WM_TRANSIENT_FOR, WM_STATE,
        /// WM_CLIENT_LEADER, WM_CLIENT_MACHINE, or the process id.
        case identity
        case title
    }

    /// The mode of a focus or crossing event (X11 protocol, FocusIn and EnterNotify).
    enum FocusMode {
        case plain
        case grab
        case ungrab
    }

    /// Where the focus or the pointer went, relative to the reported window.
    enum FocusDetail {
        /// To or from this window itself.
        case this
        /// From this window to one inside it.
        case inferior
        /// Through this window, to or from one inside it.
        case virtual
        /// The focus follows the pointer or is nowhere.
        case nowhere
    }
}

extension Double {
    /// Whether there is no fraction, for numbers with 32 integral and 32 fractional bits.
    var isWhole: Bool {
        // From here on to twice this value, doubles are integers, so that adding rounds.
        let big = 0x1.8p52
        return (self + big) - big == self
    }
}
