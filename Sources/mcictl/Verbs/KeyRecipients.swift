// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Person
import Timeline

/// The verb `key recipients`.
struct KeyRecipientsVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipients",
        abstract: "See and choose who can read what is recorded from now on.",
        discussion: """
            Your consent says who can read, so a change asks you and renews it. Earlier \
            recordings stay as they are: a new reader cannot open them, a former one still \
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
        if let user = installation.releaseUser(of: key) {
            throw Failure(
                "That key belongs to \(user). As a reader it would open everything without a trace.",
                next: "mcictl release (gives a purpose what you choose)",
                code: Failure.refused
            )
        }
        try installation.changeReaders(asking: !yes, "mcictl key recipients add") { readers in
            do throws(RecipientsFile.Objection) {
                try readers.add(key)
            } catch {
                switch error {
                case .noKey:
                    // The argument is not repeated: it may be a private key.
                    let isSecret = key.uppercased().hasPrefix("AGE-SECRET-KEY")
                    throw Failure(
                        isSecret
                            ? "That is a private key. Never share it; your shell may remember it."
                            : "That is not a public key, which begins with age1 and has 62 characters.",
                        next: "age-keygen -y IDENTITY (prints the public key of an identity)",
                        code: Failure.usage
                    )
                case .alreadyThere: throw Failure("That key can already read.")
                case .tooMany:
                    throw Failure("There can be at most \(RecipientsFile.maxRecipients) readers.")
                }
            }
        }
    }
}

/// The verb `key recipients remove`.
struct KeyRecipientsRemoveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Stop a key from reading what is recorded from now on.",
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
                throw Failure("That key is not one of the readers.", next: "mcictl key recipients")
            }
            guard readers.keys.contains(where: own.contains) else {
                throw Failure(
                    "After this change you could not read your own recording. Nothing was changed.",
                    next: "mcictl key rotate (a new key of your own)",
                    code: Failure.refused
                )
            }
        }
    }
}

extension Installation {
    /// Changes who can read: shows the new readers, asks, and renews the consent.
    ///
    /// - Parameters:
    ///   - asking: whether to ask first.
    ///   - command: the command that the receipt names.
    ///   - change: throws if it is not possible.
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
        Terminal.report("Earlier recordings stay as they are.")
        if asking {
            let question = validConsent() == nil ? "Make this change?" : "Do you consent to this?"
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

    /// Says what is in force after a change of the readers.
    func reportDone(_ isRenewed: Bool, _ readers: RecipientsFile) {
        let keys = TimeText.count(readers.keys.count, "key", "keys")
        Terminal.print("From now on, the recording is sealed to \(keys).")
        Terminal.print(
            isRenewed
                ? "Your consent now says so: mcictl consent --show"
                : "No consent is in force, so nothing is recorded: mcictl consent"
        )
    }

    static let changedMeanwhile = Failure(
        "Another command changed the readers meanwhile, so they were not changed here."
    )
}
