// SPDX-License-Identifier: Apache-2.0

/// The function of a key, without its identity.
package enum KeyClass: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Nothing is known or stored about the key.
    case key = 0
    case letter
    case digit
    case punctuation
    case space
    /// A key of the numeric keypad, whatever it types.
    case keypad
    case modifier
    case navigation
    case editing
    case function
    /// A multimedia key: volume, brightness, play and the like.
    case media
    /// A symbol outside the classes above.
    case other

    /// The word for it in exports.
    package var name: String { "\(self)" }

    /// Whether such a key can write text, which makes its identity content.
    package var writesText: Bool {
        switch self {
        case .letter, .digit, .punctuation, .space, .keypad, .key, .other: true
        case .modifier, .navigation, .editing, .function, .media: false
        }
    }
}

/// The modifiers in effect when a key moved, named by function.
package struct Modifiers: OptionSet, Sendable, BitwiseCopyable {
    /// The bits as they are stored in batches (`Documentation/Format.md`, section 6).
    package let rawValue: UInt8

    /// Creates a set from stored bits.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Shift.
    package static let shift = Modifiers(rawValue: 1)
    /// Caps Lock.
    package static let lock = Modifiers(rawValue: 2)
    /// Ctrl.
    package static let control = Modifiers(rawValue: 4)
    /// Alt.
    package static let alt = Modifiers(rawValue: 8)
    /// Super, the logo key.
    package static let `super` = Modifiers(rawValue: 16)
    /// AltGr, which selects the third level of a layout.
    package static let level3 = Modifiers(rawValue: 32)
    /// Num Lock.
    package static let numLock = Modifiers(rawValue: 64)

    /// The modifiers that turn text into a command.
    package static let command: Modifiers = [.control, .alt, .super]

    private static let names = ["shift", "lock", "ctrl", "alt", "super", "altgr", "numlock"]

    /// The modifiers that export words name; unknown words are ignored.
    package static func all(named words: [String]) -> Modifiers {
        names.enumerated().reduce(into: Modifiers()) { result, name in
            if words.contains(name.element) {
                result.formUnion(Modifiers(rawValue: 1 << UInt8(name.offset)))
            }
        }
    }

    /// The words for exports, in bit order.
    package var words: [String] {
        Self.names.enumerated().filter { rawValue & (1 << $0.offset) != 0 }.map(\.element)
    }
}
