// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Gate
import Release

/// The verb `release standing`.
struct ReleaseStandingVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standing",
        abstract: "Release whole days without reviewing each, for a while, if you want that.",
        usage: """
            mcictl release standing <purpose> --days <number> [--without <app> ...] [--yes]
            mcictl release standing <purpose> (--skip | --reviewed | --end)
            mcictl release standing --run
            """,
        discussion: """
            Off unless you ask for it; it ends after 30 days at most. A day goes 24 hours after it ended: \
            until then you can erase parts of it, or skip it. --run releases what is due; let a timer of \
            yours call it. After a week without a review, status and list remind you.

            EXAMPLES
              mcictl release standing spreadsheet-model --days 14 --without Signal
              mcictl release standing spreadsheet-model --skip       the days that are waiting now
              mcictl release standing spreadsheet-model --reviewed   after mcictl release review
              mcictl release standing spreadsheet-model --end
              mcictl release standing --run
            """
    )

    @Argument(help: "The granted purpose.")
    var purpose: String?

    @Option(help: "How many days it lasts, at most 30.")
    var days: Int?

    @Option(help: ArgumentHelp("Cut this application out of each day.", valueName: "app"))
    var without: [String] = []

    @Flag(help: "Do not release the days that are waiting now.")
    var skip = false

    @Flag(help: "Note that you have reviewed what goes.")
    var reviewed = false

    @Flag(help: "End it.")
    var end = false

    @Flag(name: .customLong("run"), help: "Release the days that are due.")
    var isDue = false

    @Flag(help: "Answer the question with yes.")
    var yes = false

    func run() throws {
        let installation = Installation()
        let files = installation.releaseFiles
        let ways = [days != nil, skip, reviewed, end, isDue].filter(\.self).count
        guard ways == 1, (purpose != nil) != isDue else {
            throw Failure(
                "Give a purpose and one of --days, --skip, --reviewed and --end; or --run alone.",
                next: "mcictl release standing --help",
                code: Failure.usage
            )
        }
        if isDue { return try releaseDue(installation) }
        let record = try installation.grant(purpose)
        if let days { return try begin(days, record, installation) }
        guard var standing = files.standing(of: record.id) else {
            throw Failure("There is no standing approval for this purpose.")
        }
        if end {
            try files.store(nil, of: record.id)
            return Terminal.print("Ended. Nothing more goes without your review.")
        }
        if skip {
            standing.doneUntil = max(
                standing.doneUntil,
                Self.day(before: installation.now.wall).upperBound
            )
            Terminal.print("The days that were waiting do not go.")
        } else {
            standing.reviewed = installation.now.wall.text
            Terminal.print("Noted.")
        }
        try files.store(standing, of: record.id)
    }

    private func begin(_ days: Int, _ record: GrantRecord, _ installation: Installation) throws {
        guard 1...Standing.maxDays ~= days else {
            throw Failure("It lasts 1 to \(Standing.maxDays) days.", code: Failure.usage)
        }
        for app in without { _ = try Glob.ofApp(app) }
        let now = installation.now.wall
        let until = min(
            WallTime(now.milliseconds + Int64(days) * 86_400_000),
            record.grant.content.end
        )
        if !yes {
            Terminal.print(PurposeText.fields(record.grant.content.fields))
            let question =
                "Release each whole day to \(record.purpose.content.id) a day after it ended,"
                + " until \(until.text), without a review of each?"
            guard try Terminal.ask(question, script: nil) else {
                return Terminal.report("Nothing was changed.")
            }
        }
        // It begins with today: what was recorded before was not recorded under it.
        let begin = Self.day(before: now).upperBound
        try installation.releaseFiles.store(
            Standing(until: until.text, doneUntil: begin, reviewed: now.text, apps: without),
            of: record.id
        )
        Terminal.print("Days are released from today on, until \(until.text).")
        Terminal.report("  Next: let a timer call mcictl release standing --run each day")
    }

    /// The local day before the one that contains a moment, in milliseconds since 1970.
    private static func day(before now: WallTime) -> Range<Int64> {
        day(of: WallTime(day(of: now).lowerBound - 1))
    }

    /// The local day that contains a moment, in milliseconds since 1970.
    private static func day(of time: WallTime) -> Range<Int64> {
        let day = LocalTime(time)
        return day.startOfDay.milliseconds..<day.adding(days: 1).startOfDay.milliseconds
    }

    private func releaseDue(_ installation: Installation) throws {
        let files = installation.releaseFiles
        let now = installation.now.wall
        for record in try installation.grants() where record.isAlive(at: now) {
            guard var standing = files.standing(of: record.id) else { continue }
            try installation.verify(record.purpose)
            while true {
                let day = Self.day(of: WallTime(standing.doneUntil))
                guard day.upperBound + Standing.delay <= now.milliseconds,
                    standing.holds(at: WallTime(day.upperBound))
                else { break }
                var recipe = Recipe(
                    grant: record.id,
                    span: .init(from: day.lowerBound, to: day.upperBound)
                )
                recipe.apps = standing.apps
                let rendered = try installation.render(recipe, for: record)
                let date = TimeText.date(WallTime(day.lowerBound))
                if rendered.events > 0 {
                    let made = try files.release(
                        rendered.bytes,
                        events: rendered.events,
                        recipe,
                        record,
                        now: now
                    )
                    standing.released += 1
                    Terminal.print(
                        "\(date) went to \(record.purpose.content.id) as release \(made.number)."
                    )
                } else {
                    Terminal.print("\(date) has nothing for \(record.purpose.content.id).")
                }
                standing.doneUntil = day.upperBound
                try files.store(standing, of: record.id)
            }
            if standing.needsReview(at: now) {
                Terminal.report(
                    "You have not reviewed what goes to \(record.purpose.content.id) for a week."
                )
                Terminal.report(
                    "  Next: mcictl release draft --since yesterday, then mcictl release review"
                )
            }
        }
    }
}
