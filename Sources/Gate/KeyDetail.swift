// SPDX-License-Identifier: Apache-2.0

import Events

/// How much of a key is recorded, from nothing to everything.
package enum KeyDetail: String, CaseIterable, Comparable, Sendable {
    /// Records no keys.
    case off
    /// Records that keys were used, whichever they were, as typing runs.
    case activity
    /// Records text as typing runs, and the identity of keys without text and of chords with Ctrl,
    /// Alt or Super.
    case shortcuts
    /// Records class and time of each key that writes text, and the identity of all others.
    case classes
    /// Records every key's identity: typed text can be read back.
    case full

    /// The number that is stored in batches.
    ///
    /// 1 was `timing` in version 3 of the format, where 2 was called `shortcuts`.
    package var code: UInt8 {
        switch self {
        case .off: 0
        case .activity: 4
        case .shortcuts: 5
        case .classes: 2
        case .full: 3
        }
    }

    /// The name for a stored number; a number of a later version is shown as `detail-7`.
    package static func name(ofCode code: UInt8) -> String {
        if code == 1 { return "timing" }
        return allCases.first { $0.code == code }?.rawValue ?? "detail-\(code)"
    }

    /// Reads a stored setting; the former `timing` becomes the stricter `activity`.
    package init?(stored: String) {
        self.init(rawValue: stored == Self.formerName ? Self.activity.rawValue : stored)
    }

    /// The name of a removed detail, which stored the time of each key; times are content.
    package static let formerName = "timing"

    /// Whether text is stored as typing runs.
    package var hasRuns: Bool { self == .activity || self == .shortcuts }

    /// Whether it reveals more of a text than the default, so that it must be requested and
    /// expires.
    package var revealsText: Bool { self > .shortcuts }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Whether one detail records less than another.
    package static func < (left: KeyDetail, right: KeyDetail) -> Bool {
        left.rank < right.rank
    }

    /// The admitted part of a pressed key if each key is stored by itself; nil if nothing is
    /// admitted.
    func admit(_ key: RawEvent.Key) -> StoredKey? {
        guard revealsText else { return nil }
        return Self.reduced(key, self == .full ? key.keysym : Self.identity(key))
    }

    /// The role of a key with respect to a typing run.
    enum Role {
        /// It writes text, or it cannot be shown that it does not.
        case text
        /// It edits the text just written; without such text it is stored by itself.
        case editing(StoredKey)
        /// It is stored with the key, button or wheel motion that it modifies.
        case modifier(StoredKey)
        /// It is stored by itself.
        case named(StoredKey)
    }

    /// The role of a key at a detail that has runs.
    func role(of key: RawEvent.Key) -> Role {
        if self == .activity { return .text }
        if key.keyClass == .modifier { return .modifier(Self.reduced(key, key.keysym)) }
        let isKeypad = Self.namedKeypad.contains(key.keysym)
        let identity = isKeypad ? key.keysym : Self.identity(key)
        guard identity != 0 else { return .text }
        let reduced = Self.reduced(key, identity)
        guard Self.editing.contains(where: { $0.contains(key.keysym) }),
            key.modifiers.isDisjoint(with: [.alt, .super])
        else { return .named(reduced) }
        return .editing(reduced)
    }

    /// BackSpace, Delete, Home to End with the arrows and pages between them, and their keypad
    /// versions.
    private static let editing: [ClosedRange<UInt32>] = [
        0xFF08...0xFF08, 0xFFFF...0xFFFF, 0xFF50...0xFF57, 0xFF95...0xFF9C, 0xFF9F...0xFF9F,
    ]
    /// Keypad keys that write nothing: Tab, Enter, function keys, Home to Delete.
    private static let namedKeypad: ClosedRange<UInt32> = 0xFF89...0xFF9F

    private static func reduced(_ key: RawEvent.Key, _ keysym: UInt32) -> StoredKey {
        StoredKey(
            isDown: true,
            keyClass: key.keyClass,
            modifiers: key.modifiers,
            keysym: keysym
        )
    }

    /// The keysym that may be recorded of a key that is not text; 0 if it writes text.
    private static func identity(_ key: RawEvent.Key) -> UInt32 {
        guard key.keyClass.writesText else { return key.keysym }
        let isCommand =
            !key.modifiers.isDisjoint(with: .command) && !key.modifiers.contains(.level3)
        return isCommand && key.keyClass != .other ? key.shortcut : 0
    }
}
