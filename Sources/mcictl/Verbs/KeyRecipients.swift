// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Person
import Timeline

/// The verb `key recipients`.
struct KeyRecipientsVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipients",
        abstract: "See and choose who can read what is recorded from now on.",
        discussion: """
            Your consent says who can read, so a change asks you and renews it. What is \
            stored already stays as it is: a new reader cannot open it, a former one still \
            can.

            EXAMPLES
              mcictl key recipients
              mcictl key recipients add age1…
              mcictl key recipients remove age1…
            """,
        subcommands: [
            KeyRecipientsListVerb.self, KeyRecipientsAddVerb.self, KeyRecipientsRemoveVerb.self,
        ],
        defaultSubcommand: KeyRecipientsListVerb.self
    )
}

/// The verb `key recipients list`.
struct KeyRecipientsListVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the keys that can read what is recorded from now on.",
        discussion: """
            EXAMPLES
              mcictl key recipients list
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let keys = try Installation().readers().keys
        if json { return try Terminal.printJSON(keys) }
        keys.forEach { Terminal.print($0) }
    }
}

/// The verb `key recipients add`.
struct KeyRecipientsAddVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Let another key read what is recorded from now on.",
        discussion: """
            EXAMPLES
              mcictl key recipients add age1…
            """
    )

    @Argument(help: "The reader's public key, age1…")
    var key: String

    @Flag(help: "Consent without being asked.")
    var yes = false

    func run() throws {
        let installation = Installation()
        try installation.changeReaders(asking: !yes, "mcictl key recipients add") { readers in
            do throws(RecipientsFile.Objection) {
                try readers.add(key)
            } catch {
                switch error {
                case .noKey:
                    // What was given is not repeated: it may be a private key.
                    let isSecret = key.uppercased().hasPrefix("AGE-SECRET-KEY")
                    throw Failure(
                        isSecret
                            ? "That is a private key. Give it to nobody; your shell may remember it."
                            : "That is not a public key: one begins with age1 and has 62 characters.",
                        next: "age-keygen -y IDENTITY (prints the public key of an identity)",
                        code: Failure.usage
                    )
                case .alreadyThere: throw Failure("That key can read already.")
                case .tooMany:
                    throw Failure(
                        "There can be \(RecipientsFile.maxRecipients) readers and no more."
                    )
                }
            }
        }
    }
}

/// The verb `key recipients remove`.
struct KeyRecipientsRemoveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "No longer let a key read what is recorded from now on.",
        discussion: """
            EXAMPLES
              mcictl key recipients remove age1…
            """
    )

    @Argument(help: "The reader's public key, age1…")
    var key: String

    @Flag(help: "Consent without being asked.")
    var yes = false

    func run() throws {
        let installation = Installation()
        let own = try installation.identities().map(\.recipient)
        try installation.changeReaders(asking: !yes, "mcictl key recipients remove") { readers in
            guard readers.remove(key) else {
                throw Failure("That key is not among the readers.", next: "mcictl key recipients")
            }
            guard readers.keys.contains(where: own.contains) else {
                throw Failure(
                    "Then you could not read your own recording. Nothing was changed.",
                    next: "mcictl key rotate (a new key of your own)",
                    code: Failure.refused
                )
            }
        }
    }
}

extension Installation {
    /// Changes who can read: shows what will hold, asks, and renews the consent.
    ///
    /// - Parameters:
    ///   - asking: whether there is a question.
    ///   - command: what the receipt names as the act.
    ///   - change: throws where it cannot be.
    /// - Throws: a ``Failure``; nothing is then changed.
    func changeReaders(
        asking: Bool,
        _ command: String,
        _ change: (inout RecipientsFile) throws -> Void
    ) throws {
        let before = try readers()
        var after = before
        try change(&after)
        reportReaders(after.keys, own: ownKeys)
        Terminal.report("What is stored already stays as it is.")
        if asking {
            let question = validConsent() == nil ? "Change it?" : "Do you consent to that?"
            guard try Terminal.ask(question, script: nil) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        let method = command + (asking ? ", answered on a terminal" : " --yes")
        let isRenewed = try withSettingsLock {
            guard try readers() == before else { throw Self.changedMeanwhile }
            return try setReaders(after, method: method)
        }
        reportDone(isRenewed, after)
    }

    /// Says what holds after a change of the readers.
    func reportDone(_ isRenewed: Bool, _ readers: RecipientsFile) {
        let keys = TimeText.count(readers.keys.count, "key", "keys")
        Terminal.print("What is recorded from now on is sealed to \(keys).")
        Terminal.print(
            isRenewed
                ? "Your consent says so: mcictl consent --show"
                : "No consent is in force, so nothing is recorded: mcictl consent"
        )
    }

    static let changedMeanwhile = Failure("Another command changed it. Nothing was changed here.")
}
