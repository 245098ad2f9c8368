// SPDX-License-Identifier: Apache-2.0

/// What a key does, without saying which key it is.
package enum KeyClass: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Nothing is known or told about the key.
    case key = 0
    case letter
    case digit
    case punctuation
    case space
    /// A key of the numeric block, whatever it writes.
    case keypad
    case modifier
    case navigation
    case editing
    case function
    /// Volume, brightness, play, and the like.
    case media
    /// A symbol outside the classes above.
    case other

    /// The word in exports.
    package var name: String { "\(self)" }

    /// Whether such a key can write text, so that its identity is content.
    package var writesText: Bool {
        switch self {
        case .letter, .digit, .punctuation, .space, .keypad, .key, .other: true
        case .modifier, .navigation, .editing, .function, .media: false
        }
    }
}

/// The modifiers in force when a key moved, named for what they do.
package struct Modifiers: OptionSet, Sendable, BitwiseCopyable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let shift = Modifiers(rawValue: 1)
    package static let lock = Modifiers(rawValue: 2)
    package static let control = Modifiers(rawValue: 4)
    package static let alt = Modifiers(rawValue: 8)
    package static let `super` = Modifiers(rawValue: 16)
    /// AltGr, the third level of a layout.
    package static let level3 = Modifiers(rawValue: 32)
    package static let numLock = Modifiers(rawValue: 64)

    /// The modifiers that make a chord a command instead of text.
    package static let command: Modifiers = [.control, .alt, .super]

    private static let names = ["shift", "lock", "ctrl", "alt", "super", "altgr", "numlock"]

    /// The modifiers of some words in exports; words that are none are passed over.
    package static func all(named words: [String]) -> Modifiers {
        names.enumerated().reduce(into: Modifiers()) { result, name in
            if words.contains(name.element) {
                result.formUnion(Modifiers(rawValue: 1 << UInt8(name.offset)))
            }
        }
    }

    /// The words in exports, in the order of the bits.
    package var words: [String] {
        Self.names.enumerated().filter { rawValue & (1 << $0.offset) != 0 }.map(\.element)
    }
}
