// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Person
import Policy
import System

/// The verb `exempt export`.
struct ExemptExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a request for the stewards named in the policy.",
        discussion: """
            The request says what you exempted and why, if you gave a reason; it has no recorded data.

            EXAMPLES
              mcictl exempt export 3 > request.json
            """
    )

    @Argument(help: "The number shown by mcictl exempt list.")
    var id: Int

    func run() throws {
        let installation = Installation()
        guard let record = try ExemptionText.records(installation).first(where: { $0.id == id })
        else {
            throw Failure("There is no exemption \(id).", next: "mcictl exempt list")
        }
        try Terminal.printJSON(ExemptionRequest(record, user: CurrentProcess.userID))
        if (try installation.policy())?.stewards.isEmpty ?? true {
            Terminal.report("No policy names stewards: your exemption holds without them.")
        }
    }
}

/// The verb `exempt import`.
struct ExemptImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import a steward's decision.",
        discussion: """
            An approval keeps the exemption. A refusal changes nothing until you have answered it.

            EXAMPLES
              mcictl exempt import decision.json
            """
    )

    @Argument(help: "The file; - is standard input.", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let text = String(decoding: try StewardFiles.read(file), as: UTF8.self)
        let stewards = try installation.policy()?.stewards ?? []
        var written: ExemptionRecord?
        let reply = try installation.change(.decideExemption(text)) { controls throws(Refusal) in
            written = try controls.decide(
                text,
                among: stewards,
                user: CurrentProcess.userID,
                at: installation.now.wall
            )
        }
        guard let record = reply?.exemption ?? written else {
            throw Failure("The decision could not be written.", next: "mcictl exempt list")
        }
        if json { return try Terminal.printJSON(ExemptionText.Answer(record)) }
        let question = ExemptionText.question(record)
        if question.isEmpty {
            let steward = Terminal.printable(record.decision?.steward ?? "a steward")
            Terminal.print(
                "Exemption \(record.id) was approved by \(steward): in force, \(ExemptionText.end(record, installation.now.wall))."
            )
        } else {
            question.forEach { Terminal.print($0) }
        }
    }
}

/// The verb `steward`.
struct StewardVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steward",
        abstract: "For stewards: decide on the exemptions that others request.",
        discussion: """
            EXAMPLES
              mcictl steward keygen --out steward.key      once; the policy names the public half
              mcictl steward decide request.json --key steward.key --approve > decision.json
            """,
        subcommands: [StewardKeygen.self, StewardDecide.self]
    )
}

/// The verb `steward keygen`.
struct StewardKeygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Create a steward's key.",
        discussion: """
            EXAMPLES
              mcictl steward keygen --out steward.key
            """
    )

    @Option(help: "The file for the private half; it must not exist yet.", completion: .file())
    var out: String

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var key: String
        var file: String
    }

    func run() throws {
        guard out != "-" else {
            throw Failure(
                "The private half must go to a file, not to standard output.",
                code: Failure.usage
            )
        }
        let secret = StewardSecret()
        do {
            try SecretFile.create(Array(secret.file.utf8), at: out)
        } catch {
            throw Failure(
                error.isTaken
                    ? "\(out) already exists. Nothing was changed."
                    : "The key could not be written to \(out) (\(error))."
            )
        }
        if json {
            return try Terminal.printJSON(Answer(key: secret.publicKey, file: out))
        }
        Terminal.print(secret.publicKey)
        Terminal.report("The private half is in \(out): keep it secret. Add this to the policy:")
        Terminal.report("  \"stewards\": [{\"name\": \"NAME\", \"key\": \"\(secret.publicKey)\"}]")
    }
}

/// The verb `steward decide`.
struct StewardDecide: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide",
        abstract: "Sign a decision on a request.",
        discussion: """
            The decision goes to standard output; the person imports it with mcictl exempt import.

            EXAMPLES
              mcictl steward decide request.json --key steward.key --approve > decision.json
              mcictl steward decide request.json --key steward.key --deny --reason "…" > decision.json
            """
    )

    @Argument(help: "The request; - is standard input.", completion: .file())
    var file: String

    @Option(help: "The file with your key.", completion: .file())
    var key: String

    @Flag(help: "Approve the exemption.")
    var approve = false

    @Flag(help: "Refuse it; --reason says why.")
    var deny = false

    @Option(help: "The reason, which the person reads.")
    var reason: String?

    func run() throws {
        guard approve != deny else {
            throw Failure("Choose one of --approve and --deny.", code: Failure.usage)
        }
        guard approve || !(reason ?? "").isEmpty else {
            throw Failure(
                "A refusal needs a --reason, which the person reads.",
                code: Failure.usage
            )
        }
        let request = try ExemptionRequest(try StewardFiles.read(file))
        let secret = try StewardSecret(try StewardFiles.read(key))
        let statement = StewardDecision.Statement(
            on: request,
            approves: approve,
            reason: reason,
            at: Installation().now.wall,
            steward: secret.publicKey
        )
        Terminal.write(try secret.sign(statement).json)
        let what = "\(approve ? "Approved" : "Refused"): \(Terminal.printable(request.scope.words))"
        Terminal.report("\(what). The person imports it: mcictl exempt import FILE")
    }
}

/// The small files that people and stewards send each other.
enum StewardFiles {
    /// The bytes of a file, or of standard input.
    static func read(_ file: String) throws -> [UInt8] {
        do {
            return try Disk.read(file == "-" ? "/dev/stdin" : file)
        } catch {
            throw Failure("\(file) cannot be read (\(error)). Nothing was changed.")
        }
    }
}
