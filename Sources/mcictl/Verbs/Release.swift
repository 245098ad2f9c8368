// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Person
import Release
import System

/// The verb `release`.
struct ReleaseVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Give a part of the recording to a purpose, see who opens it, and take it back.",
        discussion: """
            A purpose says what is asked for. You grant it, draft a release, look at exactly what would \
            go, and approve those bytes. They are sealed to a lock that is opened for a named reader, \
            and only after that is written down. Withdrawing destroys the lock: nobody can open a copy \
            any more who has not opened it before.

            EXAMPLES
              mcictl release purposes import spreadsheet.purpose
              mcictl release grant spreadsheet-model
              mcictl release draft --since 09:00 --until 12:00
              mcictl release review
              mcictl release approve 5f3c…
              mcictl release trace
              mcictl release withdraw spreadsheet-model
            """,
        subcommands: [
            ReleasePurposesVerb.self, ReleaseGrantVerb.self, ReleaseDraftVerb.self,
            ReleaseCutVerb.self, ReleaseReviewVerb.self, ReleaseApproveVerb.self,
            ReleaseStandingVerb.self, ReleaseListVerb.self, ReleaseDiscardVerb.self,
            ReleaseTraceVerb.self, ReleaseWithdrawVerb.self,
        ]
    )
}

/// The verb `release purposes`.
struct ReleasePurposesVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purposes",
        abstract: "Import purposes, and see what they ask for.",
        discussion: """
            EXAMPLES
              mcictl release purposes
              mcictl release purposes import spreadsheet.purpose
              mcictl release purposes show spreadsheet-model
            """,
        subcommands: [
            ReleasePurposesListVerb.self, ReleasePurposesImportVerb.self,
            ReleasePurposesShowVerb.self,
        ],
        defaultSubcommand: ReleasePurposesListVerb.self
    )
}

/// The verb `release purposes list`.
struct ReleasePurposesListVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the imported purposes.",
        discussion: """
            EXAMPLES
              mcictl release purposes list
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var purposes: [Purpose]
    }

    func run() throws {
        let purposes = Installation().releaseFiles.purposes()
        if json { return try Terminal.printJSON(Answer(purposes: purposes.map(\.content))) }
        guard !purposes.isEmpty else {
            Terminal.print("No purpose was imported.")
            Terminal.report("  Next: mcictl release purposes import FILE")
            return
        }
        let rows = purposes.map { purpose in
            [
                purpose.content.id, Terminal.printable(purpose.content.title),
                Terminal.printable(purpose.content.controller), purpose.content.expires,
            ]
        }
        TableText.lines([["PURPOSE", "FOR", "RESPONSIBLE", "EXPIRES"]] + rows)
            .forEach { Terminal.print($0) }
    }
}

/// The verb `release purposes import`.
struct ReleasePurposesImportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import a purpose after checking its signatures. Nothing is granted by this.",
        discussion: """
            EXAMPLES
              mcictl release purposes import spreadsheet.purpose
            """
    )

    @Argument(help: "The file of the purpose.", completion: .file())
    var file: String

    func run() throws {
        let installation = Installation()
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(file)
        } catch {
            throw Failure("\(Terminal.printable(file)) cannot be read (\(error)).")
        }
        let purpose = try Signed<Purpose>(bytes)
        try installation.verify(purpose)
        let earlier = installation.releaseFiles.purposes()
            .first { $0.content.id == purpose.content.id }
        try installation.releaseFiles.store(purpose)
        Terminal.print(PurposeText.words(purpose))
        if let earlier, earlier.digest != purpose.digest {
            Terminal.report(
                "It replaces another purpose of this name. Grants of that one stay as they are."
            )
        }
        Terminal.report("Imported. Nothing is granted.")
        Terminal.report("  Next: mcictl release grant \(purpose.content.id)")
    }
}

/// The verb `release purposes show`.
struct ReleasePurposesShowVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a purpose asks for, in words.",
        discussion: """
            EXAMPLES
              mcictl release purposes show spreadsheet-model
            """
    )

    @Argument(help: "The purpose, as the list names it.")
    var purpose: String

    func run() throws {
        Terminal.print(PurposeText.words(try Installation().purpose(purpose)))
    }
}

extension Installation {
    /// An imported purpose by its id.
    ///
    /// - Throws: a ``Failure`` where there is none.
    func purpose(_ id: String) throws -> Signed<Purpose> {
        guard let purpose = releaseFiles.purposes().first(where: { $0.content.id == id }) else {
            throw Failure(
                "No purpose \(Terminal.printable(id)) was imported.",
                next: "mcictl release purposes"
            )
        }
        return purpose
    }
}

/// A purpose and its fields, as the person reads them.
enum PurposeText {
    /// Everything that a purpose says.
    static func words(_ purpose: Signed<Purpose>) -> String {
        let content = purpose.content
        let line = Terminal.printable
        let text = content.text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { line(String($0)) }.joined(separator: "\n")
        let end =
            content.weights
            ? "A model may be trained. What a model has learned cannot be taken back."
            : "No model is to be trained."
        return """
            \(line(content.title)) (\(content.id))

            \(text)

            Responsible: \(line(content.controller)). Ask: \(line(content.contact))
            Signed by:   \(line(content.authority))
                         \(line(content.steward)) (steward)
            A grant lasts \(TimeText.count(content.days, "day", "days")) at most, and ends by \(content.expires).
            It is opened by a process on your own machine, which writes down who, when and why.
            \(end)

            What it asks for:
            \(fields(content.fields))
            Never, whatever is recorded: what was typed, titles, names of devices, touches.
            """
    }

    /// The fields as a table.
    static func fields(_ fields: ReleaseFields) -> String {
        var rows = fields.rows.map { ["  \($0.field)", $0.grade, $0.words] }
        if !fields.applications.isEmpty {
            let names = fields.applications.map(Terminal.printable).joined(separator: ", ")
            rows.append(["  only in", "", names])
        }
        return TableText.lines(rows).joined(separator: "\n")
    }
}
