// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Glibc
import Person
import Sealing
import System
import Timeline

/// The verb `key backup`.
struct KeyBackupVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the identity to a file, or print it for paper.",
        discussion: """
            The copy is itself an identity file, which age accepts too. To restore it, copy \
            it back to the path that mcictl key show prints. A protected identity is copied \
            as it is and opens with its passphrase.

            EXAMPLES
              mcictl key backup /media/stick/mci-identity --protect
              mcictl key backup --print
              mcictl key backup copy --protect --passphrase-file FILE
            """
    )

    @Argument(
        help: "The file to create; an existing file is never overwritten.",
        completion: .file()
    )
    var file: String?

    @Flag(name: .customLong("print"), help: "Print the copy, for paper.")
    var prints = false

    @Flag(inversion: .prefixedNo, help: "Protect the copy with a passphrase, or not.")
    var protect: Bool?

    @Option(
        help: .init(
            "A file whose first line is the passphrase of the copy; - is standard input.",
            valueName: "file"
        )
    )
    var passphraseFile: String?

    @Flag(help: "Print without being asked, even without a terminal.")
    var yes = false

    func run() throws {
        guard prints != (file != nil), file != "-" else {
            throw Failure("Give a file, or --print.", code: Failure.usage)
        }
        if passphraseFile != nil, protect == false {
            throw Failure("Give --passphrase-file or --no-protect, not both.", code: Failure.usage)
        }
        let installation = Installation()
        let (bytes, content) = try installation.identityFile()
        if let file, Disk.exists(file) { throw isTaken(file) }
        if prints, !yes {
            guard isatty(1) == 1 else {
                throw Failure(
                    "The private key is only printed on a terminal. Nothing was printed.",
                    next: "the same command with --yes",
                    code: Failure.refused
                )
            }
            guard
                try Terminal.ask("Show the private key on this screen?", script: "--yes")
            else {
                Terminal.report("Nothing was printed.")
                throw ExitCode(Failure.refused)
            }
        }
        let copy = try copy(bytes, content)
        if prints { Terminal.write(printable(copy)) }
        if let file { try write(copy, to: file, installation) }
        Terminal.report(Installation.lossWarning)
    }

    /// The contents of the copy: the file itself, or the file protected by the copy's own passphrase.
    private func copy(_ bytes: [UInt8], _ content: IdentityFile) throws -> [UInt8] {
        guard case .plain = content else {
            if protect != nil || passphraseFile != nil {
                throw Failure(
                    "Your identity is protected; a copy always opens with the same passphrase."
                        + " Nothing was changed.",
                    next: "the same command without options for the passphrase",
                    code: Failure.usage
                )
            }
            return bytes
        }
        let isWanted =
            try protect
            ?? (passphraseFile != nil
                || !(prints && yes)
                    && Terminal.ask(
                        "Protect the copy with a passphrase?",
                        script: "--protect or --no-protect"
                    ))
        guard isWanted else { return bytes }
        let passphrase =
            try passphraseFile.map(Prompt.passphrase(file:))
            ?? Prompt.newPassphrase(
                "Passphrase of the copy",
                script: "the same command with --passphrase-file"
            )
        return try Installation.sealed(bytes, passphrase)
    }

    private func write(_ copy: [UInt8], to file: String, _ installation: Installation) throws {
        do {
            try SecretFile.create(copy, at: file)
        } catch {
            if error.isTaken { throw isTaken(file) }
            throw Failure("The copy could not be written to \(file) (\(error)).")
        }
        guard (try? Disk.read(file)) == copy else {
            throw Failure("The copy at \(file) differs from what was written. Do not rely on it.")
        }
        Terminal.print("Copied your identity to \(file).")
        try writeGrants(beside: file, installation)
        let here = try? SecretFile.facts(installation.paths.identity).device
        if let there = try? SecretFile.facts(file).device, there == here {
            Terminal.report(
                "hint: it is on the same file system as your identity. A copy elsewhere"
            )
            Terminal.report("  would survive the loss of this disk.")
        }
    }

    /// Copies the keys of grants, sealed to the identity that was just copied.
    private func writeGrants(beside file: String, _ installation: Installation) throws {
        guard let backup = GrantBackup(installation.releaseFiles) else { return }
        let recipients = try installation.readers().keys.compactMap { Recipient($0) }
        let path = GrantBackup.name(beside: file)
        do {
            try SecretFile.create(try backup.sealed(to: recipients), at: path)
        } catch {
            throw Failure("The keys of your grants could not be written to \(path) (\(error)).")
        }
        let count = TimeText.count(backup.grants.count, "grant", "grants")
        Terminal.print("Copied the keys of \(count) to \(path), sealed to your identity.")
        Terminal.report("To restore them: mcictl key restore-grants \(Terminal.printable(path))")
    }

    private func isTaken(_ file: String) -> Failure {
        Failure("\(file) already exists. Nothing was changed.")
    }

    /// A form that can be typed in again: armored text for an age file.
    private func printable(_ copy: [UInt8]) -> [UInt8] {
        let isBinary = copy.starts(with: Array("age-encryption.org/".utf8))
        return isBinary ? Array(Armor.encode(copy).utf8) : copy
    }
}

/// The verb `key restore-grants`.
struct KeyRestoreGrantsVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-grants",
        abstract: "Put back the keys of grants from a backup, so that they can be withdrawn.",
        discussion: """
            EXAMPLES
              mcictl key restore-grants /media/stick/mci-identity.grants
            """
    )

    @Argument(help: "The file that mcictl key backup wrote.", completion: .file())
    var file: String

    func run() throws {
        let installation = Installation()
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(file, limit: 16 << 20)
        } catch {
            throw Failure("\(Terminal.printable(file)) cannot be read (\(error)).")
        }
        let plaintext: [UInt8]
        do {
            plaintext = try AgeFile(bytes).open(try installation.identities())
        } catch let error as AgeError {
            throw Failure("\(Terminal.printable(file)) cannot be opened (\(error.code.rawValue)).")
        }
        guard let backup = GrantBackup.read(plaintext) else {
            throw Failure("\(Terminal.printable(file)) is not a backup of grants.")
        }
        let count = try backup.restore(installation.releaseFiles)
        Terminal.print("\(TimeText.count(count, "grant was", "grants were")) put back.")
    }
}
