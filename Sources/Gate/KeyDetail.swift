// SPDX-License-Identifier: Apache-2.0

import Events

/// How much of a key is told, from nothing to everything.
package enum KeyDetail: String, CaseIterable, Comparable, Sendable {
    /// No key at all.
    case off
    /// That a key went down or up, and when.
    case timing
    /// The identity of keys that write no text and of chords with Ctrl, Alt or Super; of all other
    /// keys the class.
    case shortcuts
    /// Every key's identity: what is typed can be read back.
    case full

    /// From 0 for `off` to 3 for `full`, as stored in batches.
    package var rank: UInt8 {
        switch self {
        case .off: 0
        case .timing: 1
        case .shortcuts: 2
        case .full: 3
        }
    }

    package static func < (left: KeyDetail, right: KeyDetail) -> Bool {
        left.rank < right.rank
    }

    /// What may be told of a key that goes down; nil when nothing may.
    func admit(_ key: RawEvent.Key) -> AdmittedEvent.Key? {
        switch self {
        case .off: return nil
        case .timing:
            return AdmittedEvent.Key(isDown: true, keyClass: .key, modifiers: [], keysym: 0)
        case .shortcuts:
            return AdmittedEvent.Key(
                isDown: true,
                keyClass: key.keyClass,
                modifiers: key.modifiers,
                keysym: Self.identity(key)
            )
        case .full:
            return AdmittedEvent.Key(
                isDown: true,
                keyClass: key.keyClass,
                modifiers: key.modifiers,
                keysym: key.keysym
            )
        }
    }

    /// The keysym that may be told at `shortcuts`: 0 for whatever writes text.
    private static func identity(_ key: RawEvent.Key) -> UInt32 {
        guard key.keyClass.writesText else { return key.keysym }
        let isCommand =
            !key.modifiers.isDisjoint(with: .command) && !key.modifiers.contains(.level3)
        return isCommand && key.keyClass != .other ? key.shortcut : 0
    }
}
