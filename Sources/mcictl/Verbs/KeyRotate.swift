// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Person
import Timeline

/// The verb `key rotate`.
struct KeyRotateVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Create a new key for what is recorded from now on.",
        discussion: """
            The new key is put before the old ones in the identity file. The old ones stay, \
            because only they open earlier recordings. A passphrase stays the same. Existing \
            copies of the identity do not open what is recorded from now on: make a new one.

            EXAMPLES
              mcictl key rotate
              mcictl key rotate --yes
            """
    )

    @Flag(help: "Consent without being asked.")
    var yes = false

    func run() throws {
        let installation = Installation()
        let old = try installation.openedIdentity()
        let before = try installation.readers()
        let identity = Identity()
        var after = before
        after.replace(old.recipients, with: identity.recipient)
        installation.reportReaders(after.keys, own: [identity.recipient])
        Terminal.report("Earlier recordings open with your old key, which is kept.")
        if !yes {
            let question =
                installation.validConsent() == nil ? "Make this change?" : "Do you consent to this?"
            guard try Terminal.ask(question, script: nil) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        // The identity first: nothing may be sealed to a key that is not on disk. It stays there even
        // if a later step fails, because the recorder may have used it already.
        let new = Array(identity.file(createdAt: installation.now.wall).utf8) + old.text
        try installation.replaceIdentity(of: old, with: new, old.passphrase)
        let method = "mcictl key rotate" + (yes ? " --yes" : ", answered on a terminal")
        let isRenewed = try installation.withSettingsLock {
            guard try installation.readers() == before else { throw Installation.changedMeanwhile }
            return try installation.setReaders(after, method: method)
        }
        installation.reportDone(isRenewed, after)
        Terminal.report("Copies of your identity are out of date. Next: mcictl key backup FILE")
    }
}
