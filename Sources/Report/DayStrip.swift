// SPDX-License-Identifier: Apache-2.0

package import Calendar
import Events

/// One day of a recording: a strip for each application, and what was left out.
package struct DayStrip: Redacted {
    /// How many applications have a strip of their own.
    private static let maxApps = 12
    private static let rowHeight = 20

    private struct Row {
        var name: String
        var bars: [Range<Int>]
        var look: Look
    }

    private let facts: RecordingFacts
    let day: LocalTime
    let span: Range<Int64>

    /// A day of the facts.
    init(_ facts: RecordingFacts, _ day: LocalTime) {
        (self.facts, self.day) = (facts, day)
        span = day.startOfDay.milliseconds..<day.adding(days: 1).startOfDay.milliseconds
    }

    /// The last days that a span touches, oldest first.
    ///
    /// - Parameters:
    ///   - span: In milliseconds since 1970; a clock that was wrong may make it many years long.
    ///   - limit: Maximum number of days.
    /// - Returns: Their dates.
    package static func days(_ span: Range<Int64>, atMost limit: Int = 366) -> [LocalTime] {
        guard !span.isEmpty else { return [] }
        var days: [LocalTime] = []
        var day = LocalTime(WallTime(span.upperBound - 1))
        (day.hour, day.minute, day.second) = (0, 0, 0)
        while days.count < limit {
            days.append(day)
            if day.startOfDay.milliseconds <= span.lowerBound { break }
            day = day.adding(days: -1)
        }
        return days.reversed()
    }

    /// `Friday 2027-01-15`.
    var title: String {
        let start = day.startOfDay
        return "\(TimeText.weekday(start)) \(TimeText.date(start))"
    }

    /// The applications in front on that day with their time, the most used first.
    var apps: [(name: String, spans: Spans)] {
        facts.front.map { ($0.key, $0.value.within(span)) }.filter { !$0.spans.isEmpty }
            .sorted { ($1.spans.length, $0.name) < ($0.spans.length, $1.name) }
    }

    /// What was left out on that day, with its time, the longest first.
    var omissions: [(omission: RecordingFacts.Omission, spans: Spans)] {
        let omissions = facts.omissions.mapValues { $0.within(span) }
        return RecordingFacts.longestFirst(omissions.filter { !$0.value.isEmpty })
    }

    /// The counts of each application on that day.
    var counts: [String: InputCounts] { facts.apps(within: span) }

    /// The picture in a sentence.
    var sentence: String {
        let recorded = TimeText.length(facts.open.within(span).length)
        let most = apps.prefix(3).map { app in
            "\(app.name.isEmpty ? "–" : app.name) \(TimeText.length(app.spans.length))"
        }
        let left = omissions.filter { $0.omission.stream == nil }.prefix(4).map {
            "\($0.omission.reason.words) \(TimeText.length($0.spans.length))"
        }
        let apps = most.isEmpty ? "" : ": \(most.joined(separator: ", "))"
        let omitted = left.isEmpty ? "" : "; nothing recorded: \(left.joined(separator: ", "))"
        return "\(title): recorded for \(recorded)\(apps)\(omitted)"
    }

    /// The strips.
    var picture: String {
        let left = Picture.nameWidth
        let rows = rows
        let top = 18
        let bottom = top + rows.count * Self.rowHeight
        let minutes = Int((span.upperBound - span.lowerBound) / 60_000)
        var picture = Picture(left + minutes / 2 + 12, bottom + 4, sentence)
        for hour in 0...(minutes / 60) {
            let local = LocalTime(WallTime(span.lowerBound + Int64(hour) * 3_600_000))
            guard local.hour % 3 == 0, local.minute == 0 else { continue }
            let x = left + hour * 30
            picture.add("<path class=\"g\" d=\"M\(x) \(top)V\(bottom)\"/>")
            picture.add(text: LocalTime.two(local.hour), x, 12, anchor: "middle")
        }
        for (omission, spans) in omissions where omission.stream == nil {
            let (bars, look) = (bars(spans), Look(omission.reason))
            picture.add(bars, x: left, y: top, height: bottom - top, look)
        }
        picture.add(
            bars(facts.missing.within(span)),
            x: left,
            y: top,
            height: bottom - top,
            .missing
        )
        for (index, row) in rows.enumerated() {
            let y = top + index * Self.rowHeight
            picture.add(text: short(row.name), left - 6, y + 14, anchor: "end")
            picture.add(row.bars, x: left, y: y + 3, height: Self.rowHeight - 6, row.look)
        }
        return picture.html
    }

    private func short(_ name: String) -> String {
        HTMLText.name(name.count > 22 ? name.prefix(21) + "…" : name)
    }

    private var rows: [Row] {
        var rows = [
            Row(name: "all", bars: bars(facts.open.within(span)), look: .recorded)
        ]
        let apps = apps
        rows += apps.prefix(Self.maxApps).map {
            Row(name: $0.name, bars: bars($0.spans), look: .recorded)
        }
        let others = apps.dropFirst(Self.maxApps)
        if !others.isEmpty {
            let spans = others.reduce(into: Spans()) { $0 = $0.union($1.spans) }
            rows.append(Row(name: "\(others.count) others", bars: bars(spans), look: .recorded))
        }
        for stream in InputStream.allCases {
            let omissions = omissions.filter { $0.omission.stream == stream }
            for look in Look.allCases {
                let spans = omissions.filter { Look($0.omission.reason) == look }
                    .reduce(into: Spans()) { $0 = $0.union($1.spans) }
                guard !spans.isEmpty else { continue }
                rows.append(Row(name: "\(stream.name) left out", bars: bars(spans), look: look))
            }
        }
        return rows
    }

    /// The minutes of the day that spans touch.
    private func bars(_ spans: Spans) -> [Range<Int>] {
        var bars: [Range<Int>] = []
        for part in spans.united.all {
            let from = Int((part.lowerBound - span.lowerBound) / 60_000)
            let to = Int((part.upperBound - span.lowerBound + 59_999) / 60_000)
            if let last = bars.last, last.upperBound >= from {
                bars[bars.count - 1] = last.lowerBound..<max(last.upperBound, to)
            } else {
                bars.append(from..<to)
            }
        }
        return bars
    }
}
