// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Export

/// What was recorded: applications, kinds of input, demonstrations.
extension Page {
    var appSection: String {
        let counts = facts.apps
        let apps = Set(facts.front.keys).union(counts.keys)
            .map { (name: $0, time: facts.front[$0]?.length ?? 0) }
            .sorted { ($1.time, $0.name) < ($0.time, $1.name) }
        guard !apps.isEmpty else { return "" }
        let whole = max(apps.reduce(0) { $0 + $1.time }, 1)
        func share(_ time: Int64) -> String { "\((time * 1000 / whole + 5) / 10) %" }
        func words(_ app: String) -> String { app.isEmpty ? "no application" : app }
        let shown = apps.filter { $0.time > 0 }.prefix(15)
        let most = shown.prefix(3).map { "\(words($0.name)) \(share($0.time))" }
        var picture = Picture(
            900,
            max(1, shown.count) * 22 + 4,
            "Time in front: \(most.joined(separator: ", "))"
        )
        for (index, app) in shown.enumerated() {
            let y = 2 + index * 22
            let name = app.name.count > 22 ? app.name.prefix(21) + "…" : app.name
            picture.add(
                text: HTMLText.name(words(name)),
                Picture.nameWidth - 6,
                y + 15,
                anchor: "end"
            )
            let width = max(1, Int(app.time * 560 / max(shown.first?.time ?? 1, 1)))
            picture.add([0..<2 * width], x: Picture.nameWidth, y: y + 2, height: 16, .recorded)
            picture.add(
                text: "\(TimeText.length(app.time)), \(share(app.time))",
                Picture.nameWidth + width + 6,
                y + 15
            )
        }
        let rows = apps.map { app in
            [HTMLText.name(words(app.name)), TimeText.length(app.time), share(app.time)]
                + cells(counts[app.name] ?? InputCounts()) + commands(of: app.name, around.period)
        }
        let table = HTMLText.table(
            "Time in front, and what was recorded meanwhile",
            ["Application", "In front", "Share"] + Self.countHeads + ["Show", eraseHead],
            rows
        )
        return section(
            "Applications",
            (shown.isEmpty ? "" : picture.html) + HTMLText.details("Table: applications", table)
        )
    }

    var kindSection: String {
        let total = facts.total
        guard total.events > 0 else { return "" }
        func query(_ condition: String) -> String {
            HTMLText.command(
                "mcictl query \"SELECT local, app, type FROM events WHERE \(condition)\(around.events)\""
            )
        }
        let rows = [
            [
                "Typing", TimeText.length(Int64(total.typingSeconds) * 1000),
                "in \(TimeText.count(total.typingRuns, "run", "runs")), without the text",
                query("type = 'typing'"),
            ],
            [
                "Chords", "\(total.chords)", "with Ctrl, Alt or Super",
                HTMLText.command(command("mcictl query chords")),
            ],
            [
                "Other keys", "\(total.keyPresses - total.chords)", "Return, arrows and the like",
                query("type = 'key' AND state = 'down'"),
            ],
            [
                "Clicks", "\(total.clicks)", "\(total.clicksWithPixel) with their pixel",
                query("type = 'button' AND state = 'down'"),
            ],
            ["Wheel", "\(total.wheelTurns)", "scroll events", query("type = 'scroll'")],
            [
                "Pointer", "\(total.movements)",
                "movements, \(Int(total.distance)) counts of the device in all",
                query("type = 'motion'"),
            ],
            ["Fingers", "\(total.touches)", "touches", query("type = 'touch'")],
        ]
        return section(
            "Kinds of input",
            HTMLText.table("What was recorded", ["Kind", "How much", "Details", "Show"], rows)
        )
    }

    var demonstrationSection: String {
        guard !facts.demonstrations.isEmpty else { return "" }
        let rows = facts.demonstrations.map { demonstration in
            let word = SafeText.shellWord(demonstration.name)
            let end = demonstration.ended.map { TimeText.full($0) } ?? "in progress, or end unknown"
            return [
                HTMLText.escaped(demonstration.name), HTMLText.escaped(demonstration.goal),
                TimeText.full(demonstration.begun), end, demonstration.outcome?.name ?? "–",
                HTMLText.command("mcictl export --demonstration=\(word)"),
                HTMLText.command("mcictl forget --demonstration=\(word)"),
            ]
        }
        return section(
            "Demonstrations",
            HTMLText.table(
                "Work that was recorded on purpose",
                ["Name", "Goal", "From", "To", "Outcome", "Show", "Erase"],
                rows
            )
        )
    }
}
