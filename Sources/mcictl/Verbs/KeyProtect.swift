// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The verb `key protect`.
struct KeyProtectVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "protect",
        abstract: "Protect the identity with a passphrase, or change the passphrase.",
        discussion: """
            The identity becomes an age file that opens with the passphrase; age -d -i \
            accepts it too. Verbs that read the recording ask for the passphrase, or take it \
            from the first line of the file named in \(Prompt.variable). mcid keeps \
            recording without it: it never has the private key.

            The old file is overwritten in place. Flash memory, copy-on-write file systems \
            and backups may still hold it: if in doubt, mcictl key rotate.

            EXAMPLES
              mcictl key protect
              mcictl key protect --passphrase-file FILE
              \(Prompt.variable)=OLD mcictl key protect --passphrase-file NEW
            """
    )

    @Option(
        help: .init(
            "A file whose first line is the new passphrase; - is standard input.",
            valueName: "file"
        )
    )
    var passphraseFile: String?

    func run() throws {
        let installation = Installation()
        let old = try installation.openedIdentity()
        let passphrase =
            try passphraseFile.map(Prompt.passphrase(file:))
            ?? Prompt.newPassphrase(
                "New passphrase of your identity",
                script: "the same command with --passphrase-file"
            )
        try installation.replaceIdentity(of: old, with: old.text, passphrase)
        Terminal.print(
            "Your identity now opens only with the passphrase. Undo: mcictl key unprotect"
        )
        Terminal.report("If you forget the passphrase, everything recorded is lost.")
    }
}

/// The verb `key unprotect`.
struct KeyUnprotectVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unprotect",
        abstract: "Remove the passphrase from the identity.",
        discussion: """
            EXAMPLES
              mcictl key unprotect
              mcictl key unprotect --passphrase-file FILE
            """
    )

    @Option(
        help: .init(
            "A file whose first line is the passphrase; - is standard input.",
            valueName: "file"
        )
    )
    var passphraseFile: String?

    func run() throws {
        let installation = Installation()
        let old = try installation.openedIdentity(passphraseFile: passphraseFile)
        guard old.passphrase != nil else {
            throw Failure("Your identity has no passphrase. Nothing was changed.")
        }
        try installation.replaceIdentity(of: old, with: old.text, nil)
        Terminal.print("Your identity is no longer protected. Protect it again: mcictl key protect")
        Terminal.report("warning: anyone who copies it together with the ring can read everything.")
    }
}
