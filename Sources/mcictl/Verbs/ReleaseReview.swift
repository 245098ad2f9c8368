// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Export
import Release
import Report
import System

/// The verb `release review`.
struct ReleaseReviewVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "See exactly what a draft would release.",
        discussion: """
            Renders the bytes that would go, in memory, and counts what is in them: in words here, and \
            in pictures as mcictl report does. It ends with the digest to approve.

            EXAMPLES
              mcictl release review
              mcictl release review --events      every event that would go, as JSON Lines
              mcictl release review --out draft.html
            """
    )

    @OptionGroup var draft: DraftOption

    @Flag(help: "Print every event that would go, as JSON Lines.")
    var events = false

    @Option(
        help: "The file for the page; - is standard output. It is not opened.",
        completion: .file()
    )
    var out: String?

    @Flag(help: "Make no page with pictures.")
    var noOpen = false

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var draft: Int
        var purpose: String
        var digest: String
        var events: Int
        var bytes: Int
        var omitted: [String: Int]
    }

    func run() throws {
        let installation = Installation()
        let (number, recipe, record) = try draft.chosen(installation)
        let rendered = try installation.render(recipe, for: record)
        if events {
            var (released, lines) = (ReleasedEvents(), JSONLines(withKeys: true))
            return try released.write(rendered.bytes, as: &lines, to: Terminal.write)
        }
        if json {
            return try Terminal.printJSON(
                Answer(
                    draft: number,
                    purpose: record.purpose.content.id,
                    digest: rendered.digest,
                    events: rendered.events,
                    bytes: rendered.bytes.count,
                    omitted: rendered.omitted
                )
            )
        }
        let facts = try installation.facts(rendered, recipe)
        if out != "-" { show(number, record, recipe, rendered, facts) }
        guard rendered.events > 0 else {
            return Terminal.report("The draft contains no events: there is nothing to approve.")
        }
        if out != nil || !noOpen {
            try page(number, record, recipe, rendered, facts, installation)
        }
        Terminal.report("Every single event: mcictl release review --draft \(number) --events")
        Terminal.report("  Next: mcictl release approve \(rendered.digest)")
    }

    private func show(
        _ number: Int,
        _ record: GrantRecord,
        _ recipe: Recipe,
        _ rendered: RenderedRelease,
        _ facts: RecordingFacts
    ) {
        let content = record.purpose.content
        let from = TimeText.full(WallTime(recipe.span.from))
        let to = TimeText.full(WallTime(recipe.span.to))
        Terminal.print("Draft \(number), for \(content.id): \(Terminal.printable(content.title))")
        Terminal.print("\(from) to \(to)")
        Terminal.print("")
        Terminal.print("What goes:")
        Terminal.print(PurposeText.fields(record.grant.content.fields))
        Terminal.print("")
        let apps = facts.apps.sorted { $0.key < $1.key }
        let rows = apps.map { app, counts in
            [
                app.isEmpty ? "(not shown)" : Terminal.printable(app),
                TimeText.length(Int64(counts.typingSeconds) * 1000), "\(counts.chords)",
                "\(counts.clicks)", "\(counts.movements)",
            ]
        }
        if !rows.isEmpty {
            TableText.lines([["APPLICATION", "TYPING", "CHORDS", "CLICKS", "MOVEMENTS"]] + rows)
                .forEach { Terminal.print($0) }
            Terminal.print("")
        }
        for text in Self.left(out: recipe, rendered) { Terminal.print(text) }
        let size = SizeText.words(rendered.bytes.count)
        Terminal.print(
            "\(TimeText.count(rendered.events, "event", "events")), \(size) with padding"
        )
        Terminal.print("Digest: \(rendered.digest)")
    }

    /// What does not go, in sentences.
    private static func left(out recipe: Recipe, _ rendered: RenderedRelease) -> [String] {
        var lines: [String] = []
        let omitted = rendered.omitted.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !omitted.isEmpty { lines.append("Left out: \(omitted.joined(separator: ", ")).") }
        if !recipe.apps.isEmpty {
            let names = recipe.apps.map(Terminal.printable).joined(separator: ", ")
            lines.append("You cut out the applications \(names).")
        }
        for span in recipe.spans {
            let from = TimeText.exact(WallTime(span.from))
            lines.append("You cut out \(from) to \(TimeText.exact(WallTime(span.to))).")
        }
        if !recipe.batches.isEmpty {
            let numbers = recipe.batches.map(String.init).joined(separator: ", ")
            lines.append("You cut out the batches \(numbers).")
        }
        return lines
    }

    private func page(
        _ number: Int,
        _ record: GrantRecord,
        _ recipe: Recipe,
        _ rendered: RenderedRelease,
        _ facts: RecordingFacts,
        _ installation: Installation
    ) throws {
        var setting = Page.Setting(
            now: installation.now.wall,
            period: "",
            readers: "",
            retention: 0,
            ring: ""
        )
        let content = record.purpose.content
        setting.draft = number
        setting.release =
            [
                "For \(content.title) (\(content.id)), responsible: \(content.controller).",
                "The digest of these bytes is \(rendered.digest).",
            ] + Self.left(out: recipe, rendered)
        let page = Array(Page(facts, setting).html.utf8)
        if let out {
            do {
                try OutFile.write(page, to: out)
            } catch {
                throw Failure("\(out) cannot be written (\(error)). Nothing was changed.")
            }
        } else {
            try ReportVerb.open(page, installation)
        }
    }
}
