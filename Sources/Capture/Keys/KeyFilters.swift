// SPDX-License-Identifier: Apache-2.0

import Events

/// The server's key filters (AccessX), which remove or replace keys that raw events still show.
///
/// SlowKeys and BounceKeys drop keys depending on their times, and overlays change keycodes. While
/// any keyboard uses one of them, it is unknown which keys programs get. MouseKeys makes the keypad
/// move the pointer, so its keys reach no program. StickyKeys only latches modifiers, which the
/// server reports like any others. RepeatKeys only repeats pressed keys.
struct KeyFilters {
    // XKB.h
    private static let slowKeys: UInt32 = 1 << 1
    private static let bounceKeys: UInt32 = 1 << 2
    private static let mouseKeys: UInt32 = 1 << 4
    private static let overlays: UInt32 = 1 << 10 | 1 << 11

    /// The enabled controls, by keyboard.
    private var enabled: [UInt8: UInt32] = [:]

    /// Replaces the controls of all keyboards from here on.
    mutating func use(_ enabled: [UInt8: UInt32]) {
        self.enabled = enabled
    }

    /// Replaces the controls of one keyboard from here on.
    mutating func use(_ controls: UInt32, of device: UInt8) {
        enabled[device] = controls
    }

    private var all: UInt32 { enabled.values.reduce(0, |) }

    /// Whether any key may be dropped or replaced.
    var hideKeys: Bool { all & (Self.slowKeys | Self.bounceKeys | Self.overlays) != 0 }

    /// Whether keys of the keypad move the pointer.
    var movePointer: Bool { all & Self.mouseKeys != 0 }

    /// Whether a key moves, or may move, the pointer instead of reaching a program.
    func hide(_ key: RawEvent.Key) -> Bool {
        guard movePointer else { return false }
        // The keypad, and the keysyms that name pointer actions (Pointer_Left, …).
        return key.keyClass == .keypad || (0xFF80...0xFFBD).contains(key.keysym)
            || (0xFEE0...0xFEFF).contains(key.keysym)
    }
}
