// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Export
import FoundationEssentials
import Notes
import Release
import System

/// The verb `key`.
struct KeyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract:
            "Make a key that signs: of an organisation, a steward, a reader authority or a reader.",
        discussion: """
            EXAMPLES
              mci-read key new example.org/purposes --out purposes.key
              mci-read key show purposes.key
            """,
        subcommands: [KeyNewVerb.self, KeyShowVerb.self]
    )
}

/// The verb `key new`.
struct KeyNewVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a private key, and print the public one.",
        discussion: """
            EXAMPLES
              mci-read key new example.org/purposes --out purposes.key
            """
    )

    @Argument(help: "A name for the key, without spaces and +.")
    var name: String

    @Option(help: "The file to create; an existing one is never replaced.", completion: .file())
    var out: String

    func run() throws {
        guard NoteVerifier.isName(name) else {
            throw Failure("A key's name has no spaces and no +.", code: Failure.usage)
        }
        let key = NoteSigner(name: name)
        do {
            try SecretFile.create(Array(key.file.utf8), at: out)
        } catch {
            throw Failure("\(out) cannot be created (\(error)).")
        }
        printResult(key.verifier.text)
    }
}

/// The verb `key show`.
struct KeyShowVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the public key of a private one.",
        discussion: """
            EXAMPLES
              mci-read key show purposes.key
            """
    )

    @Argument(help: "The file of the private key.", completion: .file())
    var file: String

    func run() throws { printResult(try signer(file).verifier.text) }
}

/// The verb `certify`.
struct CertifyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certify",
        abstract: "As the reader authority, say who a reader is, for a purpose and a few days.",
        discussion: """
            EXAMPLES
              mci-read certify --purpose p.purpose --reader "$(mci-read key show job.key)" --person "A. Reader" \\
                  --team research --job train-v3 --days 2 --key authority.key --out job.certificate
            """
    )

    @Option(help: "The file of the purpose.", completion: .file())
    var purpose: String
    @Option(help: "The reader's public key.")
    var reader: String
    @Option(help: "The person who reads.")
    var person: String
    @Option(help: "The team that it is for.")
    var team: String
    @Option(help: "The job.")
    var job: String
    @Option(help: "How many days it holds, 1 to 366.")
    var days: Int = 1
    @Option(help: "The file of the reader authority's private key.", completion: .file())
    var key: String
    @Option(help: "The file to write; - is standard output.", completion: .file())
    var out: String

    func run() throws {
        guard 1...Purpose.maxDays ~= days else {
            throw Failure("--days must be 1 to \(Purpose.maxDays).", code: Failure.usage)
        }
        let signed = try mci_read.purpose(purpose)
        let authority = try signer(key)
        guard authority.verifier.text == signed.content.readers else {
            throw Failure("This is not the key of the purpose's reader authority.")
        }
        let now = wallNow
        var certificate = try Signed(
            Certificate(
                purpose: signed.digest,
                person: person,
                team: team,
                job: job,
                key: reader,
                from: now.text,
                until: WallTime(now.milliseconds + Int64(days) * 86_400_000).text
            )
        )
        try certificate.sign(authority)
        try write(certificate.bytes, out)
    }
}

/// The verb `purpose`.
struct PurposeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purpose",
        abstract: "Make, sign and check purposes.",
        discussion: """
            EXAMPLES
              mci-read purpose make spreadsheet.json --key purposes.key --out p.purpose
              mci-read purpose sign p.purpose --key steward.key
              mci-read purpose check p.purpose
            """,
        subcommands: [PurposeMakeVerb.self, PurposeSignVerb.self, PurposeCheckVerb.self]
    )
}

/// The verb `purpose make`.
struct PurposeMakeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Make a purpose from a JSON file, and sign it as the organisation.",
        discussion: """
            purpose.schema.json describes the file, and purpose.example.json is one.

            EXAMPLES
              mci-read purpose make spreadsheet.json --key purposes.key --out p.purpose
            """
    )

    @Argument(help: "The JSON file.", completion: .file())
    var file: String
    @Option(help: "The file of the organisation's private key.", completion: .file())
    var key: String
    @Option(help: "The file to write; - is standard output.", completion: .file())
    var out: String

    func run() throws {
        let key = try signer(key)
        let content: Purpose
        do {
            content = try JSONDecoder().decode(
                Purpose.self,
                from: Data(try contents(of: file))
            )
        } catch let error as DecodingError {
            throw Failure("\(file) is not a purpose: \(Self.words(error))")
        }
        guard content.authority == key.verifier.text else {
            throw Failure("The purpose names another authority than this key.")
        }
        var signed = try Signed(content)
        try signed.sign(key)
        // What is written is what can be read: unknown keys of the JSON are gone, and that is shown.
        try write(signed.bytes, out)
        say("Signed by the organisation. Next: mci-read purpose sign \(out) --key STEWARD.key")
    }

    /// What a value lacks, without showing it.
    private static func words(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            let name = path(context)
            return name.isEmpty ? "it is not JSON." : "\(name) has a value that it cannot have."
        @unknown default: return "it is not JSON."
        }
    }
}

/// The verb `purpose sign`.
struct PurposeSignVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Countersign a purpose as its steward, after showing what it asks for.",
        discussion: """
            EXAMPLES
              mci-read purpose sign p.purpose --key steward.key
            """
    )

    @Argument(help: "The file of the purpose, which is replaced.", completion: .file())
    var file: String
    @Option(help: "The file of the steward's private key.", completion: .file())
    var key: String

    func run() throws {
        var signed = try Signed<Purpose>(try contents(of: file))
        try signed.verify(signed.content.authority, of: "organisation")
        let key = try signer(key)
        guard key.verifier.text == signed.content.steward else {
            throw Failure("The purpose names another steward than this key.")
        }
        guard (try? signed.verify()) == nil else {
            return say("The steward has signed it already.")
        }
        show(signed)
        try signed.sign(key)
        try write(signed.bytes, file)
        say("Signed by the steward. It can be granted now.")
    }
}

/// The verb `purpose check`.
struct PurposeCheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verify a purpose, and show what it asks for.",
        discussion: """
            EXAMPLES
              mci-read purpose check p.purpose
            """
    )

    @Argument(help: "The file of the purpose.", completion: .file())
    var file: String

    func run() throws {
        let signed = try purpose(file)
        show(signed)
        printResult("Both signatures are valid.")
    }
}

/// Prints what a purpose asks for.
private func show(_ signed: Signed<Purpose>) {
    let content = signed.content
    // The steward reads this in the organisation's terminal: nothing in it may move the cursor.
    let line = SafeText.printable
    printResult("\(content.id): \(line(content.title))")
    content.text.split(separator: "\n", omittingEmptySubsequences: false)
        .forEach { printResult("  | \(line(String($0)))") }
    printResult("Responsible: \(line(content.controller)). Contact: \(line(content.contact))")
    printResult("Days: \(content.days). Expires: \(content.expires). Holder: \(content.holders[0])")
    printResult("A model may be trained: \(content.weights ? "yes" : "no")")
    printResult("Organisation: \(line(content.authority))")
    printResult("Steward:      \(line(content.steward))")
    printResult("Readers are certified by: \(line(content.readers))")
    for row in content.fields.rows { printResult("  \(row.field) = \(row.grade): \(row.words)") }
    if !content.fields.applications.isEmpty {
        printResult("  only in: \(content.fields.applications.map(line).joined(separator: ", "))")
    }
    printResult("Digest: \(signed.digest)")
}

/// Writes a file that the command line names.
func write(_ bytes: [UInt8], _ path: String) throws {
    do {
        try OutFile.write(bytes, to: path)
    } catch {
        throw Failure("\(path) cannot be written (\(error)).")
    }
}
