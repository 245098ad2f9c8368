// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Person
import Synchronization
import Timeline

extension Scenario {
    /// What is done.
    enum Step: Sendable {
        // Windows.
        case window(String, in: String)
        case title(String, String)
        /// Another window gets the keyboard, or none.
        case focus(String?)

        // Input.
        case type(String, byProgram: Bool = false)
        case press(Chord, byProgram: Bool = false)
        case hold(Chord)
        case letGo(Chord)
        case click(UInt8, in: String)
        case scroll(Direction, in: String)
        case move(in: String)

        // Other programs.
        case grab(Bool)
        /// A program asks for a password in a terminal, or has read it.
        case prompt(in: String, Bool)
        /// A program hides the mark, or the mark can be seen again.
        case mark(isSeen: Bool)
        /// The companion reports why nothing may be recorded, or that it may.
        case attend([String])
        /// The companion is gone.
        case companionEnds

        // Time.
        case wait(milliseconds: Int64)
        case waitUntil(WeekMinute)
        case sleep(milliseconds: Int64)

        // The person.
        case noConsentYet
        case consent
        case withdraw
        case pause(seconds: Int?)
        case resume
        case exempt(Scope?, seconds: Int?)
        case answer(Int, String)
        case exclude(ExcludeCall)
        case keyDetail(KeyDetail)
        case syntheticKeys(Bool)
        case titles(Bool)
        case forgetEverything

        // Whoever deploys mci: a field of the policy in JSON.
        case policy(String)

        // The recorder.
        case kill
        case stop
        case start

        enum Direction: String, Sendable {
            case up, down, left, right

            /// The button that a wheel is in the core protocol.
            var button: UInt32 {
                switch self {
                case .up: 4
                case .down: 5
                case .left: 6
                case .right: 7
                }
            }

            /// In 1/120 notch.
            var turn: (dx: Int32, dy: Int32) {
                switch self {
                case .up: (0, -120)
                case .down: (0, 120)
                case .left: (-120, 0)
                case .right: (120, 0)
                }
            }
        }

        /// Whether it takes a clock or a program that a test cannot have.
        var isPureOnly: Bool {
            switch self {
            case .waitUntil, .sleep, .prompt, .mark, .attend, .companionEnds: true
            case .wait(let time): time > 5000
            case .pause(let seconds): seconds != nil
            case .exempt(_, let seconds): seconds != nil
            default: false
            }
        }

        /// Whether it is a key that hands press.
        var isByHand: Bool {
            switch self {
            case .type(_, byProgram: false), .press(_, byProgram: false), .hold, .letGo: true
            default: false
            }
        }
    }
}

// MARK: The grammar

extension Scenario.Step {
    /// The words of a step, and what they mean; nil where the rest of the line has no meaning.
    ///
    /// NAME is a window's application, KEY a chord such as `Ctrl+S`, TIME such as `3s`, `2h`; TEXT goes to the
    /// end of the line.
    private static let forms: [(words: String, meaning: @Sendable ([String]) -> Scenario.Step?)] = [
        ("window NAME in NAME", { .window($0[0], in: $0[1]) }),
        ("title NAME: TEXT", { .title($0[0], $0[1]) }),
        ("focus nothing", { _ in .focus(nil) }),
        ("focus NAME", { .focus($0[0]) }),

        ("type TEXT", { isTypable($0[0]) ? .type($0[0]) : nil }),
        ("press KEY", { Chord($0[0]).map { .press($0) } }),
        ("hold KEY", { Chord($0[0]).map { .hold($0) } }),
        ("let go KEY", { Chord($0[0]).map { .letGo($0) } }),
        ("a program types TEXT", { isTypable($0[0]) ? .type($0[0], byProgram: true) : nil }),
        ("a program presses KEY", { Chord($0[0]).map { .press($0, byProgram: true) } }),
        ("click NUMBER in NAME", { words in UInt8(words[0]).map { .click($0, in: words[1]) } }),
        (
            "scroll TEXT in NAME",
            { words in Direction(rawValue: words[0]).map { .scroll($0, in: words[1]) } }
        ),
        ("move in NAME", { .move(in: $0[0]) }),

        ("another program grabs the keyboard", { _ in .grab(true) }),
        ("the other program lets go of the keyboard", { _ in .grab(false) }),
        ("a program in NAME asks for a password", { .prompt(in: $0[0], true) }),
        ("the program in NAME has its password", { .prompt(in: $0[0], false) }),
        ("a program hides the mark", { _ in .mark(isSeen: false) }),
        ("the mark can be seen again", { _ in .mark(isSeen: true) }),
        ("the screen is locked", { _ in .attend(["locked"]) }),
        ("the computer is about to sleep", { _ in .attend(["asleep"]) }),
        ("another session is in front", { _ in .attend(["away"]) }),
        ("the session is the person's again", { _ in .attend([]) }),
        ("the companion runs", { _ in .attend([]) }),
        ("the companion ends", { _ in .companionEnds }),

        ("wait TIME", { seconds($0[0]).map { .wait(milliseconds: Int64($0) * 1000) } }),
        ("wait until TEXT", { WeekMinute($0[0]).map { .waitUntil($0) } }),
        (
            "the computer sleeps TIME",
            { seconds($0[0]).map { .sleep(milliseconds: Int64($0) * 1000) } }
        ),

        ("no consent yet", { _ in .noConsentYet }),
        ("give consent", { _ in .consent }),
        ("withdraw consent", { _ in .withdraw }),
        ("pause", { _ in .pause(seconds: nil) }),
        ("pause TIME", { seconds($0[0]).map { .pause(seconds: $0) } }),
        ("resume", { _ in .resume }),
        ("exempt everything", { _ in .exempt(nil, seconds: nil) }),
        ("exempt everything for TIME", { seconds($0[0]).map { .exempt(nil, seconds: $0) } }),
        (
            "exempt TEXT for TIME",
            { words in
                guard let scope = scope(words[0]), let time = seconds(words[1]) else { return nil }
                return .exempt(scope, seconds: time)
            }
        ),
        ("exempt TEXT", { scope($0[0]).map { .exempt($0, seconds: nil) } }),
        ("unexempt NUMBER", { Int($0[0]).map { .answer($0, "withdraw") } }),
        ("let exemption NUMBER end", { Int($0[0]).map { .answer($0, "acknowledge") } }),
        ("exclude TEXT", { scope($0[0]).map { .exclude(.init(add: $0)) } }),
        ("no longer exclude NAME", { .exclude(.init(remove: $0[0])) }),
        ("record only TEXT", { .exclude(.init(only: $0[0].components(separatedBy: ", "))) }),
        ("key detail NAME", { KeyDetail(rawValue: $0[0]).map { .keyDetail($0) } }),
        ("synthetic keys on", { _ in .syntheticKeys(true) }),
        ("store titles", { _ in .titles(true) }),
        ("forget everything", { _ in .forgetEverything }),

        ("policy: key detail NAME", { .policy("\"keyDetail\": \"\($0[0])\"") }),
        (
            "policy: record only TEXT",
            { words in
                let apps = words[0].components(separatedBy: ", ").map { "\"\($0)\"" }
                return .policy("\"only\": [\(apps.joined(separator: ", "))]")
            }
        ),
        ("policy: exclude app NAME", { .policy("\"exclude\": [{\"app\": \"\($0[0])\"}]") }),
        ("policy: no titles", { _ in .policy("\"titles\": false") }),
        ("policy: no synthetic keys", { _ in .policy("\"syntheticKeys\": false") }),

        ("kill the recorder", { _ in .kill }),
        ("stop the recorder", { _ in .stop }),
        ("start the recorder", { _ in .start }),
    ]

    /// The step of a line; nil where it is none.
    init?(_ line: String) {
        for form in Self.forms {
            guard let words = Words.match(line, form.words), let step = form.meaning(words) else {
                continue
            }
            self = step
            return
        }
        return nil
    }

    private static func isTypable(_ text: String) -> Bool { text.allSatisfy { Chord($0) != nil } }

    private static func seconds(_ text: String) -> Int? {
        guard let number = Int(text.dropLast()) else { return nil }
        return switch text.last {
        case "s": number
        case "m": number * 60
        case "h": number * 3600
        default: nil
        }
    }

    /// `app Signal title *x*`, `device *pad*`, `hours Mon-Fri 12:00-13:00`: names and what they are for.
    private static func scope(_ text: String) -> Scope? {
        var parts: [String: String] = [:]
        var name: String?
        for word in text.components(separatedBy: " ") {
            if ["app", "title", "device", "hours"].contains(word), parts[word] == nil {
                name = word
                parts[word] = ""
            } else if let name {
                parts[name] = [parts[name] ?? "", word].filter { !$0.isEmpty }
                    .joined(separator: " ")
            } else {
                return nil
            }
        }
        guard !parts.isEmpty, !parts.values.contains("") else { return nil }
        return Scope(
            app: parts["app"],
            title: parts["title"],
            device: parts["device"],
            during: parts["hours"]
        )
    }
}

/// Lines in words with gaps to fill.
enum Words {
    private static let gaps = [
        "NAME": "([A-Za-z0-9._*-]+)", "KEY": "([A-Za-z0-9+]+)", "TIME": "([0-9]+[smh])",
        "NUMBER": "([0-9]+)", "TEXT": "(.+)",
    ]

    private static func regex(of words: String) -> Regex<AnyRegexOutput>? {
        var pattern = ""
        for character in words {
            if #".\+*?()[]{}^$|/"#.contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
        for (gap, what) in gaps { pattern = pattern.replacingOccurrences(of: gap, with: what) }
        return try? Regex(pattern)
    }

    /// What fills the gaps; nil where the line is another one.
    static func match(_ line: String, _ words: String) -> [String]? {
        guard line.first == words.first || words.first?.isUppercase == true,
            let regex = regex(of: words)
        else { return nil }
        guard let match = try? regex.wholeMatch(in: line) else { return nil }
        return match.output.dropFirst().compactMap { $0.substring.map(String.init) }
    }
}

// MARK: Keys

/// A key with the modifiers that are held for it.
struct Chord: Sendable {
    /// What a person calls a modifier, and X's name of its left key.
    static let modifiers: [(word: String, name: String, bit: Modifiers)] = [
        ("Ctrl", "Control_L", .control), ("Alt", "Alt_L", .alt), ("Shift", "Shift_L", .shift),
        ("Super", "Super_L", .super),
    ]
    /// What a person calls a key that X calls otherwise.
    static let names = ["PageUp": "Prior", "PageDown": "Next", "Enter": "KP_Enter"]

    /// X's names of the modifiers, in the order in which they go down.
    let held: [String]
    /// X's name of the key, as it is without Shift.
    let name: String
    /// What the key writes or does without Shift.
    let keysym: UInt32

    /// Reads `Ctrl+S`, `Return`, `Shift`; nil for what is not a key here.
    init?(_ text: String) {
        var words = text.components(separatedBy: "+")
        guard let last = words.popLast() else { return nil }
        var held: [String] = []
        for word in words {
            guard let modifier = Self.modifiers.first(where: { $0.word == word }) else {
                return nil
            }
            held.append(modifier.name)
        }
        let modifier = Self.modifiers.first { $0.word == last }?.name
        let name = modifier ?? Self.names[last] ?? (last.count == 1 ? last.lowercased() : last)
        guard let keysym = KeysymName.numbers[name] else { return nil }
        (self.held, self.name, self.keysym) = (held, name, keysym)
    }

    /// The key that writes a character of a us keyboard.
    init?(_ character: Character) {
        guard let byte = character.asciiValue else { return nil }
        let written = UInt32(byte)
        let plain =
            written == 0x20
            ? 0x20
            : USLayout.keycode(written).flatMap {
                USLayout.keysym($0, [])
            }
        guard let plain else { return nil }
        held = plain == written ? [] : ["Shift_L"]
        (name, keysym) = (KeysymName.of(plain), plain)
    }

    /// What the key writes or does under modifiers.
    func keysym(under modifiers: Modifiers) -> UInt32 {
        USLayout.keycode(keysym).flatMap { USLayout.keysym($0, modifiers) } ?? keysym
    }
}
