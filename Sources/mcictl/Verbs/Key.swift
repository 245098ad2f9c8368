// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Person
import Storage
import System
import Timeline

/// The verb `key`.
struct KeyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Manage your key, and who else can read the recording.",
        discussion: """
            \(Installation.lossWarning)

            EXAMPLES
              mcictl key show
              mcictl key backup /media/stick/mci-identity
              mcictl key protect
              mcictl key recipients add age1…
            """,
        subcommands: [
            KeyShowVerb.self, KeyBackupVerb.self, KeyRestoreGrantsVerb.self, KeyProtectVerb.self,
            KeyUnprotectVerb.self,
            KeyRecipientsVerb.self, KeyRotateVerb.self,
        ]
    )
}

/// The verb `key show`.
struct KeyShowVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract:
            "Show your public keys, how your identity is kept, and who can read the recording.",
        discussion: """
            The private key is never shown.

            EXAMPLES
              mcictl key show
              mcictl key show --open      asks for the passphrase of a protected identity
              mcictl key show --json
            """
    )

    @Flag(help: "Open a protected identity, to show its public keys too.")
    var open = false

    @Flag(help: "Print JSON.")
    var json = false

    /// What is shown.
    private struct Answer: Encodable {
        var schema = 1
        var identity: String
        /// The target if that path is a symbolic link.
        var file: String
        var mode: String
        var isProtected: Bool
        /// The identity's public keys; absent if a passphrase protects them.
        var keys: [String]?
        /// Who can read what is recorded from now on.
        var recipients: [String]
        /// Who can read according to the consent in force; absent without one.
        var consentRecipients: [String]?
        /// How many keys the newest batch was sealed to; absent if there is none.
        var newestBatchReaders: Int?
    }

    func run() throws {
        let installation = Installation()
        let answer = try answer(installation)
        if json { return try Terminal.printJSON(answer) }
        Terminal.print("Identity    \(answer.identity), mode \(answer.mode)")
        if answer.file != answer.identity { Terminal.print("            a link to \(answer.file)") }
        Terminal.print(
            answer.isProtected
                ? "Protected   by a passphrase"
                : "Protected   no: anyone who copies the file can read everything (mcictl key protect)"
        )
        list("Keys", answer.keys, or: "protected by the passphrase (--open shows them)")
        list("Readers", answer.recipients, or: "")
        if answer.consentRecipients != answer.recipients {
            list("Consented", answer.consentRecipients, or: "no consent is in force")
        }
        if let count = answer.newestBatchReaders {
            let keys = TimeText.count(count, "key", "keys")
            Terminal.print("Ring        the newest batch is sealed to \(keys)")
        }
        if answer.mode != "0600", answer.mode != "0400" {
            Terminal.report("warning: other users may open your identity file.")
            Terminal.report("  Next: chmod 600 \(answer.file)")
        }
        if let consented = answer.consentRecipients, consented != answer.recipients {
            Terminal.report(
                "warning: the readers named in your consent differ from the recipients file."
            )
            Terminal.report("  Next: mcictl consent")
        }
        if let keys = answer.keys, !answer.recipients.contains(where: keys.contains) {
            Terminal.report("warning: what is recorded now cannot be read with this identity.")
            Terminal.report("  Next: mcictl consent, or put the right identity back")
        }
    }

    private func answer(_ installation: Installation) throws -> Answer {
        var keys = installation.ownKeys
        if open { keys = try installation.identities().map(\.recipient) }
        let content = try installation.identityFile().content
        let facts: SecretFile.Facts
        let file: String
        do {
            file = try SecretFile(installation.paths.identity).path
            facts = try SecretFile.facts(file)
        } catch {
            throw Failure("Your identity file cannot be examined (\(error)).")
        }
        var isProtected = false
        if case .protected = content { isProtected = true }
        let digits = String(facts.mode, radix: 8)
        return Answer(
            identity: installation.paths.identity,
            file: file,
            mode: String(repeating: "0", count: max(0, 4 - digits.count)) + digits,
            isProtected: isProtected,
            keys: keys,
            recipients: try installation.readers().keys,
            consentRecipients: installation.validConsent()?.recipients,
            newestBatchReaders: newestReaders(installation)
        )
    }

    private func newestReaders(_ installation: Installation) -> Int? {
        guard Disk.exists(installation.paths.ring),
            let ring = try? RingReader(path: installation.paths.ring),
            let entry = try? ring.entries().last, let sealed = try? ring.sealed(entry)
        else { return nil }
        return try? AgeFile(sealed).readerCount
    }

    private func list(_ label: String, _ values: [String]?, or none: String) {
        let values = values ?? [none]
        for (index, value) in values.enumerated() {
            let label = index == 0 ? label : ""
            Terminal.print(label + String(repeating: " ", count: 12 - label.count) + value)
        }
    }
}
