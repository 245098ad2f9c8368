// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Packing
import Timeline

/// Prints events, one per line, under their day and in order of time.
///
/// A recording is in the order in which its parts were decided: a gap is stored when it has ended, and
/// keyboard and pointer are read in turn. Lines are held back until nothing earlier can follow.
struct LogPrinter {
    /// How many milliseconds earlier a later item may be.
    private static let lateness: Int64 = 60_000

    private struct Line {
        /// When it is shown: a gap or a typing run at its end, because it was not known before.
        var time: WallTime
        /// Its sort key.
        var sortTime: WallTime
        var order: Int
        var source: String
        var words: String
        var style: Style
    }

    private enum Style: String {
        case plain = ""
        case day = "1"
        case focus = "36"
        case gap = "33"
    }

    private let withKeys: Bool
    private let isColoured: Bool
    /// The maximum number of lines, counted from the end; nil for all.
    private let last: Int?
    private let write: ([UInt8]) -> Void
    private var kept: [Line] = []
    private var limit = 4096
    private var order = 0
    private var latest = WallTime(.min)
    /// The rounded end of the latest typing run: a key, click or focus change recorded after it came
    /// after it, whatever its time.
    private var endOfRun = WallTime(.min)
    private var day: LocalTime?
    private var bytes: [UInt8] = []

    /// - Parameters:
    ///   - withKeys: whether to say which keys were pressed.
    ///   - isColoured: whether to use colours and similar effects.
    ///   - last: the maximum number of lines, counted from the end; nil for all.
    ///   - write: takes the bytes.
    init(
        withKeys: Bool,
        isColoured: Bool,
        last: Int?,
        write: @escaping ([UInt8]) -> Void = Terminal.write
    ) {
        (self.withKeys, self.isColoured, self.last) = (withKeys, isColoured, last)
        self.write = write
    }

    /// Takes the next event.
    mutating func take(_ event: RecordedEvent) {
        let style: Style =
            switch event.item.payload {
            case .gap: .gap
            case .focus: .focus
            default: .plain
            }
        var sortTime = event.end
        switch event.item.payload {
        case .input(.typing):
            sortTime = max(sortTime, endOfRun)
            endOfRun = sortTime
        case .input(.key), .input(.button), .input(.touch), .focus:
            sortTime = max(sortTime, endOfRun)
        // The place of everything else says nothing about a run.
        default: break
        }
        order += 1
        latest = max(latest, event.end)
        kept.append(
            Line(
                time: event.end,
                sortTime: sortTime,
                order: order,
                source: EventText.source(event),
                words: EventText.words(event, withKeys: withKeys),
                style: style
            )
        )
        guard kept.count >= limit else { return }
        sort()
        if let last {
            // If only the last lines are wanted, nothing is printed before the end is known.
            if kept.count > last + limit { kept.removeFirst(kept.count - last) }
            limit = kept.count + 4096
            return
        }
        let certain = latest.milliseconds.subtractingReportingOverflow(Self.lateness).partialValue
        let count = kept.partitioningIndex { $0.sortTime.milliseconds > certain }
        for line in kept.prefix(count) { print(line) }
        kept.removeFirst(count)
        // Each line is sorted at most a few times.
        limit = 2 * kept.count + 4096
    }

    /// Prints the lines held back.
    mutating func finish() {
        sort()
        for line in kept.suffix(last ?? .max) { print(line) }
        kept.removeAll()
        flush()
    }

    private mutating func sort() {
        kept.sort { ($0.sortTime, $0.order) < ($1.sortTime, $1.order) }
    }

    private mutating func print(_ line: Line) {
        let local = LocalTime(line.time)
        if day?.isSameDay(as: local) != true {
            let gap = day == nil ? "" : "\n"
            day = local
            add(gap + styled("\(TimeText.weekday(line.time)) \(TimeText.date(line.time))", .day))
        }
        let space = String(repeating: " ", count: max(1, 13 - line.source.count))
        add(TimeText.exact(line.time) + "  " + line.source + space + styled(line.words, line.style))
        if bytes.count > 1 << 16 { flush() }
    }

    private func styled(_ text: String, _ style: Style) -> String {
        guard isColoured, style != .plain else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[m"
    }

    private mutating func add(_ text: String) { bytes += Array((Terminal.shown(text) + "\n").utf8) }

    private mutating func flush() {
        guard !bytes.isEmpty else { return }
        write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}

extension Array {
    /// The first index whose element comes after a limit, in an array where those are last.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
