// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Gate
import Person
import Release
import System
import Timeline

/// The verb `consent`.
struct ConsentVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consent",
        abstract: "Read the notice and consent, show your consent, or withdraw it.",
        discussion: """
            Nothing is recorded before you consent. Your first consent creates a key pair: the public \
            half is for mcid, the private half for you alone. The receipt says how you consented.

            EXAMPLES
              mcictl consent
              mcictl consent --show
              mcictl consent --withdraw     at once, even without mcid
            """
    )

    @Flag(help: "Consent without being asked, for scripts that have already asked.")
    var accept = false

    @Flag(help: "Ask in a window (zenity), or in a terminal that opens.")
    var dialog = false

    @Flag(help: "Show your consent.")
    var show = false

    @Flag(help: "Withdraw your consent.")
    var withdraw = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard [accept, dialog, show, withdraw].filter(\.self).count <= 1 else {
            throw Failure(
                "Choose one of --accept, --dialog, --show and --withdraw.",
                code: Failure.usage
            )
        }
        let installation = Installation()
        if show { return try showReceipt(installation) }
        if withdraw { return try takeBack(installation) }
        try give(installation)
    }

    private func give(_ installation: Installation) throws {
        let standing = installation.validConsent().map {
            "Your consent of \(Self.time($0)) is in force"
        }
        if let standing, !json {
            Terminal.print("\(standing): mci may record. Withdraw it: mcictl consent --withdraw\n")
        }
        let notice = Consent.notice(under: try installation.policy())
        if dialog {
            guard let answer = ConsentDialog.ask(notice) else { return try openTerminal() }
            guard answer else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        } else if !json {
            Terminal.print(notice)
        }
        // Lists every key if one is not your own, however it came into the file.
        let (readers, own) = ((try? installation.readers())?.keys ?? [], installation.ownKeys)
        if !readers.allSatisfy({ own?.contains($0) == true }) {
            installation.reportReaders(readers, own: own)
        }
        if !accept, !dialog {
            let question = standing == nil ? "Do you consent?" : "Do you consent again?"
            guard try Terminal.ask(question, script: nil) else {
                if let standing {
                    Terminal.report("Nothing was changed. \(standing), and mci may record.")
                    Terminal.report("  Withdraw it: mcictl consent --withdraw")
                } else {
                    Terminal.report("Nothing was changed. You have not consented.")
                }
                throw ExitCode(Failure.refused)
            }
        }
        let recipients = try installation.withSettingsLock {
            try endRevealingText(installation)
            return try keys(installation)
        }
        let (receipt, reply) = try installation.consent(
            recipients,
            method: accept
                ? "mcictl consent --accept, without a question"
                : dialog
                    ? "mcictl consent --dialog, ticked and confirmed in a window"
                    : "mcictl consent, answered on a terminal"
        )
        // “Record” is what the button says.
        if dialog, reply == nil { ConsentDialog.startService() }
        if json { return try Terminal.printJSON(Answer(receipt: receipt)) }
        Terminal.print("You have consented. Withdraw at any time: mcictl consent --withdraw")
        if let status = reply?.status {
            Terminal.print(StatusText.lines(status, installation.now.wall)[0])
        } else {
            Terminal.report("mcid is not running. Start it: \(Installation.startCommand)")
        }
    }

    /// Where there is no dialog, a terminal asks; where there is none either, this says where to.
    private func openTerminal() throws {
        if ConsentDialog.openTerminal() { return }
        throw Failure(
            "No window can ask here: neither zenity nor a terminal could be started.",
            next: "mcictl consent"
        )
    }

    /// The notice says that only the steps of typed text are stored: more must be chosen again later.
    private func endRevealingText(_ installation: Installation) throws {
        let file = SettingsFile(installation.paths.settings)
        guard var settings = try? file.read(),
            KeyDetail(stored: settings.keyDetail)?.revealsText == true
        else { return }
        settings.choose(.shortcuts, at: installation.now.wall)
        try file.write(settings)
        Terminal.report("Key detail is back to shortcuts.")
    }

    /// Makes the key pair if there is none; never a second private key beside a public one.
    private func keys(_ installation: Installation) throws -> [String] {
        let paths = installation.paths
        let readers = Disk.exists(paths.recipients) ? try installation.readers() : nil
        guard Disk.exists(paths.identity) else {
            if let readers {
                Terminal.report(
                    "warning: your identity is not at \(paths.identity). Recording continues,"
                )
                Terminal.report(
                    "  sealed to its public key, and only it can read that. For a new key,"
                )
                Terminal.report("  remove \(paths.recipients) and consent again.")
                return readers.keys
            }
            return try makeKey(installation).keys
        }
        if let readers {
            // The keys of a protected identity are not asked for: they were written here once.
            guard case .plain(let keys) = try installation.identityFile().content,
                !readers.keys.contains(where: keys.map(\.recipient).contains)
            else { return readers.keys }
        }
        // The recording is sealed to another identity, or the public key is gone.
        let file = RecipientsFile(key: try installation.identities()[0].recipient)
        try installation.write(file)
        return file.keys
    }

    private func makeKey(_ installation: Installation) throws -> RecipientsFile {
        let (path, identity) = (installation.paths.identity, Identity())
        // The key may be on a medium that is not mounted: its place must stay free.
        guard !TrustedFile.isThere(path) else {
            throw Failure(
                "Your identity \(path) is a link to a missing file. Nothing was changed.",
                next: "ls -l \(path)"
            )
        }
        do {
            try Disk.write(Array(identity.file(createdAt: installation.now.wall).utf8), to: path)
        } catch {
            throw Failure("The key could not be written to \(path) (\(error)).")
        }
        Terminal.report("Your key was created: \(path)")
        Terminal.report("  \(Installation.lossWarning)")
        Terminal.report("  Next: mcictl key backup FILE, and mcictl key protect")
        let file = RecipientsFile(key: identity.recipient)
        try installation.write(file)
        return file
    }

    /// What `--withdraw --json` prints.
    private struct Withdrawal: Encodable {
        let schema = 1
        let daemonRunning: Bool
    }

    private func takeBack(_ installation: Installation) throws {
        let reply = try installation.change(.withdraw) { $0.withdraw(at: installation.now.wall) }
        if json {
            return try Terminal.printJSON(Withdrawal(daemonRunning: reply != nil))
        }
        Terminal.print("Your consent is withdrawn. Nothing is recorded any more.")
        withdrawGrants(installation)
        Terminal.print(
            "What was already recorded is still on this computer. Erase it: mcictl forget --all"
        )
    }

    private func showReceipt(_ installation: Installation) throws {
        let found = try ControlsFile(installation.paths).find()
        installation.reportPutBack(found.controls)
        // A consent in a file that was put back is shown but does not count.
        let isShownOnly = found.controls.consent == nil && !json
        let lapsed = isShownOnly ? found.lapsedConsent : nil
        guard let receipt = found.controls.consent ?? lapsed else {
            try showNone(withdrawnAt: found.controls.withdrawnAt)
            throw ExitCode(Failure.failed)
        }
        if json { return try Terminal.printJSON(Answer(receipt: receipt)) }
        Terminal.print("Given      \(Self.time(receipt))")
        Terminal.print("How        \(Terminal.printable(receipt.collectionMethod))")
        Terminal.print("By         \(receipt.piiPrincipal) (uid \(receipt.userId))")
        Terminal.print("Purpose    \(Terminal.printable(receipt.purpose))")
        Terminal.print("Records    \(receipt.piiCategories.joined(separator: ", "))")
        Terminal.print("Kept in    \(receipt.storageLocation)")
        Terminal.print("Readable   by \(receipt.recipients.joined(separator: ", "))")
        Terminal.print("Signed     by the recorder with the key \(receipt.deviceKey)")
        let isValid = installation.validConsent() != nil
        Terminal.print(
            "Valid      \(isValid ? "yes" : "no: \(isShownOnly ? "the controls file is not the newest one" : "the notice, policy, user, host or recorder's key has changed")")"
        )
        Terminal.print("Withdraw   \(receipt.withdrawal)")
        installation.loosened(found.controls).forEach { Terminal.print("Chosen     \($0)") }
    }

    /// Withdraws all grants: who may not record may not release either.
    private func withdrawGrants(_ installation: Installation) {
        let alive = installation.releaseFiles.grants()
            .filter { $0.isAlive(at: installation.now.wall) }
        for (record, failure) in installation.withdraw(alive) {
            let purpose = record.purpose.content.id
            if let failure {
                Terminal.report("warning: The grant for \(purpose): \(failure)")
                Terminal.report("  Next: mcictl release withdraw --all")
            } else {
                Terminal.print("Your grant for \(purpose) is withdrawn too.")
            }
        }
    }

    private func showNone(withdrawnAt: String?) throws {
        guard let withdrawnAt else {
            if json { return try Terminal.printJSON(Withdrawn()) }
            return Terminal.print("You have not consented.")
        }
        if json { return try Terminal.printJSON(Withdrawn(withdrawnAt: withdrawnAt)) }
        let when = WallTime(withdrawnAt).map { TimeText.full($0) } ?? withdrawnAt
        Terminal.print("You withdrew your consent on \(when). Nothing is recorded.")
    }

    /// The receipt, with its schema.
    private struct Answer: Encodable {
        var receipt: Receipt

        private enum CodingKeys: CodingKey { case schema }

        func encode(to encoder: any Encoder) throws {
            try receipt.encode(to: encoder)
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(1, forKey: .schema)
        }
    }

    private struct Withdrawn: Encodable {
        var schema = 1
        var withdrawnAt: String?
    }

    /// When a consent was given, in local time.
    private static func time(_ receipt: Receipt) -> String {
        WallTime(receipt.collectedAt).map { "\(TimeText.date($0)) \(TimeText.exact($0))" }
            ?? Terminal.printable(receipt.collectedAt)
    }
}
