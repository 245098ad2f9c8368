// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Packing
import Timeline

/// How much was recorded per hour and application, and what was left out and why.
struct HourSummary {
    /// How much was recorded of an application in one hour.
    struct Counts: Encodable, Equatable {
        var keyPresses = 0
        /// Seconds in which text was typed, in whole steps.
        var typingSeconds = 0
        var clicks = 0
        var wheelTurns = 0
        var movements = 0
        var touches = 0

        fileprivate var words: String {
            let parts = [
                (keyPresses, "key press", "key presses"), (clicks, "click", "clicks"),
                (wheelTurns, "wheel turn", "wheel turns"), (movements, "movement", "movements"),
                (touches, "touch", "touches"),
            ]
            let typing =
                typingSeconds > 0
                ? ["typing for \(TimeText.length(Int64(typingSeconds) * 1000))"] : []
            return
                (typing
                + parts.filter { $0.0 > 0 }.map { TimeText.count($0.0, $0.1, $0.2) })
                .joined(separator: " · ")
        }
    }

    private struct Hour {
        var apps: [String: Counts] = [:]
        var gaps: [GapReason: [ClosedRange<Int64>]] = [:]
    }

    private var hours: [Int64: Hour] = [:]
    private var gaps: [GapReason: [ClosedRange<Int64>]] = [:]
    private let range: ClosedRange<Int64>

    /// - Parameter range: the time that was asked for, in milliseconds since 1970; gaps are cut to it.
    init(_ range: ClosedRange<Int64>) { self.range = range }

    /// Takes the next event.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - app: the application in front.
    mutating func take(_ event: RecordedEvent, app: String) {
        if case .gap(let reason, _, _) = event.item.payload {
            let stretch = event.time.milliseconds...max(event.time, event.end).milliseconds
            guard stretch.overlaps(range) else { return }
            gaps[reason, default: []].append(stretch.clamped(to: range))
            return
        }
        guard event.item.payload.isInput else { return }
        let hour = Self.start(of: event.time)
        hours[hour, default: Hour()].apps[app, default: Counts()].add(event)
    }

    /// One hour of the answer.
    struct Row: Encodable {
        struct App: Encodable {
            var app: String
            var recorded: Counts
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
        let united = gaps.mapValues(Self.united)
        for (reason, stretches) in united {
            for stretch in stretches { spread(stretch, reason) }
        }
        let rows = hours.sorted { $0.key < $1.key }.map { start, hour in
            Row(
                hour: WallTime(start).text,
                apps: hour.apps.sorted { ($1.value.total, $0.key) < ($0.value.total, $1.key) }
                    .map { Row.App(app: $0.key, recorded: $0.value) },
                gaps: Self.lengths(hour.gaps),
                start: WallTime(start)
            )
        }
        return Answer(hours: rows, gaps: Self.lengths(united))
    }

    /// Divides a gap among its hours; an hour in which mcid never ran is shown only beside something else.
    private mutating func spread(_ stretch: ClosedRange<Int64>, _ reason: GapReason) {
        var from = stretch.lowerBound
        // A week of hours is the most that can be read.
        for _ in 0..<200 where from <= stretch.upperBound {
            let start = Self.start(of: WallTime(from))
            let next = max(from + 1, start + 3_600_000)
            let part = from...min(next, stretch.upperBound)
            let isWhole = part.upperBound - part.lowerBound >= 3_600_000
            if hours[start] != nil || !(isWhole && reason == .notRunning) {
                hours[start, default: Hour()].gaps[reason, default: []].append(part)
            }
            from = next
        }
    }

    private static func lengths(_ gaps: [GapReason: [ClosedRange<Int64>]]) -> [Row.Gap] {
        gaps.map { reason, stretches in
            let length = united(stretches).reduce(Int64(0)) { sum, stretch in
                sum + (stretch.upperBound - stretch.lowerBound)
            }
            return Row.Gap(reason: reason.name, milliseconds: length)
        }
        .sorted { ($1.milliseconds, $0.reason) < ($0.milliseconds, $1.reason) }
    }

    /// Spans of time without overlaps.
    private static func united(_ stretches: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var result: [ClosedRange<Int64>] = []
        for stretch in stretches.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, last.upperBound >= stretch.lowerBound {
                result[result.count - 1] =
                    last.lowerBound...max(last.upperBound, stretch.upperBound)
            } else {
                result.append(stretch)
            }
        }
        return result
    }

    /// When the hour began in local time.
    private static func start(of time: WallTime) -> Int64 {
        let local = LocalTime(time)
        let seconds = Int64(local.minute) * 60 + Int64(local.second)
        let second = time.milliseconds - (time.milliseconds % 1000 + 1000) % 1000
        return second - seconds * 1000
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
        gaps.map { "\($0.reason) \(TimeText.length($0.milliseconds))" }.joined(separator: " · ")
    }
}

extension HourSummary.Counts {
    fileprivate var total: Int {
        keyPresses + typingSeconds + clicks + wheelTurns + movements + touches
    }

    fileprivate mutating func add(_ event: RecordedEvent) {
        switch event.item.payload {
        case .input(.typing): typingSeconds += Int(event.item.seconds)
        case .input(.key(let key)): if key.isDown { keyPresses += 1 }
        case .input(.button(_, let isDown)): if isDown { clicks += 1 }
        case .input(.scroll): wheelTurns += 1
        case .input(.touch(let touch)): if touch.phase == .down { touches += 1 }
        case .input: movements += 1
        case .focus, .gap, .device, .screen: break
        }
    }
}
