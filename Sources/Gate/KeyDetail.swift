// SPDX-License-Identifier: Apache-2.0

import Events

/// How much of a key is told, from nothing to everything.
package enum KeyDetail: String, CaseIterable, Comparable, Sendable {
    /// No key at all.
    case off
    /// That there were keys, whichever they were, as runs.
    case activity
    /// The identity of keys that write no text and of chords with Ctrl, Alt or Super; of text that
    /// there was some, as runs.
    case shortcuts
    /// Of keys that write text the class and the time of each; of all others the identity.
    case classes
    /// Every key's identity: what is typed can be read back.
    case full

    /// Its number in batches.
    ///
    /// 1 was `timing` in version 3 of the format, and 2 was called `shortcuts` there.
    package var code: UInt8 {
        switch self {
        case .off: 0
        case .activity: 4
        case .shortcuts: 5
        case .classes: 2
        case .full: 3
        }
    }

    /// What the number of a batch means, as it is shown; a later version's is shown by itself.
    package static func name(ofCode code: UInt8) -> String {
        if code == 1 { return "timing" }
        return allCases.first { $0.code == code }?.rawValue ?? "detail-\(code)"
    }

    /// What a stored choice means: `timing` of earlier versions is `activity` now, which is stricter.
    package init?(stored: String) {
        self.init(rawValue: stored == Self.formerName ? Self.activity.rawValue : stored)
    }

    /// What is no longer one: it told the time of each key, and times are content.
    package static let formerName = "timing"

    /// Whether text is told as runs.
    package var hasRuns: Bool { self == .activity || self == .shortcuts }

    /// Whether it tells more of a text than the default, so that it is asked for and ends by itself.
    package var revealsText: Bool { self > .shortcuts }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package static func < (left: KeyDetail, right: KeyDetail) -> Bool {
        left.rank < right.rank
    }

    /// What may be told of a key that goes down where each is told by itself; nil when nothing may.
    func admit(_ key: RawEvent.Key) -> AdmittedEvent.Key? {
        guard revealsText else { return nil }
        return Self.reduced(key, self == .full ? key.keysym : Self.identity(key))
    }

    /// What a key is to a run.
    enum Role {
        /// It writes text, or nobody can say that it does not.
        case text
        /// It edits what was written just before; its own name where nothing was.
        case editing(AdmittedEvent.Key)
        /// It is stored with what it serves.
        case modifier(AdmittedEvent.Key)
        case named(AdmittedEvent.Key)
    }

    /// What a key is to a run at a detail that has runs.
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

    /// BackSpace, Delete, Home to End with the arrows and pages between them, and those of the keypad.
    private static let editing: [ClosedRange<UInt32>] = [
        0xFF08...0xFF08, 0xFFFF...0xFFFF, 0xFF50...0xFF57, 0xFF95...0xFF9C, 0xFF9F...0xFF9F,
    ]
    /// Keys of the keypad that write nothing: Tab, Enter, functions, Home to Delete.
    private static let namedKeypad: ClosedRange<UInt32> = 0xFF89...0xFF9F

    private static func reduced(_ key: RawEvent.Key, _ keysym: UInt32) -> AdmittedEvent.Key {
        AdmittedEvent.Key(
            isDown: true,
            keyClass: key.keyClass,
            modifiers: key.modifiers,
            keysym: keysym
        )
    }

    /// The keysym that may be told of a key that is not text: 0 for whatever writes text.
    private static func identity(_ key: RawEvent.Key) -> UInt32 {
        guard key.keyClass.writesText else { return key.keysym }
        let isCommand =
            !key.modifiers.isDisjoint(with: .command) && !key.modifiers.contains(.level3)
        return isCommand && key.keyClass != .other ? key.shortcut : 0
    }
}
