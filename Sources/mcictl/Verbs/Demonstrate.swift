// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Gate
import Person
import Storage
import System
import Timeline

/// The verb `demonstrate`.
struct DemonstrateVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demonstrate",
        abstract: "Record a bounded piece of work with a name and a goal.",
        usage: """
            mcictl demonstrate <name> --goal <text> [--for <duration>] [--key-detail <level>]
                               [--titles] [--only <app> ...] [--yes] [--json]
            mcictl demonstrate --end (done | failed) [--json]
            mcictl demonstrate --discard [--yes] [--json]
            mcictl demonstrate [--json]
            """,
        discussion: """
            A demonstration ends when you end it, or after 8 hours at most. If you agree, it can record more \
            key detail and window titles than your settings do, but never more than a policy allows. \
            --only limits it to some applications. Pauses, exemptions and exclusions still apply. The \
            name and the goal are stored with the recording. Until the demonstration ends, controls.json \
            also contains them, unencrypted.

            Without a name, it shows the current demonstration.

            EXAMPLES
              mcictl demonstrate "book a flight" --goal "Find and book the cheapest flight to Oslo"
              mcictl demonstrate invoices --goal "Enter 5 invoices" --only "libreoffice*" --for 1h
              mcictl demonstrate form --goal "Fill in the form" --key-detail full
              mcictl demonstrate --end done
              mcictl demonstrate --discard            end it and erase it
              mcictl export --demonstration invoices --out invoices.jsonl
              mcictl forget --demonstration invoices
            """
    )

    @Argument(help: "The name, at most 64 bytes.")
    var name: String?

    @Option(help: "The task, in one line of at most 256 bytes.")
    var goal: String?

    @Option(
        name: .customLong("for"),
        help: "End it after this time, such as 30m; at most 8h, the default."
    )
    var length: String?

    @Option(
        help: "Key detail for this demonstration: off, activity, shortcuts, classes or full.",
        completion: .list(KeyDetail.allCases.map(\.rawValue))
    )
    var keyDetail: String?

    @Flag(help: "Store window titles during the demonstration.")
    var titles = false

    @Option(
        help: ArgumentHelp(
            "Record only this application; can be repeated.",
            valueName: "app"
        )
    )
    var only: [String] = []

    @Option(help: "End it: done or failed.", completion: .list(["done", "failed"]))
    var end: String?

    @Flag(help: "End it and erase everything that was recorded in it.")
    var discard = false

    @Flag(help: "Answer the question with yes.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        let ways = [name != nil, end != nil, discard].filter(\.self).count
        guard ways <= 1 else {
            throw ValidationError("Give only one of NAME, --end and --discard.")
        }
        if name == nil, goal != nil || length != nil || keyDetail != nil || titles || !only.isEmpty
        {
            throw ValidationError("A demonstration needs a name: mcictl demonstrate NAME.")
        }
        if name != nil, goal == nil {
            throw ValidationError("A demonstration needs a goal: --goal \"what is to be done\".")
        }
        if let end, end != "done", end != "failed" {
            throw ValidationError("“\(end)” is not an outcome; write done or failed.")
        }
        if let keyDetail, KeyDetail(rawValue: keyDetail) == nil {
            throw ValidationError(
                "“\(keyDetail)” is not a key detail. Choose off, activity, shortcuts, classes or full."
            )
        }
    }

    func run() throws {
        let installation = Installation()
        if let name, let goal { return try begin(name, goal, installation) }
        if let end { return try finish(end, installation) }
        if discard { return try discardIt(installation) }
        try show(
            try installation.call(.getStatus)?.status,
            installation,
            whereNone: "No demonstration is in progress."
        )
    }

    private struct Answer: Encodable {
        var schema = 1
        var demonstration: Status.Demonstration?
        var outcome: String?
        var erasedBatches: Int?

        enum CodingKeys: CodingKey { case schema, demonstration, outcome, erasedBatches }

        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(schema, forKey: .schema)
            try fields.encode(demonstration, forKey: .demonstration)
            try fields.encodeIfPresent(outcome, forKey: .outcome)
            try fields.encodeIfPresent(erasedBatches, forKey: .erasedBatches)
        }
    }

    // MARK: Beginning

    private func begin(_ name: String, _ goal: String, _ installation: Installation) throws {
        let length = try length.map { try TimeText.duration($0, maximum: 1) }
        if let length, length > DemonstrationRecord.maxLength {
            throw Failure("A demonstration lasts at most 8 hours.", code: Failure.usage)
        }
        guard try yes || agrees() else {
            Terminal.report("Nothing was changed.")
            throw ExitCode(Failure.refused)
        }
        let call = DemonstrateCall(
            name: name,
            goal: goal,
            seconds: length.map { Int(($0 + 999) / 1000) },
            keyDetail: keyDetail,
            titles: titles ? true : nil,
            only: only.isEmpty ? nil : only
        )
        guard let reply = try installation.call(.demonstrate(call)) else {
            throw Failure(
                "mcid is not running, so nothing would be recorded.",
                next: Installation.startCommand,
                code: Failure.unavailable
            )
        }
        try show(reply.status, installation, whereNone: "")
        if !json, let status = reply.status, status.state != .recording {
            Terminal.report(
                "Nothing is being recorded now: \(StatusText.lines(status, installation.now.wall)[0])"
            )
        }
    }

    /// Asks about what is recorded beyond the settings.
    private func agrees() throws -> Bool {
        let detail = keyDetail.flatMap { KeyDetail(rawValue: $0) }
        if let detail, detail.revealsText { return try KeyDetailVerb.agrees(to: detail) }
        guard titles else { return true }
        Terminal.report("Window titles can name documents, web pages and people.")
        return try Terminal.ask("Store them in this demonstration?", script: "--yes")
    }

    private func show(
        _ status: Status?,
        _ installation: Installation,
        whereNone words: String
    ) throws {
        if json { return try Terminal.printJSON(Answer(demonstration: status?.demonstration)) }
        guard let demonstration = status?.demonstration else { return Terminal.print(words) }
        Terminal.print(StatusText.words(demonstration, installation.now.wall))
        Terminal.print("  Goal: \(Terminal.printable(demonstration.goal))")
        Terminal.print("  End it: mcictl demonstrate --end done")
    }

    // MARK: Ending

    /// Ends the demonstration, whether or not mcid runs.
    private func end(
        _ outcome: String,
        _ installation: Installation,
        isKept: Bool = true
    ) throws -> DemonstrationRecord {
        guard let record = try ControlsFile(installation.paths).read().demonstration else {
            throw Failure("No demonstration is in progress.", next: "mcictl demonstrate --help")
        }
        let now = installation.now.wall.text
        _ = try installation.change(.endDemonstration(outcome)) { controls in
            guard isKept else { return controls.demonstration = nil }
            // mcid stores the end when it starts.
            guard controls.demonstration != nil, controls.demonstration?.ended == nil else {
                return
            }
            controls.demonstration?.ended = now
            controls.demonstration?.outcome = outcome
        }
        return record
    }

    private func finish(_ outcome: String, _ installation: Installation) throws {
        let record = try end(outcome, installation)
        if json { return try Terminal.printJSON(Answer(outcome: outcome)) }
        let name = Terminal.printable(record.name)
        Terminal.print("The demonstration “\(name)” has ended: \(outcome).")
        let word = Terminal.shellWord(record.name)
        Terminal.report("  Show it: mcictl log --since \(record.term.since)")
        Terminal.report(
            "  Write it: mcictl export --demonstration=\(word) --out demonstration.jsonl"
        )
    }

    private func discardIt(_ installation: Installation) throws {
        guard let record = try ControlsFile(installation.paths).read().demonstration else {
            throw Failure("No demonstration is in progress.", next: "mcictl forget --help")
        }
        // Asks for a passphrase, if there is one, before anything is changed.
        let identities = try installation.identities()
        let name = Terminal.printable(record.name)
        if !yes {
            let question = "End “\(name)” and permanently erase what was recorded in it?"
            guard try Terminal.ask(question, script: "--yes") else {
                return Terminal.report("Nothing was changed.")
            }
        }
        _ = try end("failed", installation, isKept: false)
        let ring = try RingReader(path: try installation.ringPath(nil))
        let timeline = TimelineReader(ring, identities)
        let wanted = record.demonstration
        let numbers = try timeline.batches(
            0...Int64.max / 4,
            ofDemonstration: { wanted.isSame(as: $0) }
        )
        let (erased, pending) = try Eraser(installation).erase(.batches(numbers), dryRun: false)
        if json {
            return try Terminal.printJSON(Answer(outcome: "discarded", erasedBatches: erased))
        }
        Terminal.print(
            "The demonstration “\(name)” has ended. Erased \(TimeText.count(erased, "batch", "batches"))."
        )
        if pending {
            Terminal.report("Traces remain until another program stops reading the ring.")
        }
    }
}

extension StatusText {
    /// The demonstration that goes on, in a sentence.
    static func words(_ demonstration: Status.Demonstration, _ now: WallTime) -> String {
        func clock(_ text: String?) -> String? {
            text.flatMap { WallTime($0) }.map { TimeText.short($0, now: now) }
        }
        var more: [String] = []
        if let detail = demonstration.keyDetail { more.append("key detail \(detail)") }
        if demonstration.titles { more.append("titles") }
        if !demonstration.only.isEmpty {
            more.append("only \(Terminal.printable(demonstration.only.joined(separator: ", ")))")
        }
        let own = more.isEmpty ? "" : " (\(more.joined(separator: ", ")))"
        let until = clock(demonstration.until).map { ", until \($0) at the latest" } ?? ""
        let since = clock(demonstration.since).map { " since \($0)" } ?? ""
        return "Demonstration “\(Terminal.printable(demonstration.name))”\(since)\(until)\(own)."
    }
}
