// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Replay

/// Which key is pressed for a keysym.
@Suite struct KeyMapTests {
    /// A small keyboard: each key's keysyms as the core protocol lists them, from keycode 8 on.
    private static let keys: [[UInt32]] = [
        [],
        [0x61, 0x41, 0x61, 0x41],  // 9: a A
        [0x32, 0x40, 0x32, 0x40],  // 10: 2 @
        [0x71, 0x51, 0x71, 0x51, 0x40],  // 11: q Q, with AltGr @
        [0xFF9C, 0xFFB1, 0xFF9C, 0xFFB1],  // 12: End 1 of the numeric block
        [0x3C, 0x3E, 0x3C, 0x3E],  // 13: < >
        [0x2C, 0x3C, 0x2C, 0x3C],  // 14: , <
        [0xFFE1],  // 15: Shift
        [],
    ]

    private let map = KeyMap(
        first: 8,
        width: 5,
        keysyms: keys.flatMap { $0 + [UInt32](repeating: 0, count: 5 - $0.count) }
    )

    @Test(
        arguments: [
            (0x61, [], 9), (0x41, [.shift], 9), (0x41, [.lock], 9), (0x61, [.lock, .shift], 9),
            (0x41, [], nil), (0x61, [.shift], nil), (0x32, [.lock], 10),
            (0x40, [.shift], 10), (0x40, [.level3], 11), (0x40, [], nil),
            (0xFFB1, [.numLock], 12), (0xFF9C, [], 12), (0xFFB1, [.shift], 12), (0xFFB1, [], nil),
            (0xFF9C, [.numLock, .shift], 12),
            (0x3C, [], 13), (0x3C, [.shift], 14), (0x3E, [.shift], 13),
            (0xFFE1, [], 15), (0xFFE1, [.shift], 15), (0xFFE1, [.level3, .control], 15),
            (0x6C1, [], nil),
        ] as [(UInt32, Modifiers, UInt8?)]
    )
    func `a key is one that writes the same under the same modifiers`(
        keysym: UInt32,
        modifiers: Modifiers,
        keycode: UInt8?
    ) {
        #expect(map.keycode(for: WantedKey(keysym, modifiers)) == keycode)
    }

    @Test func `keys that stand for nothing are spare`() {
        #expect(map.spares == [8, 16])
        #expect(map.keycode(holding: 0x40) == 10)
        #expect(map.keycode(holding: 0x6C1) == nil)
    }
}
