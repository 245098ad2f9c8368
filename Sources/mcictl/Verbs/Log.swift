// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Export
import Gate
import Glibc
import Packing
import Report
import Timeline

/// The verb `log`.
struct LogVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show what was recorded, in words.",
        usage: """
            mcictl log [--since <since>] [--until <until>] [--app <pattern>] [-n <lines>] [options]
            mcictl log --summary [--since <since>] [--until <until>] [--app <pattern>] [--json]
            """,
        discussion: """
            Each day has a heading, and its events are in order of time; a gap is shown where it ends. \
            Keys are shown by class; --keys shows which key, where that was recorded. On a terminal the \
            output goes through a pager: MCI_PAGER, PAGER or less.

            EXAMPLES
              mcictl log --since 10m
              mcictl log --since 14:00 --until 14:30 --app firefox
              mcictl log --summary --since 09:00
              mcictl log -n 20
              mcictl log -f
            """
    )

    @Option(help: "From this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to this time.")
    var until: String?

    @Option(
        help: ArgumentHelp(
            "Only while this application was in front: a name or pattern, as in mcictl exempt.",
            valueName: "pattern"
        )
    )
    var app: String?

    @Option(
        name: [.customShort("n"), .long],
        help: "Show only this many of the last events.",
        transform: count
    )
    var lines: Int?

    @Flag(help: "Show how much was recorded per hour and application, and what was not.")
    var summary = false

    @Option(help: "Read this ring file, which an earlier version wrote.", completion: .file())
    var ring: String?

    @Flag(name: [.customShort("f"), .long], help: "Keep showing events as they are recorded.")
    var follow = false

    @Flag(help: "Show which keys, where that was recorded.")
    var keys = false

    @Flag(help: "Print JSON Lines; with --summary one object.")
    var json = false

    @Flag(help: "Do not use a pager.")
    var noPager = false

    func validate() throws {
        if summary, follow || keys || lines != nil {
            throw ValidationError(
                "--summary can only be combined with --since, --until, --app and --json."
            )
        }
        if follow, lines != nil {
            throw ValidationError("-n and --follow cannot be combined.")
        }
    }

    func run() throws {
        let installation = Installation()
        let range = try installation.range(since: since, until: until)
        let only = try app.map { try Glob.ofApp($0) }
        let timeline = try installation.timeline(ring)
        let isPaged = !json && !follow && !noPager
        let isColoured = Terminal.hasColours
        let pager = isPaged ? Pager.start() : nil
        let found =
            try summary
            ? summarise(timeline, range, only)
            : show(timeline, range, only, isColoured, installation)
        pager?.end()
        warn(about: found)
        if !json, !summary {
            let hint = keys ? "" : " · --keys shows which keys"
            let events = TimeText.count(found.events, "event", "events")
            Terminal.report("\(events) · \(TimeText.count(found.gaps, "gap", "gaps"))\(hint)")
        }
    }

    /// Prints the events, and with `--follow` the new ones too.
    private func show(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ only: Glob?,
        _ isColoured: Bool,
        _ installation: Installation
    ) throws -> TimelineReader.Summary {
        var output = LogOutput(json, keys, isColoured, last: lines)
        let now = follow ? installation.now.wall : nil
        let found = try read(timeline, range, only, now: now) { output.take($0) }
        output.finish()
        while follow {
            sleep(1)
            _ = try? installation.call(.flush)
            _ = try read(timeline, range, only, now: installation.now.wall) { output.take($0) }
            output.finish()
        }
        return found
    }

    /// Prints what was recorded in each hour.
    private func summarise(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ only: Glob?
    ) throws -> TimelineReader.Summary {
        var tally = Tally(range)
        let found = try read(timeline, range, only) { tally.take($0) }
        var hours = HourSummary(tally.facts(found))
        let answer = hours.answer()
        if json {
            try Terminal.printJSON(answer)
        } else {
            for line in HourSummary.lines(answer) { Terminal.print(line) }
        }
        return found
    }

    /// Reads events, only those of one application if one is named; gaps belong to none.
    private func read(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ only: Glob?,
        now: WallTime? = nil,
        _ body: (RecordedEvent) -> Void
    ) throws -> TimelineReader.Summary {
        var (events, gaps) = (0, 0)
        var isWanted: (app: String, Bool)?
        var summary = try timeline.read(range, onlyNew: true, now: now) { event in
            if let only {
                if isWanted?.app != timeline.app {
                    isWanted = (timeline.app, only.matches(timeline.app))
                }
                guard isWanted?.1 == true else { return true }
            }
            if case .gap = event.item.payload { gaps += 1 } else { events += 1 }
            body(event)
            return true
        }
        if only != nil { (summary.events, summary.gaps) = (events, gaps) }
        return summary
    }
}

/// Where the events of `log` go.
private struct LogOutput {
    private var printer: LogPrinter
    private var json: JSONLines?
    private let last: Int?
    private var kept: [[UInt8]] = []

    init(_ isJSON: Bool, _ withKeys: Bool, _ isColoured: Bool, last: Int?) {
        printer = LogPrinter(withKeys: withKeys, isColoured: isColoured, last: last)
        json = isJSON ? JSONLines(withKeys: withKeys) : nil
        self.last = last
    }

    mutating func take(_ event: RecordedEvent) {
        guard json != nil else { return printer.take(event) }
        json?.append(event)
        if let last {
            if let line = json?.take(all: true) { kept.append(line) }
            if kept.count > last + 4096 { kept.removeFirst(kept.count - last) }
        } else if let bytes = json?.take() {
            Terminal.write(bytes)
        }
    }

    /// Prints the lines held back; more may follow.
    mutating func finish() {
        guard json != nil else { return printer.finish() }
        Terminal.write(kept.suffix(last ?? .max).flatMap(\.self) + (json?.take(all: true) ?? []))
        kept.removeAll()
    }
}

/// A number of lines from the command line.
private func count(_ text: String) throws -> Int {
    guard let number = Int(text), number > 0 else {
        throw ValidationError("“\(text)” is not a number of lines; write 1 or more.")
    }
    return number
}
