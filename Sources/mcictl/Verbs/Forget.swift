// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Gate
import Person
import Release
import Storage
import System
import Timeline

/// The verb `forget`.
struct ForgetVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Permanently erase what was recorded.",
        usage: """
            mcictl forget (--last <duration> | --since <time> [--until <time>] | --app <name>
                          | --demonstration <name> | --all) [--yes] [--dry-run] [--json]
            """,
        discussion: """
            Erases every batch that may touch the time given, so up to two more minutes on either \
            side. When this command ends, these batches are overwritten in every file.

            EXAMPLES
              mcictl forget --last 15m
              mcictl forget --since 14:00 --until 14:30
              mcictl forget --app Signal        every batch in which it was in front
              mcictl forget --app "libreoffice*"
              mcictl forget --demonstration invoices
              mcictl forget --all --yes
            """
    )

    @Option(help: "Erase this much of the past: 15m, 2h, 1d.")
    var last: String?

    @Option(help: "From this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to this time.")
    var until: String?

    @Option(
        help: """
            Every batch in which this application was in front: its class as log shows it; * and ? as in \
            exempt.
            """
    )
    var app: String?

    @Option(help: "Every batch of the demonstrations of this name.")
    var demonstration: String?

    @Flag(help: "Erase everything.")
    var all = false

    @Flag(help: "Erase without being asked.")
    var yes = false

    @Flag(help: "Only show what would be erased: when, how many events, in which applications.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var batches: Int
        var dryRun: Bool
        var pending: Bool
        /// Only in a dry run, if your key opens the batches.
        var from: String?
        var to: String?
        var events: Int?
        var apps: [String: Int]?
    }

    func run() throws {
        let installation = Installation()
        let ways = [last != nil, since != nil || until != nil, all].filter(\.self).count
        let names = [app, demonstration].compactMap(\.self).count
        guard names < 2, ways == 1 || (ways == 0 && names == 1) else {
            throw Failure(
                "Say what to erase: --last, --since and --until, --app, --demonstration, or --all.",
                next: "mcictl forget --help",
                code: Failure.usage
            )
        }
        var range = try installation.range(since: since, until: until)
        if let last {
            let start = installation.now.wall.milliseconds - (try TimeText.duration(last))
            range = start...max(start, installation.now.wall.milliseconds)
        }
        let forgetting = Eraser(installation)
        var scope = Eraser.Scope.stretch(range)
        if let app {
            let pattern = try Glob.ofApp(app)
            var numbers = try installation.timeline().batches(range, where: pattern.matches)
            if let earlier = RingReader.earlier(beside: installation.paths.ring) {
                numbers += try installation.timeline(earlier).batches(range, where: pattern.matches)
            }
            scope = .batches(numbers)
        } else if let demonstration {
            scope = .batches(
                try installation.timeline().batches(range) { $0.name == demonstration }
            )
        }
        let count = try forgetting.erase(scope, dryRun: true).batches
        let hasSetAside = Disk.exists(installation.paths.ring + Ring.setAsideSuffix)
        if dryRun, count > 0 { return try reportContents(count, contents(of: scope, installation)) }
        if dryRun || (count == 0 && !hasSetAside) {
            return try report(count, pending: false, dryRun: dryRun)
        }
        if hasSetAside { Terminal.report("The damaged ring that was set aside is erased too.") }
        if !yes {
            let what =
                "\(count) sealed \(count == 1 ? "batch" : "batches")\(words(range, installation.now.wall))"
            guard try Terminal.ask("Permanently erase \(what)?", script: "--yes") else {
                Terminal.report("Nothing was changed.")
                return
            }
        }
        let (erased, pending) = try forgetting.erase(scope, dryRun: false)
        try report(erased, pending: pending, dryRun: false)
        try withdrawReleases(holding: range, installation)
    }

    /// Names the releases that hold a part of what was erased, and offers to withdraw their grants.
    private func withdrawReleases(
        holding range: ClosedRange<Int64>,
        _ installation: Installation
    ) throws {
        let found = installation.releases(holding: range)
        guard !found.isEmpty else { return }
        let names = found.map { "\($0.0.purpose.content.id) \($0.1.number)" }
        Terminal.report(
            "Erasing does not reach what was released: \(names.joined(separator: ", "))."
        )
        let records = Dictionary(
            found.map { ($0.0.id, $0.0) },
            uniquingKeysWith: { first, _ in first }
        ).values.sorted { $0.id < $1.id }
        for record in records {
            let purpose = record.purpose.content.id
            guard !yes, !json, Terminal.canAsk,
                try Terminal.ask("Withdraw the grant for \(purpose)?", script: nil)
            else {
                Terminal.report("  Next: mcictl release withdraw \(purpose)")
                continue
            }
            if let failure = installation.withdraw([record])[0].failure { throw Failure(failure) }
            Terminal.print("Withdrawn: \(purpose). Nobody can open its releases any more.")
        }
    }

    /// The contents of the batches that would be erased; nil if they cannot be opened here.
    private func contents(
        of scope: Eraser.Scope,
        _ installation: Installation
    ) -> TimelineReader.Contents? {
        func contents(_ timeline: TimelineReader) throws -> TimelineReader.Contents {
            switch scope {
            case .stretch(let range): try timeline.contents(range)
            case .batches(let numbers): try timeline.contents(0...Int64.max / 4, only: Set(numbers))
            }
        }
        guard let timeline = try? installation.timeline(), var all = try? contents(timeline) else {
            return nil
        }
        if let earlier = RingReader.earlier(beside: installation.paths.ring),
            let timeline = try? installation.timeline(earlier), let more = try? contents(timeline)
        {
            all.add(more)
        }
        return all
    }

    private func reportContents(_ count: Int, _ contents: TimelineReader.Contents?) throws {
        if json {
            var answer = Answer(batches: count, dryRun: true, pending: false)
            (answer.from, answer.to) = (contents?.from?.text, contents?.to?.text)
            (answer.events, answer.apps) = (contents?.events, contents?.apps)
            return try Terminal.printJSON(answer)
        }
        Terminal.print("Would erase \(TimeText.count(count, "batch", "batches")).")
        guard let contents, let from = contents.from, let to = contents.to else {
            return Terminal.report("Their contents cannot be shown: they cannot be opened here.")
        }
        Terminal.print("  From    \(TimeText.full(from)) to \(TimeText.full(to))")
        Terminal.print("  Events  \(contents.events)")
        let apps = contents.apps.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            app,
            count in
            let name = app.isEmpty ? "what is not recorded" : Terminal.printable(app)
            return "\(name) (\(count))"
        }
        if !apps.isEmpty { Terminal.print("  In      \(apps.joined(separator: ", "))") }
        if contents.batches < count {
            Terminal.report(
                "\(count - contents.batches) of them cannot be opened and are not counted."
            )
        }
    }

    private func words(_ range: ClosedRange<Int64>, _ now: WallTime) -> String {
        if let app { return " in which \(app) was in front" }
        if let demonstration {
            return " of the demonstration “\(Terminal.printable(demonstration))”"
        }
        if all { return "" }
        let from = range.lowerBound > 0 ? TimeText.short(WallTime(range.lowerBound), now: now) : "…"
        let to =
            WallTime(range.upperBound) < now
            ? TimeText.short(WallTime(range.upperBound), now: now) : "now"
        return " (\(from)–\(to))"
    }

    private func report(_ count: Int, pending: Bool, dryRun: Bool) throws {
        if json {
            return try Terminal.printJSON(Answer(batches: count, dryRun: dryRun, pending: pending))
        }
        if count == 0 {
            Terminal.print("Nothing matches; nothing was erased.")
            if app != nil {
                Terminal.report(
                    "The recording names applications by window class, not by instance."
                        + " See which: mcictl log --summary"
                )
            }
            return
        }
        if dryRun {
            return Terminal.print("Would erase \(TimeText.count(count, "batch", "batches")).")
        }
        Terminal.print("Erased \(TimeText.count(count, "batch", "batches")).")
        if pending {
            Terminal.report(
                "A program is reading the ring: traces remain until it ends. See: mcictl status"
            )
        }
    }
}
