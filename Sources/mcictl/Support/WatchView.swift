// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events
import Person

/// What `watch` shows, as lines that fit the window.
struct WatchView {
    /// The window below which there is no room for it.
    private static let least = (rows: 8, columns: 24)

    /// mcid's status; nil while it does not run.
    var status: Status?
    /// What is said of the window in front; nil while mcid does not say.
    var front: Explanation?
    /// What was stored; nil while there is nothing to read.
    var work: StoredWork?
    /// Why the recording cannot be read; nil while it can.
    var fault: String?
    /// The answer to the last key, or a question.
    var message = ""

    /// The lines for a window of a size, none longer or more than fit.
    func lines(rows: Int, columns: Int, now: WallTime) -> [String] {
        guard rows >= Self.least.rows, columns >= Self.least.columns else {
            let words = "Too small: enlarge the window."
            return [TextWidth.fitted(words, max(columns, 0))]
        }
        let head = head(now) + [""] + blocks(columns)
        let foot = foot(columns)
        let room = rows - head.count - foot.count - 2
        var all = head
        if room > 0 { all += ["", "Last stored"] + stored(room) }
        // The foot stands at the bottom.
        while all.count + foot.count < rows { all.append("") }
        all = Array(all.prefix(rows - foot.count)) + foot
        return all.map { Terminal.shown(TextWidth.fitted($0, columns)) }
    }

    /// The state, the window in front and the ring.
    private func head(_ now: WallTime) -> [String] {
        guard let status else {
            return ["○ not running · nothing is recorded", "Start: \(Installation.startCommand)"]
        }
        let lines = StatusText.lines(status, now)
        let ring = lines.first { $0.hasPrefix("  Ring") }.map { String($0.dropFirst(2)) }
        return [lines[0], frontLine, ring].compactMap(\.self)
    }

    /// Whether the window in front is recorded, and why not.
    private var frontLine: String {
        guard status?.state == .recording else { return "In front   nothing is recorded" }
        guard let front else { return "In front   unknown" }
        let app = front.window.map { Terminal.printable($0.app) } ?? ""
        let name = app.isEmpty ? "no application" : app
        return "In front   \(name): \(ExplanationText.short(front))"
    }

    private func blocks(_ columns: Int) -> [String] {
        guard let work else { return [fault ?? "Nothing has been recorded yet."] }
        let (input, typing) = work.blocks(columns - 11)
        return ["10 min     \(input)", "typing     \(typing)"]
    }

    private func stored(_ room: Int) -> [String] {
        guard let work else { return [] }
        let lines = work.lines.suffix(room).map { line in
            let space = String(repeating: " ", count: max(1, 12 - line.source.count))
            return "\(TimeText.exact(line.time).prefix(8))  \(line.source)\(space)\(line.words)"
        }
        return lines.isEmpty ? ["nothing in the last 10 minutes"] : lines
    }

    private func foot(_ columns: Int) -> [String] {
        let keys =
            columns >= 66
            ? "p pause 15 min · r resume · x exempt window · f forget 5 min · q quit"
            : "p pause r resume x exempt f forget q quit"
        return [message, keys]
    }
}
