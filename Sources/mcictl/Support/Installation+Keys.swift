// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Person
import Policy
import Sealing
import Signing
import System
import Timeline

/// The content of an identity file, opened.
struct OpenedIdentity: Redacted {
    /// The file as it is on disk.
    var bytes: [UInt8]
    /// The file's text, unprotected.
    var text: [UInt8]
    var keys: [Identity]
    /// The passphrase; nil if the file is not protected.
    var passphrase: Passphrase?

    /// The public keys.
    var recipients: [String] { keys.map(\.recipient) }
}

extension Installation {
    /// The warning wherever a secret can be lost.
    static let lossWarning =
        "Without your identity, and its passphrase if it has one, nothing recorded can be read."

    // MARK: The identity

    /// The identity file as it is on disk.
    ///
    /// - Throws: a ``Failure`` that says where it was expected.
    func identityFile() throws -> (bytes: [UInt8], content: IdentityFile) {
        let bytes: [UInt8]
        do {
            bytes = try Disk.read(paths.identity)
        } catch {
            if error.isMissing, !Disk.exists(paths.recipients), !Disk.exists(paths.ring) {
                throw Failure(
                    "Nothing has been recorded: you have not consented.",
                    next: "mcictl consent"
                )
            }
            let lost = "Your identity is not at \(paths.identity), and without it"
            throw Failure(
                error.isMissing
                    ? "\(lost) nothing can be read."
                    : "Your identity at \(paths.identity) cannot be read (\(error)).",
                next: "put it back, or consent again for new recordings: mcictl consent"
            )
        }
        do {
            if let content = try IdentityFile(bytes) { return (bytes, content) }
        } catch {
            throw Failure(
                "The identity file \(paths.identity) is damaged (\(error.code.rawValue))."
            )
        }
        throw Failure("The identity file \(paths.identity) contains no age key.")
    }

    /// The person's keys; asks for the passphrase if one protects them.
    ///
    /// - Throws: a ``Failure``.
    func identities() throws -> [Identity] {
        try openedIdentity().keys
    }

    /// The identity file, opened.
    ///
    /// - Parameter passphraseFile: the file with the passphrase; nil for the one the environment names,
    ///   or else a question.
    /// - Returns: text and keys.
    /// - Throws: a ``Failure``; a wrong passphrase is one.
    func openedIdentity(passphraseFile: String? = nil) throws -> OpenedIdentity {
        let (bytes, content) = try identityFile()
        switch content {
        case .plain(let keys): return OpenedIdentity(bytes: bytes, text: bytes, keys: keys)
        case .protected(let file):
            let named = passphraseFile ?? CurrentProcess.environment()[Prompt.variable]
            let passphrase =
                try named.map(Prompt.passphrase(file:))
                ?? Prompt.passphrase(
                    "Passphrase of your identity",
                    script: "\(Prompt.variable)=FILE and the same command"
                )
            Terminal.progress("Opening your identity…")
            guard let opened = try Self.open(bytes, file, passphrase) else {
                throw Failure("The passphrase is wrong.")
            }
            return opened
        }
    }

    /// Opens a protected identity file; nil if the passphrase is wrong.
    private static func open(
        _ bytes: [UInt8],
        _ file: AgeFile,
        _ passphrase: Passphrase
    ) throws -> OpenedIdentity? {
        do {
            let text = try file.open(passphrase)
            guard case .plain(let keys) = try IdentityFile(text) else {
                throw Failure("The identity file contains no age key.")
            }
            return OpenedIdentity(bytes: bytes, text: text, keys: keys, passphrase: passphrase)
        } catch let error as AgeError {
            if error.code == .noMatch { return nil }
            throw Failure("The identity file cannot be opened (\(error.code.rawValue)).")
        }
    }

    /// The content of an identity file with some text, protected by a passphrase if there is one.
    static func sealed(_ text: [UInt8], _ passphrase: Passphrase?) throws -> [UInt8] {
        guard let passphrase else { return text }
        Terminal.progress("Protecting it and checking the passphrase…")
        do {
            return try passphrase.seal(text)
        } catch {
            throw Failure("Protecting the identity needs 256 MiB of memory. Nothing was changed.")
        }
    }

    /// Whether bytes are an identity file that opens to some text.
    static func opens(_ bytes: [UInt8], _ passphrase: Passphrase?, to text: [UInt8]) -> Bool {
        guard let passphrase else { return bytes == text }
        guard case .protected(let file) = try? IdentityFile(bytes) else { return false }
        return (try? file.open(passphrase)) == text
    }

    /// Replaces the identity file, after what was written has been read back and opened.
    ///
    /// - Parameters:
    ///   - old: what it held when the command began.
    ///   - text: unprotected.
    ///   - passphrase: protects it; nil to leave it unprotected.
    /// - Throws: a ``Failure``; the old file is then untouched.
    func replaceIdentity(
        of old: OpenedIdentity,
        with text: [UInt8],
        _ passphrase: Passphrase?
    ) throws {
        let bytes = try Self.sealed(text, passphrase)
        try withSettingsLock {
            // Another command may have added a key to it, which must not be lost.
            guard try identityFile().bytes == old.bytes else { throw Self.changedMeanwhile }
            // Earlier versions wrote it here first; a file left by an interrupted command holds a key.
            Disk.overwrite(paths.identity + ".new")
            Disk.remove(paths.identity + ".new")
            do throws(FileError) {
                try SecretFile(paths.identity).replace(with: bytes) {
                    Self.opens($0, passphrase, to: text)
                }
            } catch {
                if error.hasSecondName {
                    throw Failure(
                        "The identity file has a second name (a hard link), which would be"
                            + " destroyed. Nothing was changed.",
                        next: "find ~ -samefile \(paths.identity)"
                    )
                }
                throw Failure("The identity could not be written (\(error)). Nothing was changed.")
            }
        }
    }

    /// The public keys of an unprotected identity; nil if a passphrase protects them.
    var ownKeys: [String]? {
        guard case .plain(let keys) = try? identityFile().content else { return nil }
        return keys.map(\.recipient)
    }

    // MARK: Who can read

    /// The recipients file.
    ///
    /// - Throws: a ``Failure`` if there is none or it is not valid.
    func readers() throws -> RecipientsFile {
        let bytes: [UInt8]
        do {
            bytes = try Disk.readOwn(paths.recipients)
        } catch {
            throw Failure(
                error.isMissing
                    ? "There is no recipients file: you have not consented."
                    : "The recipients file \(paths.recipients) cannot be read (\(error)).",
                next: "mcictl consent"
            )
        }
        guard let file = RecipientsFile(bytes) else {
            throw Failure(
                "The recipients file \(paths.recipients) has a line that is not an age key."
            )
        }
        return file
    }

    /// Writes the recipients file.
    func write(_ readers: RecipientsFile) throws {
        do {
            try Disk.write(readers.bytes, to: paths.recipients)
        } catch {
            throw Failure("The keys could not be written to \(paths.recipients) (\(error)).")
        }
    }

    /// Gives consent in the person's name: the receipt says who can read.
    ///
    /// - Parameters:
    ///   - recipients: the keys of the recipients file.
    ///   - method: how the consent was given, in words.
    /// - Returns: the receipt and the daemon's answer.
    /// - Throws: what the daemon refuses, or that the controls cannot be written.
    func consent(
        _ recipients: [String],
        method: String
    ) throws -> (receipt: Receipt, reply: ControlReply?) {
        let key = try deviceKey()
        let receipt = Consent.receipt(
            at: now.wall,
            recipients: recipients,
            deviceKey: key.verifier.text,
            method: method,
            ring: paths.ring,
            under: try policy()
        )
        let reply = try change(.consent(receipt)) { $0.consent(receipt) }
        makeMarks(key)
        return (receipt, reply)
    }

    /// The policy in force, if any.
    ///
    /// - Throws: a ``Failure`` if there is one that cannot be used.
    func policy() throws -> ManagedPolicy? {
        do throws(PolicyError) {
            return try paths.policy.read()
        } catch {
            throw Failure(error.description, next: "mcictl policy check")
        }
    }

    /// The consent, if it is in force.
    func validConsent() -> Receipt? {
        guard let consent = try? ControlsFile(paths).read().consent else { return nil }
        // Under a policy that cannot be used, no consent is valid.
        guard let policy = try? paths.policy.read() as ManagedPolicy?? else { return nil }
        return Consent.isValid(consent, deviceKey: deviceKeyText, under: policy) ? consent : nil
    }

    /// Says who can read from now on, before a question.
    ///
    /// - Parameters:
    ///   - keys: the recipients.
    ///   - own: the person's own keys, if known.
    func reportReaders(_ keys: [String], own: [String]?) {
        Terminal.report("What is recorded from now on can be read with:")
        for key in keys {
            Terminal.report("  \(key)\(own?.contains(key) == true ? " (yours)" : "")")
        }
    }

    /// Changes who can read, and renews the consent with it, but never a consent that is not in force.
    ///
    /// - Returns: whether a consent was renewed.
    /// - Throws: what the daemon refuses; the recipients file is then as before.
    func setReaders(_ readers: RecipientsFile, method: String) throws -> Bool {
        let before = try? self.readers()
        try write(readers)
        guard validConsent() != nil else {
            _ = try? call(.reload)
            return false
        }
        do {
            _ = try consent(readers.keys, method: method)
            return true
        } catch {
            if let before { try write(before) }
            _ = try? call(.reload)
            throw error
        }
    }
}
