// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Export

/// The sections of the page.
extension Page {
    private func section(_ title: String, _ body: String) -> String {
        "<section>\n<h2>\(HTMLText.escaped(title))</h2>\n\(body)</section>\n"
    }

    /// The command that shows a part, and the one that erases it.
    private func commands(_ options: String) -> [String] {
        [
            HTMLText.command(command("mcictl log", options)),
            HTMLText.command(command("mcictl forget", options)),
        ]
    }

    // MARK: Days

    var daySections: String {
        let strips = days
        guard !strips.isEmpty else { return "" }
        let hasMore = strips.last.map { $0.span.lowerBound > facts.span.lowerBound } ?? false
        let note =
            hasMore ? "<p>The latest \(strips.count) days; for earlier ones: --until.</p>\n" : ""
        return section("Days", note + strips.map(daySection).joined())
    }

    private func daySection(_ strip: DayStrip) -> String {
        let date = strip.day.date
        let span = "--since \(date) --until \(date)"
        let counts = strip.counts
        let rows = strip.apps.map { app in
            [HTMLText.name(app.name), TimeText.length(app.spans.length)]
                + cells(counts[app.name] ?? InputCounts())
                + commands(of: app.name, span)
        }
        let gaps = strip.omissions.flatMap { omission, spans in
            spans.all.map { (omission, $0) }
        }
        .sorted { $0.1.lowerBound < $1.1.lowerBound }
        let shown = gaps.prefix(100).map { omission, gap in
            [
                TimeText.exact(WallTime(gap.lowerBound)), TimeText.exact(WallTime(gap.upperBound)),
                TimeText.length(gap.upperBound - gap.lowerBound),
                omission.stream?.name ?? "all input", HTMLText.escaped(omission.reason.words),
            ]
        }
        let more = gaps.count > 100 ? "; the first 100 of \(gaps.count)" : ""
        let expiry =
            around.retention > 0
            ? " It will be erased automatically by \(TimeText.date(WallTime(strip.span.upperBound + around.retention)))."
            : ""
        return """
            <h3>\(strip.title)</h3>
            \(strip.picture)<p>Show: \(HTMLText.command("mcictl log \(span)")) · Erase: \
            \(HTMLText.command("mcictl forget \(span)")).\(expiry)</p>
            \(rows.isEmpty ? "" : HTMLText.details(
                "Table: applications of \(date)",
                HTMLText.table(
                    "Applications in front, and what was recorded of them",
                    ["Application", "In front"] + Self.countHeads + ["Show", "Erase"],
                    rows
                )
            ))\(shown.isEmpty ? "" : HTMLText.details(
                "Table: what was left out on \(date)",
                HTMLText.table(
                    "Times that were left out\(more)",
                    ["From", "To", "Length", "What", "Why"],
                    shown
                )
            ))
            """
    }

    static let countHeads = ["Typing", "Chords", "Other keys", "Clicks", "Wheel", "Movements"]

    /// Counts as cells under ``countHeads``.
    private func cells(_ counts: InputCounts) -> [String] {
        [
            TimeText.length(Int64(counts.typingSeconds) * 1000), "\(counts.chords)",
            "\(counts.keyPresses - counts.chords)", "\(counts.clicks)", "\(counts.wheelTurns)",
            "\(counts.movements)",
        ]
    }

    /// The commands for an application; one without a name has none of its own.
    private func commands(of app: String, _ span: String) -> [String] {
        // A name with a star is a pattern for others, and one with invisible characters is not typed.
        let isLiteral = SafeText.printable(app) == app && !app.contains { "*?".contains($0) }
        guard !app.isEmpty, isLiteral else { return ["–", "–"] }
        let options = "--app=\(SafeText.shellWord(app)) \(span)".trimmed
        return [
            HTMLText.command("mcictl log \(options)"), HTMLText.command("mcictl forget \(options)"),
        ]
    }

    // MARK: Hours

    var hourSection: String {
        let strips = days
        guard !strips.isEmpty else { return "" }
        let open = facts.open
        let (left, side, top) = (Picture.nameWidth, 26, 20)
        var picture = Picture(
            left + 24 * side + 4,
            top + strips.count * side + 4,
            hourSentence(strips)
        )
        for hour in stride(from: 0, to: 24, by: 3) {
            picture.add(
                text: LocalTime.two(Int32(hour)),
                left + hour * side + side / 2,
                14,
                anchor: "middle"
            )
        }
        var rows: [[String]] = []
        for (index, strip) in strips.enumerated() {
            let minutes = Self.minutes(open, strip)
            let y = top + index * side
            picture.add(text: strip.title, left - 6, y + 17, anchor: "end")
            for (hour, amount) in minutes.enumerated() {
                let x = left + hour * side
                picture.add("<path class=\"f\" d=\"M\(x + 1) \(y + 1)h24v24h-24z\"/>")
                guard amount > 0 else { continue }
                // The area says how much.
                let edge = max(3, Int((Double(min(amount, 60)) / 60).squareRoot() * 22))
                let inset = (side - edge) / 2
                picture.add(
                    "<path class=\"r\" d=\"M\(x + inset) \(y + inset)h\(edge)v\(edge)h-\(edge)z\"/>"
                )
            }
            rows.append([strip.title] + minutes.map { "\($0)" })
        }
        let table = HTMLText.table(
            "Recorded minutes in each hour of the clock; an hour that occurs twice counts both",
            ["Day"] + (0..<24).map { LocalTime.two(Int32($0)) },
            rows
        )
        return section(
            "Hours",
            "<p>The larger a square, the more of that hour was recorded.</p>\n" + picture.html
                + HTMLText.details("Table: recorded minutes", table)
        )
    }

    private func hourSentence(_ strips: [DayStrip]) -> String {
        let days = TimeText.count(strips.count, "day", "days")
        return "Recorded minutes of each hour on \(days); the table below has the numbers"
    }

    /// The recorded minutes in each hour of the clock.
    private static func minutes(_ open: Spans, _ strip: DayStrip) -> [Int] {
        var lengths = [Int64](repeating: 0, count: 24)
        var start = strip.span.lowerBound
        let spans = open.within(strip.span)
        while start < strip.span.upperBound {
            let local = LocalTime(WallTime(start))
            // Up to the next quarter of an hour: zones differ by no less.
            let end = min(start + 900_000, strip.span.upperBound)
            lengths[Int(local.hour)] += spans.within(start..<end).length
            start = end
        }
        return lengths.map { Int(($0 + 30_000) / 60_000) }
    }

    // MARK: Applications and kinds

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
            ["Application", "In front", "Share"] + Self.countHeads + ["Show", "Erase"],
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

    // MARK: What was left out

    var omissionSection: String {
        let whole = max(facts.span.upperBound - facts.span.lowerBound, 1)
        var rows = facts.omissions.filter { !$0.value.isEmpty }
            .sorted {
                ($1.value.length, $0.key.reason.rawValue, $0.key.stream?.rawValue ?? 2)
                    < ($0.value.length, $1.key.reason.rawValue, $1.key.stream?.rawValue ?? 2)
            }
            .map { omission, spans in
                let reason = omission.reason.name
                return [
                    HTMLText.escaped(omission.reason.words), omission.stream?.name ?? "all input",
                    Self.minutes(spans.length), Self.share(spans.length, of: whole),
                    "\(spans.all.count)",
                    HTMLText.command(
                        "mcictl query \"SELECT * FROM gaps WHERE reason = '\(reason)'\(around.gaps)\""
                    ),
                ]
            }
        if !facts.missing.isEmpty {
            let length = facts.missing.length
            rows.append([
                "erased or unreadable", "all input", Self.minutes(length),
                Self.share(length, of: whole), "\(facts.missing.all.count)",
                HTMLText.command("mcictl verify"),
            ])
        }
        let words = "Nothing was left out in this period."
        let table = HTMLText.table(
            "Time not recorded, by reason and stream; a gap never says how much was left out",
            ["Why", "What", "Minutes", "Share", "Times", "Show"],
            rows
        )
        return section("Left out, and why", rows.isEmpty ? "<p>\(words)</p>\n" : table)
    }

    /// A share in percent; a small one is not nothing.
    private static func share(_ part: Int64, of whole: Int64) -> String {
        let percent = part * 100 / max(whole, 1)
        return percent == 0 && part > 0 ? "under 1 %" : "\(percent) %"
    }

    /// Minutes to a tenth.
    private static func minutes(_ milliseconds: Int64) -> String {
        let tenths = (milliseconds + 3000) / 6000
        return "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: Demonstrations

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

    // MARK: Clicks

    var clickSection: String {
        let maps = facts.clickMaps.filter { $0.clicks > 0 }
        guard !maps.isEmpty else { return "" }
        let note = """
            <p>Clicks in each part of a monitor; parts with fewer than \(RecordingFacts.ClickMap.fewest) \
            clicks are left blank. Clicks in exempt windows are not stored, so blank areas can show \
            where those windows were.</p>

            """
        return section("Clicks", note + maps.map(clickMap).joined())
    }

    private func clickMap(_ map: RecordingFacts.ClickMap) -> String {
        let unit = max(8, 880 / max(map.columns, 1))
        let monitor = map.monitor
        let name = "\(monitor.width) × \(monitor.height) at \(monitor.x), \(monitor.y)"
        let most = map.cells.max() ?? 0
        var picture = Picture(
            map.columns * unit + 2,
            map.rows * unit + 2,
            "Clicks on the monitor \(name): \(map.clicks), at most \(most) in one part"
        )
        picture.add(
            "<path class=\"f\" d=\"M1 1h\(map.columns * unit)v\(map.rows * unit)h-\(map.columns * unit)z\"/>"
        )
        var paths = ""
        var rows: [(count: Int, cells: [String])] = []
        for (index, count) in map.cells.enumerated()
        where count >= RecordingFacts.ClickMap.fewest {
            let (column, row) = (index % map.columns, index / map.columns)
            let edge = max(3, Int((Double(count) / Double(most)).squareRoot() * Double(unit - 2)))
            let inset = (unit - edge) / 2
            paths +=
                "M\(1 + column * unit + inset) \(1 + row * unit + inset)h\(edge)v\(edge)h-\(edge)z"
            let (x, y) = (Int(monitor.x) + column * map.cell, Int(monitor.y) + row * map.cell)
            let box =
                "x BETWEEN \(x) AND \(x + map.cell - 1) AND y BETWEEN \(y) AND \(y + map.cell - 1)"
            rows.append(
                (
                    count,
                    [
                        "\(x), \(y) to \(x + map.cell - 1), \(y + map.cell - 1)", "\(count)",
                        HTMLText.command(
                            "mcictl query \"SELECT local, app FROM events WHERE type = 'button' AND state = 'down' AND \(box)\(around.events)\""
                        ),
                    ]
                )
            )
        }
        picture.add("<path class=\"r\" d=\"\(paths)\"/>")
        let hidden = map.hidden
        let rest =
            hidden > 0 ? " \(TimeText.count(hidden, "click is", "clicks are")) not shown." : ""
        let shown = rows.sorted { $0.count > $1.count }.prefix(25).map(\.cells)
        let table = HTMLText.table(
            "The parts with the most clicks, in pixels of the desktop",
            ["Part", "Clicks", "Show"],
            shown
        )
        return """
            <h3>Monitor \(name)</h3>
            <p>\(TimeText.count(map.clicks, "click", "clicks")).\(rest)</p>
            \(shown.isEmpty ? "" : picture.html + HTMLText.details("Table: clicks on \(name)", table))
            """
    }

    // MARK: Devices, quality, keeping

    var deviceSection: String {
        guard !facts.devices.isEmpty else { return "" }
        let rows = facts.devices.map { device in
            [
                device.device.map { HTMLText.name($0.name) } ?? "unknown device",
                device.device?.kind.name ?? "–",
                device.device.map { $0.isInjected ? "programs (XTEST)" : "a person" } ?? "unknown",
                "\(device.events)",
                "\(TimeText.full(device.first)) to \(TimeText.full(device.last))",
                HTMLText.command(
                    "mcictl query \"SELECT local, type FROM events WHERE device = \(device.id)\(around.events)\""
                ),
            ]
        }
        return section(
            "Devices",
            HTMLText.table(
                "Where the input came from",
                ["Device", "Kind", "Source", "Events", "Used", "Show"],
                rows
            )
        )
    }

    var qualitySection: String {
        guard !facts.span.isEmpty else { return "" }
        let quality = Quality(facts)
        let rows = quality.checks.map { check in
            [
                check.isGood ? "good" : "warning", HTMLText.escaped(check.words),
                check.next.isEmpty ? "–" : HTMLText.command(check.next),
            ]
        }
        return section(
            "Quality as training data",
            HTMLText.table(
                "What users of the data should know",
                ["", "Finding", "What to do"],
                rows
            )
                + "<p>More: \(HTMLText.command(command("mcictl report", "--quality")))</p>\n"
        )
    }

    /// A length in days where it is whole ones.
    private static func long(_ milliseconds: Int64) -> String {
        milliseconds % 86_400_000 == 0
            ? TimeText.count(Int(milliseconds / 86_400_000), "day", "days")
            : TimeText.length(milliseconds)
    }

    var keepingSection: String {
        let keeping =
            around.retention > 0
            ? "Everything is erased automatically \(Self.long(around.retention)) after it is recorded."
            : ""
        return section(
            "Who can read it, and how long it is kept",
            """
            <p>The recording can be read \(HTMLText.escaped(around.readers)). \(keeping) \
            \(HTMLText.escaped(around.ring))</p>
            <p>Show keys: \(HTMLText.command("mcictl key show")) · Change retention: \
            \(HTMLText.command("mcictl set retention 3d")) · Pause: \(HTMLText.command("mcictl pause 30m"))</p>

            """
        )
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
