// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Release

/// The verb `release approve`.
struct ReleaseApproveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Release exactly the bytes that you reviewed.",
        discussion: """
            The draft is rendered again. If the bytes are others than those with this digest, nothing goes.

            EXAMPLES
              mcictl release approve 5f3c…
            """
    )

    @OptionGroup var draft: DraftOption

    @Argument(help: "The digest that review printed, or its first 16 digits or more.")
    var digest: String

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var grant: String
        var number: Int
        var release: String
        var digest: String
    }

    func run() throws {
        let installation = Installation()
        let (number, recipe, record) = try draft.chosen(installation)
        let digest = digest.lowercased()
        guard 16...64 ~= digest.utf8.count, Digest.isHex(digest, digest.utf8.count) else {
            throw Failure(
                "The digest has 16 to 64 hexadecimal digits.",
                next: "mcictl release review --draft \(number)",
                code: Failure.usage
            )
        }
        let rendered = try installation.render(recipe, for: record)
        guard rendered.digest.hasPrefix(digest) else {
            throw Failure(
                "What would go now is not what you reviewed: the draft or the recording has changed."
                    + " Nothing was released.",
                next: "mcictl release review --draft \(number)",
                code: Failure.refused
            )
        }
        guard rendered.events > 0 else {
            throw Failure("The draft contains no events. Nothing was released.")
        }
        let files = installation.releaseFiles
        let made = try files.release(
            rendered.bytes,
            events: rendered.events,
            recipe,
            record,
            now: installation.now.wall
        )
        files.removeDraft(number)
        if json {
            return try Terminal.printJSON(
                Answer(
                    grant: record.id,
                    number: made.number,
                    release: made.release,
                    digest: made.payload
                )
            )
        }
        Terminal.print("Released as \(record.purpose.content.id) \(made.number), sealed.")
        Terminal.print("It lies in \(files.outbox)/\(record.id)")
        Terminal.report(
            "Whoever is certified can fetch it from there and ask your holder to open it."
        )
        Terminal.report("See who did: mcictl release trace. Take it back: mcictl release withdraw")
    }
}

/// The verb `release discard`.
struct ReleaseDiscardVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Throw away a draft, or take a release out of the outbox.",
        discussion: """
            A release that was fetched before can still be opened, because its grant has one lock for all \
            releases. Only mcictl release withdraw destroys that lock.

            EXAMPLES
              mcictl release discard --draft 3
              mcictl release discard 2 --purpose spreadsheet-model
            """
    )

    @Argument(help: "The number of a release, as mcictl release list shows it.")
    var number: Int?

    @Option(help: "The granted purpose; needed if there is more than one.")
    var purpose: String?

    @Option(help: "The number of a draft.")
    var draft: Int?

    func run() throws {
        let installation = Installation()
        let files = installation.releaseFiles
        if let draft, number == nil {
            guard files.drafts.contains(draft) else { _ = try files.draft(draft); return }
            files.removeDraft(draft)
            return Terminal.print("Draft \(draft) is gone. Nothing was released.")
        }
        guard let number, draft == nil else {
            throw Failure(
                "Say what to discard: --draft and its number, or the number of a release.",
                next: "mcictl release list",
                code: Failure.usage
            )
        }
        let record = try installation.grant(purpose)
        guard let release = files.records(of: record.id).first(where: { $0.number == number }),
            release.discarded == nil
        else { throw Failure("There is no such release.", next: "mcictl release list") }
        try files.discard(release, of: record.id, now: installation.now.wall)
        Terminal.print("Release \(number) is no longer in the outbox.")
        Terminal.report(
            "A copy that was fetched before can still be opened, and the log says by whom."
        )
        Terminal.report(
            "  Next: mcictl release withdraw \(record.purpose.content.id) (ends that too)"
        )
    }
}
