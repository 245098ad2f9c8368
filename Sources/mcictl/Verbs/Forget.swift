// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Files
import Settings
import Storage
import Timeline

/// The verb `forget`.
struct ForgetVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Erase what was recorded, for good.",
        usage: """
            mcictl forget (--last <duration> | --since <time> --until <time> | --app <name> | --all)
                          [--yes] [--dry-run] [--json]
            """,
        discussion: """
            Whole batches are erased, those that may touch the stretch of time: up to two minutes
            more on either side. When this command ends they are overwritten in every file.

            EXAMPLES
              mcictl forget --last 15m
              mcictl forget --since 14:00 --until 14:30
              mcictl forget --app Signal        every batch in which it was in front
              mcictl forget --all --yes
            """
    )

    @Option(help: "Erase this much of the past: 15m, 2h, 1d.")
    var last: String?

    @Option(help: "From a time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to a time.")
    var until: String?

    @Option(help: "Every batch in which this application was in front (as log names it).")
    var app: String?

    @Flag(help: "Erase everything.")
    var all = false

    @Flag(help: "Erase without being asked.")
    var yes = false

    @Flag(help: "Only say what would be erased.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var batches: Int
        var dryRun: Bool
        var pending: Bool
    }

    func run() throws {
        let place = Workplace()
        let ways = [last != nil, since != nil || until != nil, all].filter(\.self).count
        guard ways == 1 || (ways == 0 && app != nil) else {
            throw Failure(
                "Say what to erase: --last, --since and --until, --app, or --all.",
                next: "mcictl forget --help",
                code: Failure.usage
            )
        }
        var range = try place.range(since: since, until: until)
        if let last {
            let start = place.now.wall.milliseconds - (try TimeText.duration(last))
            range = start...max(start, place.now.wall.milliseconds)
        }
        let forgetting = Forgetting(place)
        var scope = Forgetting.Scope.stretch(range)
        if let app {
            var numbers = try place.timeline().batches(of: app, range)
            if let earlier = RingReader.earlier(beside: place.paths.ring) {
                numbers += try place.timeline(earlier).batches(of: app, range)
            }
            scope = .batches(numbers)
        }
        let count = try forgetting.erase(scope, dryRun: true).batches
        let hasSetAside = Disk.exists(place.paths.ring + Ring.setAsideSuffix)
        if dryRun || (count == 0 && !hasSetAside) {
            return try tell(count, pending: false, dryRun: dryRun)
        }
        if hasSetAside { Terminal.tell("The damaged ring that was set aside goes with it.") }
        if !yes {
            let what =
                "\(count) sealed \(count == 1 ? "batch" : "batches")\(words(range, place.now.wall))"
            guard try Terminal.ask("Erase \(what) for good?", script: "--yes") else {
                Terminal.tell("Nothing was changed.")
                return
            }
        }
        let (erased, pending) = try forgetting.erase(scope, dryRun: false)
        try tell(erased, pending: pending, dryRun: false)
    }

    private func words(_ range: ClosedRange<Int64>, _ now: WallTime) -> String {
        if let app { return " in which \(app) was in front" }
        if all { return "" }
        let from = range.lowerBound > 0 ? TimeText.short(WallTime(range.lowerBound), now: now) : "…"
        let to =
            WallTime(range.upperBound) < now
            ? TimeText.short(WallTime(range.upperBound), now: now) : "now"
        return " (\(from)–\(to))"
    }

    private func tell(_ count: Int, pending: Bool, dryRun: Bool) throws {
        if json {
            return try Terminal.printJSON(Answer(batches: count, dryRun: dryRun, pending: pending))
        }
        if count == 0 { return Terminal.print("Nothing is recorded there.") }
        if dryRun {
            return Terminal.print("Would erase \(TimeText.count(count, "batch", "batches")).")
        }
        Terminal.print("Erased \(TimeText.count(count, "batch", "batches")).")
        if pending {
            Terminal.tell(
                "A program is reading the ring: traces remain until it ends. See mcictl status."
            )
        }
    }
}
