// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Person
import Release

/// The verb `release list`.
struct ReleaseListVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List grants, drafts and releases.",
        discussion: """
            EXAMPLES
              mcictl release list
              mcictl release list --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        struct Made: Encodable {
            var number: Int
            var from: String
            var to: String
            var approved: String
            var events: Int
            var bytes: Int
            var release: String
            var state: String
        }
        struct Granted: Encodable {
            var id: String
            var purpose: String
            var issued: String
            var expires: String
            var state: String
            var releases: [Made]
            var standing: Standing?
        }
        struct Draft: Encodable {
            var number: Int
            var grant: String
            var from: String
            var to: String
        }
        var schema = 1
        var grants: [Granted]
        var drafts: [Draft]
        var openings: Int?
    }

    func run() throws {
        let installation = Installation()
        let files = installation.releaseFiles
        let granted = try installation.grants().map { record in
            let state =
                record.erasure != nil
                ? "withdrawn" : record.isAlive(at: installation.now.wall) ? "in force" : "expired"
            let made = files.records(of: record.id).map { release in
                Answer.Made(
                    number: release.number,
                    from: WallTime(release.recipe.span.from).text,
                    to: WallTime(release.recipe.span.to).text,
                    approved: release.approved,
                    events: release.events,
                    bytes: release.size,
                    release: release.release,
                    state: Self.state(release, record, state, files)
                )
            }
            return Answer.Granted(
                id: record.id,
                purpose: record.purpose.content.id,
                issued: record.grant.content.issued,
                expires: record.grant.content.expires,
                state: state,
                releases: made,
                standing: files.standing(of: record.id)
            )
        }
        let drafts = files.drafts.compactMap { number -> Answer.Draft? in
            guard let recipe = try? files.draft(number) else {
                Terminal.report(
                    "warning: Draft \(number) is damaged. Next: mcictl release discard --draft \(number)"
                )
                return nil
            }
            return Answer.Draft(
                number: number,
                grant: recipe.grant,
                from: WallTime(recipe.span.from).text,
                to: WallTime(recipe.span.to).text
            )
        }
        if json {
            return try Terminal.printJSON(
                Answer(grants: granted, drafts: drafts, openings: installation.openings?.count)
            )
        }
        guard !granted.isEmpty || !drafts.isEmpty else {
            Terminal.print("Nothing is granted, and nothing was released.")
            Terminal.report("  Next: mcictl release purposes")
            return
        }
        for grant in granted { show(grant) }
        for draft in drafts {
            Terminal.print("Draft \(draft.number): \(Self.span(draft.from, draft.to))")
        }
        if let openings = installation.openings, openings.count > 0 {
            let times = TimeText.count(openings.count, "opening", "openings")
            Terminal.print("\(times) so far: mcictl release trace")
        }
    }

    private static func state(
        _ release: ReleaseRecord,
        _ record: GrantRecord,
        _ state: String,
        _ files: ReleaseFiles
    ) -> String {
        if release.discarded != nil { return "discarded" }
        if state != "in force" { return state }
        return files.isInOutbox(release.number, of: record.id) ? "in the outbox" : "never finished"
    }

    private func show(_ grant: Answer.Granted) {
        Terminal.print(
            "\(grant.purpose) (grant \(grant.id.prefix(8))): \(grant.state), until \(grant.expires)"
        )
        if let standing = grant.standing {
            Terminal.print("  \(standing.words)")
        }
        guard !grant.releases.isEmpty else { return Terminal.print("  no release yet") }
        let rows = grant.releases.map { release in
            [
                "  \(release.number)", Self.span(release.from, release.to), "\(release.events)",
                SizeText.words(release.bytes), release.state,
            ]
        }
        TableText.lines([["  NUMBER", "PERIOD", "EVENTS", "SIZE", "STATE"]] + rows)
            .forEach { Terminal.print($0) }
    }

    private static func span(_ from: String, _ to: String) -> String {
        guard let from = WallTime(from), let to = WallTime(to) else { return "" }
        return "\(TimeText.full(from)) to \(TimeText.full(to))"
    }
}
