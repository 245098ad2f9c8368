// SPDX-License-Identifier: Apache-2.0

import Events

/// An event of the X server, cut down to what capture reads from it.
enum X11Event: BitwiseCopyable, Redacted {
    case rawKey(RawHeader, keycode: UInt8, isDown: Bool)
    case rawButton(RawHeader, number: UInt8, isDown: Bool)
    /// A movement, or a position, of axes 0 and 1: of events most are such.
    case rawMotion(RawHeader, Move)
    /// Also of other axes: wheels, pressure.
    case rawAxes(RawHeader, Axes)
    /// A finger on a touch device, which may move a pointer without a raw movement.
    case rawTouch(RawHeader, id: UInt32, Touch.Phase, Axes)
    case focusIn(window: UInt, mode: FocusMode, detail: FocusDetail)
    case focusOut(window: UInt, mode: FocusMode, detail: FocusDetail)
    /// The pointer came into a window or into one inside it.
    case entered(window: UInt, mode: FocusMode, detail: FocusDetail, at: Pixel)
    /// The pointer left a window, or went into one inside it.
    case left(window: UInt, mode: FocusMode, detail: FocusDetail, at: Pixel)
    case created(window: UInt, parent: UInt)
    case destroyed(window: UInt)
    case unmapped(window: UInt)
    case reparented(window: UInt, parent: UInt)
    /// It was shown, moved, given another size or shape, or put above or below others.
    case rearranged(window: UInt)
    case propertyChanged(window: UInt, Property)
    /// Of a master keyboard.
    case modifiersChanged(keyboard: UInt8, HeldModifiers)
    /// What the keys of a device with these numbers stand for; its whole map may be another one's.
    case keyMapChanged(device: UInt8, keycodes: ByteSet, isReplaced: Bool)
    /// Controls of a keyboard, like those of AccessX, are these from here on.
    case keyboardControls(device: UInt8, enabled: UInt32)
    /// These came, went, or were moved or switched.
    case devicesChanged(ByteSet)
    /// Buttons of a pointer or a device have other numbers for programs.
    case buttonMapChanged
    /// The desktop or a monitor.
    case screenChanged
    case other

    /// Whether somebody typed, clicked or moved.
    var isInput: Bool {
        switch self {
        case .rawMotion, .rawAxes, .rawKey, .rawButton: true
        default: false
        }
    }

    /// Whether it says that a map of buttons is another one now.
    var isButtonMapChange: Bool {
        if case .buttonMapChanged = self { true } else { false }
    }

    /// Where and how the pointer came into or left a window.
    var crossing: (pixel: Pixel, mode: FocusMode, isEntry: Bool)? {
        switch self {
        case .entered(_, let mode, _, let pixel): (pixel, mode, true)
        case .left(_, let mode, _, let pixel): (pixel, mode, false)
        default: nil
        }
    }

    /// What all raw events carry.
    struct RawHeader: BitwiseCopyable {
        /// The server's clock in milliseconds.
        var time: UInt32
        /// The physical device.
        var device: UInt8
        /// The pointer or keyboard of the screen that it moves or types for.
        var master: UInt8
        /// Whether the server made the event up from another one, like a button from a wheel.
        var isEmulated: Bool
    }

    /// The values of axes 0 and 1.
    struct Move: BitwiseCopyable {
        /// Bit n: axis n has a value.
        var present: UInt8 = 0
        /// As the device counts them.
        var raw = (x: 0.0, y: 0.0)
        /// What the server made of them: after acceleration, or after a transformation of positions.
        var accelerated = (x: 0.0, y: 0.0)

        /// Whether the server made whole pixels of them.
        var isWhole: Bool { accelerated.x.isWhole && accelerated.y.isWhole }
    }

    /// The values of the first eight axes.
    struct Axes: BitwiseCopyable {
        /// Bit n: axis n has a value.
        var present: UInt8 = 0
        /// Of axes 0 and 1.
        var move = Move()
        /// Of axes 2 to 7, as the device counts them.
        var others = InlineArray<6, Double>(repeating: 0)

        subscript(axis: Int) -> Double? {
            guard present & (1 << axis) != 0 else { return nil }
            return axis > 1 ? others[axis - 2] : axis == 0 ? move.raw.x : move.raw.y
        }

        /// The values of a finger.
        ///
        /// Where it is comes from what the server made of the axes: an axis that the driver left out
        /// would be 0 else (xserver, GetTouchEvents).
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

    /// The modifiers and the group in force on a keyboard.
    struct HeldModifiers: BitwiseCopyable {
        var modifiers: UInt8 = 0
        var group: UInt8 = 0
    }

    /// The properties of a window that say whose it is.
    enum Property {
        /// WM_CLASS, WM_TRANSIENT_FOR, or the process.
        case identity
        case title
    }

    /// The mode of a focus or crossing event (X11 protocol, FocusIn and EnterNotify).
    enum FocusMode {
        case plain
        case grab
        case ungrab
    }

    /// Where the focus or the pointer went, seen from the window that is told.
    enum FocusDetail {
        /// To or from this very window.
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
    /// Whether there is no fraction; for what the wire tells, 32 bits and as many of a fraction.
    var isWhole: Bool {
        // From here on to twice as much doubles are whole, so that adding rounds.
        let big = 0x1.8p52
        return (self + big) - big == self
    }
}
