// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Report

/// How much was recorded per hour and application, and what was left out and why.
struct HourSummary {
    private struct Hour {
        var apps: [String: InputCounts] = [:]
        var gaps: [GapReason: Spans] = [:]
    }

    private var hours: [Int64: Hour]
    /// When something was left out, of whatever stream: keyboard and pointer left out at the same time
    /// count once.
    private let gaps: [GapReason: Spans]

    /// - Parameter facts: what is summarised.
    init(_ facts: RecordingFacts) {
        hours = facts.hours.mapValues { Hour(apps: $0) }
        gaps = facts.omissions.reduce(into: [:]) { result, omission in
            let reason = omission.key.reason
            result[reason] = (result[reason] ?? Spans()).union(omission.value)
        }
    }

    /// One hour of the answer.
    struct Row: Encodable {
        struct App: Encodable {
            var app: String
            var recorded: InputCounts
        }
        struct Gap: Encodable {
            var reason: String
            var milliseconds: Int64
        }
        var hour: String
        var apps: [App]
        var gaps: [Gap]
        fileprivate var start: WallTime

        private enum CodingKeys: CodingKey { case hour, apps, gaps }
    }

    /// The answer as JSON.
    struct Answer: Encodable {
        var schema = 1
        var hours: [Row]
        /// In total; keyboard and pointer left out at the same time count once.
        var gaps: [Row.Gap]
    }

    /// Everything counted.
    mutating func answer() -> Answer {
        for (reason, spans) in gaps { for span in spans.all { spread(span, reason) } }
        let rows = hours.sorted { $0.key < $1.key }.map { start, hour in
            Row(
                hour: WallTime(start).text,
                apps: hour.apps.sorted { ($1.value.total, $0.key) < ($0.value.total, $1.key) }
                    .map { Row.App(app: $0.key, recorded: $0.value) },
                gaps: Self.lengths(hour.gaps),
                start: WallTime(start)
            )
        }
        return Answer(hours: rows, gaps: Self.lengths(gaps))
    }

    /// Divides a gap among its hours; an hour in which mcid never ran is shown only beside something else.
    private mutating func spread(_ gap: Range<Int64>, _ reason: GapReason) {
        var from = gap.lowerBound
        // A week of hours is the most that can be read.
        for _ in 0..<200 where from < gap.upperBound {
            let start = Tally.hour(of: WallTime(from))
            let next = max(from + 1, start + 3_600_000)
            let part = from..<min(next, gap.upperBound)
            let isWhole = part.upperBound - part.lowerBound >= 3_600_000
            if hours[start] != nil || !(isWhole && reason == .notRunning) {
                hours[start, default: Hour()].gaps[reason, default: Spans()].add(part)
            }
            from = next
        }
    }

    private static func lengths(_ gaps: [GapReason: Spans]) -> [Row.Gap] {
        gaps.map { Row.Gap(reason: $0.name, milliseconds: $1.length) }
            .sorted { ($1.milliseconds, $0.reason) < ($0.milliseconds, $1.reason) }
    }

    /// The answer in words: a line for each hour and application.
    static func lines(_ answer: Answer) -> [String] {
        var lines: [String] = []
        var day: LocalTime?
        for row in answer.hours {
            let local = LocalTime(row.start)
            if day?.isSameDay(as: local) != true {
                if day != nil { lines.append("") }
                day = local
                lines.append("\(TimeText.weekday(row.start)) \(TimeText.date(row.start))")
            }
            var hour = "\(TimeText.exact(row.start).prefix(5))  "
            let width = row.apps.map(\.app.count).max() ?? 0
            for app in row.apps {
                let name = app.app.isEmpty ? "–" : Terminal.printable(app.app)
                let space = String(repeating: " ", count: max(0, width - name.count) + 2)
                lines.append(hour + name + space + app.recorded.words)
                hour = "       "
            }
            if !row.gaps.isEmpty {
                lines.append(hour + "not recorded: " + gapWords(row.gaps))
            }
        }
        if !answer.gaps.isEmpty {
            lines += ["", "Not recorded in total: " + gapWords(answer.gaps)]
        }
        return lines
    }

    private static func gapWords(_ gaps: [Row.Gap]) -> String {
        gaps.map {
            "\(GapReason.named($0.reason)?.words ?? $0.reason) \(TimeText.length($0.milliseconds))"
        }
        .joined(separator: " · ")
    }
}

extension InputCounts {
    fileprivate var total: Int {
        keyPresses + typingSeconds + clicks + wheelTurns + movements + touches
    }

    /// What there is of each kind.
    fileprivate var words: String {
        let length = TimeText.length(Int64(typingSeconds) * 1000)
        let runs = TimeText.count(typingRuns, "run", "runs")
        let parts = [
            (chords, "chord", "chords"),
            (keyPresses - chords, "other key press", "other key presses"),
            (clicks, "click", "clicks"),
            (wheelTurns, "wheel turn", "wheel turns"), (movements, "movement", "movements"),
            (touches, "touch", "touches"),
        ]
        return
            ((typingRuns > 0 ? ["typing for \(length) in \(runs)"] : [])
            + parts.filter { $0.0 > 0 }.map { TimeText.count($0.0, $0.1, $0.2) })
            .joined(separator: " · ")
    }
}
