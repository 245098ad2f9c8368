// SPDX-License-Identifier: Apache-2.0

import Events

/// The filters of the server (AccessX) that take out or replace keys which raw events still show.
///
/// SlowKeys and BounceKeys swallow keys by their times, the overlays give a key another number: while
/// one of these is in force for any keyboard, nobody can say what programs get. MouseKeys makes the
/// keypad move the pointer: its keys reach no program. StickyKeys only latches modifiers, which the
/// server tells like any others, and RepeatKeys only adds to what was pressed.
struct KeyFilters {
    // XKB.h
    private static let slowKeys: UInt32 = 1 << 1
    private static let bounceKeys: UInt32 = 1 << 2
    private static let mouseKeys: UInt32 = 1 << 4
    private static let overlays: UInt32 = 1 << 10 | 1 << 11

    /// The controls in force, by keyboard.
    private var enabled: [UInt8: UInt32] = [:]

    /// There are these keyboards from here on.
    mutating func use(_ enabled: [UInt8: UInt32]) {
        self.enabled = enabled
    }

    /// The controls of a keyboard are others from here on.
    mutating func use(_ controls: UInt32, of device: UInt8) {
        enabled[device] = controls
    }

    private var all: UInt32 { enabled.values.reduce(0, |) }

    /// Whether any key may be swallowed or replaced.
    var hideKeys: Bool { all & (Self.slowKeys | Self.bounceKeys | Self.overlays) != 0 }

    /// Whether keys of the keypad move the pointer.
    var movePointer: Bool { all & Self.mouseKeys != 0 }

    /// Whether a key moves the pointer instead of reaching a program, or may.
    func hide(_ key: RawEvent.Key) -> Bool {
        guard movePointer else { return false }
        // The keypad, and the keys that are named for the pointer (Pointer_Left, …).
        return key.keyClass == .keypad || (0xFF80...0xFFBD).contains(key.keysym)
            || (0xFEE0...0xFEFF).contains(key.keysym)
    }
}
