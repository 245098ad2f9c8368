// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events

/// The strips of the days, and the hours of all days.
extension Page {
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
            \(strip.picture)<p>Show: \(HTMLText.command("mcictl log \(span)")) · \(eraseHead): \
            \(HTMLText.command(erase(span))).\(expiry)</p>
            \(rows.isEmpty ? "" : HTMLText.details(
                "Table: applications of \(date)",
                HTMLText.table(
                    "Applications in front, and what was recorded of them",
                    ["Application", "In front"] + Self.countHeads + ["Show", eraseHead],
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
}
