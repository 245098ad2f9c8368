// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Gate
import Person
import Release
import System
import Timeline

/// The verb `release draft`.
struct ReleaseDraftVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draft",
        abstract: "Choose a part of the recording for a release. Nothing goes by this.",
        discussion: """
            A draft is a recipe: the period, and what you cut out of it. It contains nothing of the \
            recording.

            EXAMPLES
              mcictl release draft --since 09:00 --until 12:00
              mcictl release draft --purpose spreadsheet-model --since 2026-11-23 --until 2026-11-28
              mcictl release draft --demonstration invoices
            """
    )

    @Option(help: "The granted purpose; needed if there is more than one.")
    var purpose: String?

    @Option(help: "From this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to this time; by default now.")
    var until: String?

    @Option(help: "The demonstration of this name, the latest of several.")
    var demonstration: String?

    func run() throws {
        let installation = Installation()
        let record = try installation.grant(purpose)
        guard (since != nil) != (demonstration != nil) else {
            throw Failure(
                "Say what to draft: --since and --until, or --demonstration.",
                next: "mcictl release draft --help",
                code: Failure.usage
            )
        }
        var recipe: Recipe
        if let demonstration {
            guard until == nil else {
                throw Failure("A demonstration is taken as a whole.", code: Failure.usage)
            }
            recipe = try self.recipe(of: demonstration, record, installation)
        } else {
            let range = try installation.range(since: since, until: until)
            let end = min(range.upperBound, installation.now.wall.milliseconds)
            guard range.lowerBound < end else {
                throw Failure("This period is empty, or lies in the future.", code: Failure.usage)
            }
            recipe = Recipe(grant: record.id, span: .init(from: range.lowerBound, to: end))
        }
        let number = (installation.releaseFiles.drafts.max() ?? 0) + 1
        try installation.releaseFiles.store(recipe, as: number)
        let from = TimeText.full(WallTime(recipe.span.from))
        let to = TimeText.full(WallTime(recipe.span.to))
        Terminal.print("Draft \(number): \(from) to \(to), for \(record.purpose.content.id)")
        Terminal.report("  Next: mcictl release review --draft \(number)")
    }

    private func recipe(
        of name: String,
        _ record: GrantRecord,
        _ installation: Installation
    ) throws -> Recipe {
        var last: Demonstration?
        _ = try installation.timeline().batches(0...Int64.max / 4) { demonstration in
            if demonstration.name == name { last = demonstration }
            return false
        }
        guard let last else {
            throw Failure(
                "There is no demonstration of this name.",
                next: "mcictl query \"SELECT * FROM demonstrations\""
            )
        }
        guard let ended = last.ended else {
            throw Failure(
                "This demonstration has not ended, or its end is not known.",
                next: "mcictl demonstrate --end done"
            )
        }
        return Recipe(
            grant: record.id,
            span: .init(
                from: last.begun.milliseconds,
                to: max(ended.milliseconds, last.begun.milliseconds + 1)
            ),
            demonstration: last.key
        )
    }
}

/// The draft that a verb works on.
struct DraftOption: ParsableArguments {
    @Option(name: .customLong("draft"), help: "The number of the draft; by default the latest.")
    var number: Int?

    /// The draft with its number and its grant.
    ///
    /// - Throws: a ``ReleaseError`` where there is none.
    func chosen(_ installation: Installation) throws -> (Int, Recipe, GrantRecord) {
        guard let number = number ?? installation.releaseFiles.drafts.last else {
            throw ReleaseError("There is no draft.", next: "mcictl release draft --since 09:00")
        }
        let recipe = try installation.releaseFiles.draft(number)
        guard let record = try installation.grants().first(where: { $0.id == recipe.grant }),
            record.isAlive(at: installation.now.wall)
        else {
            throw ReleaseError(
                "The grant of this draft is over.",
                next: "mcictl release discard --draft \(number)"
            )
        }
        try installation.verify(record.purpose)
        return (number, recipe, record)
    }
}

/// The verb `release cut`.
struct ReleaseCutVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Cut an application, a time or a batch out of a draft.",
        discussion: """
            EXAMPLES
              mcictl release cut --app Signal
              mcictl release cut --since 11:00 --until 11:20
              mcictl release cut --batch 1042       as mcictl query \"SELECT DISTINCT batch FROM events\"
              mcictl release cut --undo             nothing is cut out any more
            """
    )

    @OptionGroup var draft: DraftOption

    @Option(
        help: "An application: its class as log shows it; * and ? as in exempt. Can be repeated."
    )
    var app: [String] = []

    @Option(help: "From this time on.")
    var since: String?

    @Option(help: "Up to this time.")
    var until: String?

    @Option(help: "The number of a batch of the recording; can be repeated.")
    var batch: [UInt64] = []

    @Flag(help: "Take back everything that was cut out.")
    var undo = false

    func run() throws {
        let installation = Installation()
        var (number, recipe, _) = try draft.chosen(installation)
        let isEmpty = app.isEmpty && batch.isEmpty && since == nil && until == nil
        guard undo == isEmpty else {
            throw Failure(
                "Say what to cut out: --app, --since and --until, --batch, or --undo.",
                next: "mcictl release cut --help",
                code: Failure.usage
            )
        }
        if undo { (recipe.apps, recipe.spans, recipe.batches) = ([], [], []) }
        for app in app { _ = try Glob.ofApp(app) }
        recipe.apps += app.filter { !recipe.apps.contains($0) }
        recipe.batches += batch.filter { !recipe.batches.contains($0) }
        // With --app, a period only says where the figure was seen; an application goes as a whole.
        if app.isEmpty, since != nil || until != nil {
            let range = try installation.range(since: since, until: until)
            let end = min(range.upperBound, recipe.span.to - 1) + 1
            let begin = max(range.lowerBound, recipe.span.from)
            guard begin < end else {
                throw Failure("The draft has nothing at this time.", code: Failure.usage)
            }
            recipe.spans.append(.init(from: begin, to: end))
        }
        try installation.releaseFiles.store(recipe, as: number)
        Terminal.print(undo ? "Draft \(number) is whole again." : "Cut out of draft \(number).")
        Terminal.report("  Next: mcictl release review --draft \(number)")
    }
}
