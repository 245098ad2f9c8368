// SPDX-License-Identifier: Apache-2.0

import Calendar
import Export

/// What the sections share.
extension Page {
    /// A part of the page under a heading.
    func section(_ title: String, _ body: String) -> String {
        "<section>\n<h2>\(HTMLText.escaped(title))</h2>\n\(body)</section>\n"
    }

    /// The headings of what ``cells(_:)`` makes.
    static let countHeads = ["Typing", "Chords", "Other keys", "Clicks", "Wheel", "Movements"]

    /// Counts as cells under ``countHeads``.
    func cells(_ counts: InputCounts) -> [String] {
        [
            TimeText.length(Int64(counts.typingSeconds) * 1000), "\(counts.chords)",
            "\(counts.keyPresses - counts.chords)", "\(counts.clicks)", "\(counts.wheelTurns)",
            "\(counts.movements)",
        ]
    }

    /// The command that erases a part of the recording, or cuts it out of a draft.
    func erase(_ options: String) -> String {
        around.draft.map { "mcictl release cut --draft=\($0) \(options)" }
            ?? "mcictl forget \(options)"
    }

    /// The heading over commands that ``erase(_:)`` makes.
    var eraseHead: String { around.draft == nil ? "Erase" : "Cut out" }

    /// The commands for an application; one without a name has none of its own.
    func commands(of app: String, _ span: String) -> [String] {
        // A name with a star is a pattern for others, and one with invisible characters is not typed.
        let isLiteral = SafeText.printable(app) == app && !app.contains { "*?".contains($0) }
        guard !app.isEmpty, isLiteral else { return ["–", "–"] }
        let options = "--app=\(SafeText.shellWord(app)) \(span)".trimmed
        return [
            HTMLText.command("mcictl log \(options)"), HTMLText.command(erase(options)),
        ]
    }
}

extension String {
    /// Without spaces at the end.
    fileprivate var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
