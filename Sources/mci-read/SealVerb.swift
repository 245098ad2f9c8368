// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Notes
import Reader
import Release
import System

/// The verb `seal`.
struct SealVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Seal rows that a run derived from a release to the grant of that release.",
        discussion: """
            Sealed rows may lie anywhere: they open only through the holder, which writes it down, and not \
            any more once the grant is withdrawn. Rows that mix people cannot be sealed so.

            EXAMPLES
              mci-read seal --store outbox --run out --release 5f3c… --purpose p.purpose --key job.key < rows
            """
    )

    @Option(help: "The folder with the releases.", completion: .directory)
    var store: String
    @Option(
        name: .customLong("run"),
        help: "The folder of the run; the rows go into its folder derived.",
        completion: .directory
    )
    var folder: String
    @Option(help: "The digest of the release that the rows come from, or its first 16 digits.")
    var release: String
    @Option(help: "The file of the purpose.", completion: .file())
    var purpose: String
    @Option(help: "The file of the reader's private key.", completion: .file())
    var key: String
    @Option(name: .customLong("in"), help: "The rows; - is standard input.", completion: .file())
    var input = "-"

    func run() throws {
        let folder = Disk.real(folder) ?? folder
        let records = RunRecord.all(of: folder)
        let signed = try mci_read.purpose(purpose)
        let found = try Store(store).releases(for: signed).found.filter {
            release.count >= 16 && $0.release.digest.hasPrefix(release.lowercased())
        }
        guard let parent = found.first,
            let record = records.last(where: { record in
                record.opened.contains { $0.release == parent.digest }
            })
        else { throw Failure("This run has not opened such a release.") }
        let path = input == "-" ? "/dev/stdin" : input
        let rows = try contents(of: path, limit: 64 << 20)
        let digest = try Run.seal(
            rows,
            derivedFrom: parent,
            run: record.run,
            key: try signer(key),
            into: Disk.absolute(folder) + "/derived"
        )
        printResult(digest)
    }
}

/// The verb `purge`.
struct PurgeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Delete what runs derived from withdrawn grants, and answer for it.",
        discussion: """
            EXAMPLES
              mci-read purge --store outbox --run out --key job.key
              mci-read purge --store outbox --run out --key job.key --contains "model v3"
            """
    )

    @Option(help: "The folder with the releases, where the orders lie.", completion: .directory)
    var store: String
    @Option(
        name: .customLong("run"),
        help: "The folder of a run; can be repeated.",
        completion: .directory
    )
    var folders: [String]
    @Option(help: "The file of the reader's private key.", completion: .file())
    var key: String
    @Option(help: "What still contains something of it and cannot be taken back; can be repeated.")
    var contains: [String] = []

    func run() throws {
        let key = try signer(key)
        let erasures = Dictionary(
            Store(store).erasures().map { ($0.content.grant, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        guard !erasures.isEmpty else { return say("No grant in this store has ended.") }
        for (grant, _) in erasures.sorted(by: { $0.key < $1.key }) {
            var purged: [String] = []
            var isConcerned = false
            for folder in folders.map({ Disk.real($0) ?? $0 }) {
                let records = RunRecord.all(of: folder)
                if records.isEmpty { throw Failure("\(folder) is not the folder of a run.") }
                let rows = derived(of: grant, in: folder)
                isConcerned =
                    isConcerned || !rows.isEmpty
                    || records.contains { $0.opened.contains { $0.grant == grant } }
                purged += rows
            }
            guard isConcerned else {
                say("\(grant): these runs opened nothing of it.")
                continue
            }
            var answer = try Signed(
                PurgeAnswer(
                    grant: grant,
                    reader: key.verifier.text,
                    time: wallNow.text,
                    purged: purged,
                    contains: contains
                )
            )
            try answer.sign(key)
            let name = Digest.hex(Array(key.verifier.text.utf8)).prefix(16)
            try write(answer: answer.bytes, "\(store)/\(grant)/answers/\(name).note")
            printResult("\(grant): \(purged.count) deleted, answered.")
        }
    }

    /// Deletes the derived rows of a grant.
    private func derived(of grant: String, in folder: String) -> [String] {
        let rows = "\(folder)/derived"
        return (Disk.names(in: rows) ?? []).filter { $0.hasSuffix(".derived") }.compactMap { name in
            guard let bytes = try? Disk.read("\(rows)/\(name)"),
                let note = try? Signed<Derived>(bytes), note.content.grant == grant
            else { return nil }
            Disk.remove("\(rows)/\(name.dropLast(".derived".count)).age")
            Disk.remove("\(rows)/\(name)")
            return note.digest
        }
    }

    private func write(answer: [UInt8], _ path: String) throws {
        do {
            try Disk.write(answer, to: Disk.absolute(path))
        } catch {
            throw Failure("\(path) cannot be written (\(error)).")
        }
    }
}
