// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Packing
import Timeline

/// What is stored, a line each, as a scenario says it.
enum StoredLine {
    private static let scopes: [(scope: String, stream: Events.InputStream?)] = [
        ("left out", nil), ("keys left out", .keyboard), ("pointer left out", .pointer),
    ]

    private static let byProgram = " (by a program)"

    private static func word(_ reason: GapReason) -> String {
        reason.name.split(separator: "-").joined(separator: " ")
    }

    // MARK: Reading lines

    /// Whether a line could ever be true: one that is misspelt could not.
    ///
    /// - Parameters:
    ///   - line: of what is expected.
    ///   - names: of the windows that there are.
    /// - Returns: whether it could.
    static func isOne(_ line: String, windows names: [String]) -> Bool {
        if ["nothing", "moved"].contains(line) { return true }
        for form in ["clicked NUMBER in NAME", "clicked NUMBER"] {
            guard let words = Words.match(line, form) else { continue }
            return words.dropFirst().allSatisfy(names.contains)
        }
        for form in ["scrolled TEXT in NAME", "scrolled TEXT"] {
            guard let words = Words.match(line, form) else { continue }
            return Scenario.Step.Direction(rawValue: words[0]) != nil
                && words.dropFirst().allSatisfy(names.contains)
        }
        guard let colon = line.range(of: ": ", options: .backwards) else { return false }
        let (who, what) = (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
        if scopes.contains(where: { $0.scope == who }) {
            return GapReason.allCases.contains { word($0) == what }
        }
        let window = Words.match(who, "NAME") ?? Words.match(who, "NAME “TEXT”")
        guard let name = window?.first, names.contains(name) else { return false }
        return isKey(what.hasSuffix(byProgram) ? String(what.dropLast(byProgram.count)) : what)
    }

    private static func isKey(_ what: String) -> Bool {
        if ["in front", "typed"].contains(what) { return true }
        let classes = KeyClass.allCases.map(\.name)
        if let words = Words.match(what, "a NAME") { return classes.contains(words[0]) }
        if let words = Words.match(what, "a NAME with KEY") { return classes.contains(words[0]) }
        if let words = Words.match(what, "the NAME TEXT") {
            return classes.contains(words[0]) && KeysymName.numbers[words[1]] != nil
        }
        return Chord(what) != nil
    }

    // MARK: Making lines

    /// What was stored, in words.
    ///
    /// - Parameters:
    ///   - events: as they are read from the ring.
    ///   - windows: where they stood; a pixel is said by the window that is there.
    ///   - namesPrograms: whether it is said what programs typed.
    /// - Returns: the lines; a modifier that served something is told with that.
    static func lines(
        of events: [RecordedEvent],
        _ windows: WindowLayout,
        namesPrograms: Bool
    ) -> [String] {
        var lines: [String] = []
        var app = ""
        /// Where the line stands of a window in front, while no key of it was stored.
        var front: Int?
        func add(key line: String) {
            if let index = front { lines.remove(at: index) }
            front = nil
            lines.append(line)
        }
        for (index, event) in events.enumerated() {
            let place = event.item.pixel.flatMap {
                windows.window(atX: Int32($0.x), y: Int32($0.y))
            }
            let inWindow = place.map { " in \($0)" } ?? ""
            let program = namesPrograms && event.isInjected == true ? byProgram : ""
            switch event.item.payload {
            case .focus(let name, let title):
                app = name + (title.map { " “\($0)”" } ?? "")
                front = name.isEmpty ? nil : lines.count
                if front != nil { lines.append("\(app): in front") }
            case .input(.typing): add(key: "\(app): typed\(program)")
            case .input(.key(let key)) where key.isDown:
                var release = key
                release.isDown = false
                let isServing =
                    key.keyClass == .modifier
                    && events.dropFirst(index + 1).first?.item.payload != .input(.key(release))
                if isServing { continue }
                let words = Self.words(key.keyClass, key.modifiers, key.keysym)
                add(key: "\(app): \(words)\(program)")
            case .input(.key): break
            case .input(.button(let number, true)): lines.append("clicked \(number)\(inWindow)")
            case .input(.button): break
            case .input(.scroll(let dx, let dy)):
                let way = dy < 0 ? "up" : dy > 0 ? "down" : dx < 0 ? "left" : "right"
                lines.append("scrolled \(way)\(inWindow)")
            case .input(.touch): lines.append("touched")
            case .input: if lines.last != "moved" { lines.append("moved") }
            case .gap(let reason, _, let stream):
                let scope = scopes.first { $0.stream == stream }?.scope ?? ""
                lines.append("\(scope): \(word(reason))")
            case .device, .screen: break
            case .demonstration(let demonstration):
                let word = demonstration.ended == nil ? "begins" : "ends"
                lines.append("demonstration \(demonstration.name) \(word)")
            }
        }
        return lines.isEmpty ? ["nothing"] : lines
    }

    private static func words(_ keyClass: KeyClass, _ modifiers: Modifiers, _ keysym: UInt32)
        -> String
    {
        let held = Chord.modifiers.filter { modifiers.contains($0.bit) }.map(\.word)
        let isCommand = !modifiers.isDisjoint(with: .command)
        if keysym == 0 {
            let with = held.isEmpty ? "" : " with \(held.joined(separator: "+"))"
            return "a \(keyClass.name)\(with)"
        }
        let name = KeysymName.of(keysym)
        if keyClass.writesText, !isCommand { return "the \(keyClass.name) \(name)" }
        let own = Chord.modifiers.first { $0.name == name }?.word
        let alias = Chord.names.first { $0.value == name }?.key
        let word = own ?? alias ?? (name.count == 1 ? name.uppercased() : name)
        return (held + [word]).joined(separator: "+")
    }

    /// The lines as they are whatever the time of day and however busy the machine is.
    ///
    /// Keys and pointer stand by themselves, for where typing stands among movements depends on the step of
    /// five seconds; typing in a row is one, for somebody may have rested in between.
    static func inAnyTime(_ lines: [String]) -> [String] {
        let isPointer = { (line: String) in
            line.hasPrefix("moved") || line.hasPrefix("clicked") || line.hasPrefix("scrolled")
                || line.hasPrefix("pointer left out")
        }
        let ordered = lines.filter { !isPointer($0) } + lines.filter(isPointer)
        return ordered.reduce(into: []) { result, line in
            if !line.contains(": typed") || result.last != line { result.append(line) }
        }
    }

    /// The presses that have no release, and the other way round, by their words.
    static func unpaired(_ events: [RecordedEvent]) -> [String] {
        var down: [String] = []
        var lost: [String] = []
        for event in events {
            guard case .input(.key(let stored)) = event.item.payload else { continue }
            let words = event.words.split(separator: " ").dropLast().joined(separator: " ")
            let key = "\(event.item.device) \(words)"
            if stored.isDown {
                down.append(key)
            } else if let index = down.firstIndex(of: key) {
                down.remove(at: index)
            } else {
                lost.append(key)
            }
        }
        return down + lost
    }
}
