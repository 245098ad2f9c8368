// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Export
import Glibc
import Holder
import Notes
import Reader
import Release
import Sandbox
import System

/// The verb `run`.
struct RunVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Open releases and give them to a command, confined and through a pipe.",
        discussion: """
            The holder writes each opening into its grant's log before it opens. The command gets the \
            events on its standard input, has no network, and can write into --out alone. Beside that \
            folder, in OUT.run, two files name every release that was opened. MCI_OUT is the path of that folder.

            EXAMPLES
              mci-read run --store outbox --holder holder/program --purpose p.purpose \\
                  --key job.key --certificate job.certificate --reason "train v3" --out out -- python3 train.py
            """
    )

    @Option(help: "The folder with the releases; it may be a copy.", completion: .directory)
    var store: String
    @Option(help: "The folder of the holder's requests and answers.", completion: .directory)
    var holder: String
    @Option(help: "The file of the purpose.", completion: .file())
    var purpose: String
    @Option(help: "The file of the reader's private key.", completion: .file())
    var key: String
    @Option(help: "The file of the reader's certificate.", completion: .file())
    var certificate: String
    @Option(help: "Why, as the persons will read it in their trace.")
    var reason: String
    @Option(
        help: "The only folder that the command can write into; it is created.",
        completion: .directory
    )
    var out: String
    @Option(help: "What the command reads: jsonl or csv.", completion: .list(["jsonl", "csv"]))
    var format = "jsonl"
    @Option(
        help:
            "A file or folder that the command may also read, such as its own code; can be repeated.",
        completion: .file()
    )
    var read: [String] = []
    @Option(
        help: "A folder with derived rows of earlier runs, which are opened too.",
        completion: .directory
    )
    var derived: String?
    @Option(help: "Open at most this many releases.")
    var limit: Int?
    @Option(help: "Seconds to wait for the holder, 1 to 86400.")
    var patience = 60
    @Argument(parsing: .postTerminator, help: "The command and its arguments.")
    var command: [String]

    func run() throws {
        guard !command.isEmpty else {
            throw Failure("Give a command after --.", code: Failure.usage)
        }
        guard ["jsonl", "csv"].contains(format), 1...86_400 ~= patience, limit ?? 1 > 0 else {
            throw Failure("An option has a value that it cannot have.", code: Failure.usage)
        }
        let signed = try mci_read.purpose(purpose)
        let note = try contents(of: certificate)
        let certified = try Signed<Certificate>(note)
        try certified.verify(signed.content.readers, of: "reader authority")
        let key = try signer(key)
        guard certified.content.key == key.verifier.text else {
            throw Failure("The certificate is for another key.")
        }
        guard certified.content.holds(at: wallNow) else {
            throw Failure(
                "The certificate holds from \(certified.content.from) until \(certified.content.until)."
            )
        }
        let (found, skipped) = try Store(store).releases(for: signed)
        for one in skipped { say("left out: \(one.path): \(one.reason)") }
        var releases = found + (derived.map { Store.derived(in: $0, of: found) } ?? [])
        if let limit { releases = Array(releases.prefix(limit)) }
        guard !releases.isEmpty else {
            throw Failure("The store has no release for this purpose.", code: Failure.refused)
        }
        let out = try resultFolder()
        // Nothing is opened for a job that could not be confined.
        guard try Job(["true"], writing: out, reading: read).end() == 0 else {
            throw Failure("The job cannot be confined. Nothing was opened.", code: Failure.unfit)
        }
        let run = Run(key: key, certificate: note, reason: reason)
        if !run.isKeyLocked { say("warning: The key of the run is not locked in memory.") }
        let (request, asked) = run.request(releases)
        let spool = Spool(holder)
        let answer = try spool.ask(request, id: run.id, patience: Int64(patience) * 1000)
        guard let answer else {
            throw Failure(
                "The holder did not answer within \(patience) s. Is mci-holder running? Nothing was opened."
            )
        }
        if let refusal = answer.refusal {
            throw Failure("The holder refuses: \(refusal)", code: Failure.refused)
        }
        var job: Job?
        var record = RunRecord(
            run: run.id,
            reason: reason,
            certificate: certified.content,
            purpose: signed
        )
        // Before the job gets anything: what it does cannot undo this.
        record.opened = asked.map { one in
            .init(
                release: one.release.digest,
                grant: one.release.grant.content.id,
                isDerived: one.release.derived != nil
            )
        }
        try record.write(beside: out)
        record.opened = []
        try run.open(asked, answer) { release, result in
            switch result {
            case .refused(let reason):
                record.refused += 1
                say("refused: \(release.digest.prefix(16)): \(reason)")
            case .opened(let plaintext):
                record.opened.append(
                    .init(
                        release: release.digest,
                        grant: release.grant.content.id,
                        isDerived: release.derived != nil
                    )
                )
                let started = try job ?? Job(command, writing: out, reading: read)
                job = started
                try give(plaintext, release, to: started)
            }
        }
        guard let job else {
            try record.write(beside: out)
            throw Failure(
                "Nothing was opened, and the command was not started.",
                code: Failure.refused
            )
        }
        let code = job.end()
        try record.write(beside: out)
        say("\(record.opened.count) opened, \(record.refused) refused; run \(run.id)")
        guard code == 0 else { throw ExitCode(code) }
    }

    /// The folder of the results, made if it is missing, by its real path.
    ///
    /// - Throws: a ``Failure`` for a folder that has something else in it than results.
    private func resultFolder() throws -> String {
        var path = Disk.absolute(out)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        do {
            try Disk.makeFolder(path)
        } catch {
            throw Failure("\(out) cannot be created (\(error)).")
        }
        guard let folder = Disk.real(path), OwnPath.fault(path, .folder) == nil else {
            throw Failure("\(out) is not a folder of yours, or a link.", code: Failure.usage)
        }
        for other in [store, holder, purpose, key, certificate] + read
        where Disk.real(other).map({ $0 == folder || $0.hasPrefix(folder + "/") }) ?? false {
            throw Failure(
                "\(out) contains \(other), which the job must not change.",
                code: Failure.usage
            )
        }
        for path in read
        where Disk.real(key).map({ $0.hasPrefix((Disk.real(path) ?? "/") + "/") }) ?? false {
            throw Failure(
                "\(path) contains your key, which the job must not read.",
                code: Failure.usage
            )
        }
        return folder
    }

    /// Writes one release to the job; a job that reads no further gets no more.
    private func give(_ plaintext: [UInt8], _ release: StoredRelease, to job: Job) throws {
        if release.derived != nil { return job.write(plaintext) }
        var events = ReleasedEvents()
        do {
            if format == "csv" {
                var writer = CSV()
                job.writeOnce(writer.head)
                try events.write(plaintext, as: &writer) { job.write($0) }
            } else {
                let head =
                    "{\"type\":\"release\",\"release\":\"\(release.digest)\",\"grant\":\""
                    + "\(release.grant.content.id)\",\"number\":\(release.release.content.number)}\n"
                job.write(Array(head.utf8))
                var writer = JSONLines(withKeys: true)
                try events.write(plaintext, as: &writer) { job.write($0) }
            }
        } catch {
            say("left out: \(release.digest.prefix(16)): its payload is not in the format.")
        }
    }
}

/// The verb `confined`, which `run` starts: confines itself, and becomes the command.
struct ConfinedVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confined",
        abstract: "Confine a command as run does.",
        shouldDisplay: false
    )

    @Option var out: String
    @Option var read: [String] = []
    @Argument(parsing: .postTerminator) var command: [String]

    func run() throws {
        if let sentence = JobSandbox.enter(writing: Disk.absolute(out), reading: read) {
            throw Failure(
                "The job is not confined, so it does not start: \(sentence)",
                code: Failure.unfit
            )
        }
        CurrentProcess.become(
            command,
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": Disk.absolute(out),
                "TMPDIR": Disk.absolute(out), "MCI_OUT": Disk.absolute(out), "LANG": "C.UTF-8",
            ]
        )
        throw Failure("\(command.first ?? "") cannot be started.", code: 127)
    }
}
