// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Holder
import Notes
import Release
import Sealing
import Timeline

/// The verb `release trace`.
struct ReleaseTraceVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "See who opened what you released, when and why.",
        discussion: """
            Asks the holder for the whole log of each grant, and checks every signature, that nothing is \
            missing, and that it continues the log that you saw last time.

            EXAMPLES
              mcictl release trace
              mcictl release trace --purpose spreadsheet-model --json
            """
    )

    @Option(help: "Only this purpose, or the grant that begins with these digits.")
    var purpose: String?

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        struct Opening: Encodable {
            var time: String
            var release: String
            var number: Int?
            var person: String
            var team: String
            var job: String
            var reason: String
            var run: String
        }
        struct Purge: Encodable {
            var reader: String
            var time: String
            var purged: [String]
            var contains: [String]
        }
        struct Log: Encodable {
            var grant: String
            var purpose: String
            var ended: String?
            var entries: Int
            var openings: [Opening]
            var answers: [Purge]
        }
        var schema = 1
        var otherReaders: [String]
        var grants: [Log]
    }

    func run() throws {
        let installation = Installation()
        let readers = (try? installation.readers())?.keys ?? []
        // A protected identity does not say which key is one's own: one of several must be another.
        let others =
            installation.ownKeys.map { own in readers.filter { !own.contains($0) } }
            ?? (readers.count > 1 ? readers : [])
        if !json {
            for key in others {
                Terminal.print(
                    "The live recording can also be read with \(key), without any trace."
                )
            }
        }
        let records = try installation.grants().filter { record in
            purpose.map { $0 == record.purpose.content.id || record.id.hasPrefix($0) } ?? true
        }
        guard !records.isEmpty else {
            if json {
                return try Terminal.printJSON(Answer(otherReaders: others, grants: []))
            }
            return Terminal.print("You have granted nothing, so nobody could open anything.")
        }
        var logs: [Answer.Log] = []
        var (isSound, isAnswered) = (true, true)
        for record in records {
            do {
                let log = try trace(record, installation)
                logs.append(log)
                if !json { show(log, record, installation) }
            } catch is HolderSilent {
                isAnswered = false
            } catch let error as ReleaseError {
                isSound = false
                let name = "\(record.purpose.content.id) (grant \(record.id.prefix(8)))"
                Terminal.report("error: The log of \(name) cannot be believed.")
                Terminal.report("  \(error.reason)")
                if let next = error.next { Terminal.report("  Next: \(next)") }
            }
        }
        if json { try Terminal.printJSON(Answer(otherReaders: others, grants: logs)) }
        guard isSound, isAnswered else {
            Terminal.report(
                isSound
                    ? "  Next: mcictl release trace again, or systemctl --user status mci-holder"
                    : "  Next: mcictl release withdraw --all (nobody can open anything then)"
            )
            throw ExitCode(Failure.failed)
        }
    }

    /// The holder could not be asked, which says nothing about its log.
    private struct HolderSilent: Error {}

    private func trace(_ record: GrantRecord, _ installation: Installation) throws -> Answer.Log {
        let files = installation.releaseFiles
        let log: (leaves: [[UInt8]], checkpoint: [UInt8])
        do {
            log = try installation.log(of: record)
        } catch {
            let name = "\(record.purpose.content.id) (grant \(record.id.prefix(8)))"
            Terminal.report("error: The log of \(name) could not be read. \(error)")
            throw HolderSilent()
        }
        let checkpoint = log.checkpoint
        let trace = try LogTrace(
            leaves: log.leaves,
            checkpoint: checkpoint,
            of: record,
            seen: files.checkpoint(of: record.id)
        )
        try files.store(checkpoint: checkpoint, of: record.id)
        let numbers = Dictionary(
            files.records(of: record.id).map { ($0.release, $0.number) },
            uniquingKeysWith: { first, _ in first }
        )
        return Answer.Log(
            grant: record.id,
            purpose: record.purpose.content.id,
            ended: trace.erasure.map { "\($0.content.cause.rawValue) \($0.content.time)" },
            entries: trace.checkpoint.size,
            openings: trace.entries.map { entry in
                let (who, what) = (entry.certificate.content, entry.opening.content)
                return Answer.Opening(
                    time: entry.time.text,
                    release: what.release,
                    number: numbers[what.release],
                    person: who.person,
                    team: who.team,
                    job: who.job,
                    reason: what.reason,
                    run: what.run
                )
            },
            // Only who opened something can answer for it.
            answers: files.answers(of: record.id).filter { answer in
                trace.entries.contains { $0.opening.content.reader == answer.content.reader }
            }.map {
                Answer.Purge(
                    reader: String($0.content.reader.prefix { $0 != "+" }),
                    time: $0.content.time,
                    purged: $0.content.purged,
                    contains: $0.content.contains
                )
            }
        )
    }

    private func show(_ log: Answer.Log, _ record: GrantRecord, _ installation: Installation) {
        let content = record.purpose.content
        Terminal.print(
            "\(content.id) (grant \(log.grant.prefix(8))): \(Terminal.printable(content.title))"
        )
        let state =
            log.ended ?? "in force until \(record.grant.content.expires)"
        Terminal.print(
            "  \(state); the log has \(TimeText.count(log.entries, "entry", "entries")), all signed."
        )
        guard !log.openings.isEmpty else {
            Terminal.print("  Nobody opened anything.")
            return answers(log)
        }
        let rows = log.openings.map { opening in
            [
                "  " + (WallTime(opening.time).map { TimeText.full($0) } ?? opening.time),
                opening.number.map(String.init) ?? "derived rows",
                Terminal.printable(opening.person), Terminal.printable(opening.team),
                Terminal.printable(opening.job), Terminal.printable(opening.reason),
                String(opening.run.prefix(8)),
            ]
        }
        TableText.lines([["  WHEN", "RELEASE", "WHO", "TEAM", "JOB", "REASON", "RUN"]] + rows)
            .forEach { Terminal.print($0) }
        answers(log)
    }

    /// What readers answered to the end of a grant, and who has not answered.
    private func answers(_ log: Answer.Log) {
        guard log.ended != nil else { return }
        for answer in log.answers {
            let contains = answer.contains.map(Terminal.printable).joined(separator: ", ")
            Terminal.print(
                "  \(Terminal.printable(answer.reader)) deleted"
                    + " \(TimeText.count(answer.purged.count, "file", "files"))"
                    + (contains.isEmpty ? "." : "; it remains in: \(contains).")
            )
        }
        let opened = Set(log.openings.map(\.run)).count
        if opened > 0, log.answers.isEmpty {
            Terminal.print("  No reader has answered yet what became of what was opened.")
        }
    }
}

/// The verb `release withdraw`.
struct ReleaseWithdrawVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "End a grant: destroy its lock, so that nobody can open its releases any more.",
        discussion: """
            It takes effect at once, wherever copies lie and whoever has them. It does not reach what was \
            opened before: mcictl release trace says by whom, and what they answer.

            EXAMPLES
              mcictl release withdraw spreadsheet-model
              mcictl release withdraw --all --yes
            """
    )

    @Argument(help: "The purpose, or the first digits of the grant.")
    var purpose: String?

    @Flag(help: "Withdraw all grants.")
    var all = false

    @Flag(help: "Withdraw without being asked.")
    var yes = false

    func run() throws {
        let installation = Installation()
        guard all != (purpose != nil) else {
            throw Failure(
                "Say what to withdraw: a purpose, or --all.",
                next: "mcictl release list",
                code: Failure.usage
            )
        }
        // What was withdrawn while the holder could not answer is finished too.
        let records = installation.releaseFiles.grants().filter { record in
            guard record.isAlive(at: installation.now.wall) || record.isUnfinished else {
                return false
            }
            return purpose.map {
                record.purpose.content.id == $0 || $0.count >= 6 && record.id.hasPrefix($0)
            } ?? true
        }
        guard !records.isEmpty else {
            throw Failure("You have no such grant in force.", next: "mcictl release list")
        }
        let names = records.map(\.purpose.content.id).joined(separator: ", ")
        if !yes,
            !(try Terminal.ask("Withdraw \(names)? This cannot be undone.", script: "--yes"))
        {
            return Terminal.report("Nothing was changed.")
        }
        let results = installation.withdraw(records)
        for (record, failure) in results {
            guard let failure else { continue }
            let purpose = record.purpose.content.id
            Terminal.report("error: \(purpose) (grant \(record.id.prefix(8))): \(failure)")
        }
        let ended = results.filter { $0.failure == nil }.map(\.record.purpose.content.id)
        if !ended.isEmpty {
            Terminal.print(
                "Withdrawn: \(ended.joined(separator: ", ")). The locks are destroyed and the outbox is empty."
            )
        }
        guard ended.count == results.count else {
            Terminal.report("The rest is not confirmed. Next: mcictl release withdraw --all")
            throw ExitCode(Failure.failed)
        }
        Terminal.report("Copies that lie anywhere cannot be opened any more.")
        Terminal.report("  Next: mcictl release trace (who opened something before)")
    }
}
