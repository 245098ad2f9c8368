// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Files
import Settings
import Timeline

/// The verb `consent`.
struct ConsentVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consent",
        abstract: "Read the notice and allow the recording, look at your consent, or take it back.",
        discussion: """
            Nothing is recorded before. With the first consent a key pair is made: the public half
            for mcid, the private half for you alone.

            EXAMPLES
              mcictl consent
              mcictl consent --show
              mcictl consent --withdraw     at once, and without mcid running too
            """
    )

    @Flag(help: "Consent without being asked, for scripts that asked themselves.")
    var accept = false

    @Flag(help: "Show the consent that is in force.")
    var show = false

    @Flag(help: "Take the consent back.")
    var withdraw = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard [accept, show, withdraw].filter(\.self).count <= 1 else {
            throw Failure("Choose one of --accept, --show and --withdraw.", code: Failure.usage)
        }
        let place = Workplace()
        if show { return try showReceipt(place) }
        if withdraw { return try takeBack(place) }
        try give(place)
    }

    private func give(_ place: Workplace) throws {
        if !json { Terminal.print(Consent.notice) }
        if !accept {
            guard try Terminal.ask("Do you consent?", script: "--accept") else {
                Terminal.tell("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        let (recipients, deviceKey) = try place.withSettingsLock {
            try endFull(place)
            return (try keys(place), try place.makeDeviceKey())
        }
        let receipt = Consent.receipt(
            at: place.now.wall,
            recipients: recipients,
            deviceKey: deviceKey,
            method: accept ? "mcictl consent --accept" : "mcictl consent, answered on a terminal",
            ring: place.paths.ring
        )
        let reply = try place.change(.consent(receipt)) { $0.consent = receipt }
        if json { return try Terminal.printJSON(receipt) }
        Terminal.print("You consented. Take it back at any time: mcictl consent --withdraw")
        if let status = reply?.status {
            Terminal.print(StatusText.lines(status, place.now.wall)[0])
        } else {
            Terminal.tell("mcid is not running. Start it: \(Workplace.startCommand)")
        }
    }

    /// The notice says that text cannot be read back: `full` is to be chosen again after it.
    private func endFull(_ place: Workplace) throws {
        let file = SettingsFile(place.paths.settings)
        guard var settings = try? file.read(), settings.keyDetail == "full" else { return }
        (settings.keyDetail, settings.keyDetailUntil) = ("shortcuts", nil)
        try file.write(settings)
        Terminal.tell("Key detail is shortcuts again.")
    }

    /// Makes the key pair where there is none; never a second private key beside a public one.
    private func keys(_ place: Workplace) throws -> [String] {
        let paths = place.paths
        func write(_ text: String, to path: String) throws {
            do {
                try Disk.write(Array(text.utf8), to: path)
            } catch {
                throw Failure("The key could not be written to \(path) (\(error)).")
            }
        }
        let identity: Identity
        if Disk.exists(paths.identity) {
            identity = try place.identities()[0]
        } else if let old = try? Disk.read(paths.recipients) {
            Terminal.tell(
                "warning: your identity is not at \(paths.identity). Recording goes on to"
            )
            Terminal.tell("  its public key; only that identity will read it. For a new key remove")
            Terminal.tell("  \(paths.recipients) and consent again.")
            return String(decoding: old, as: UTF8.self).split(separator: "\n")
                .filter { !$0.hasPrefix("#") }.map(String.init)
        } else {
            identity = Identity()
            try write(identity.file(createdAt: place.now.wall), to: paths.identity)
            Terminal.tell("Your key was made: \(paths.identity)")
            Terminal.tell("  Keep a copy: without it nothing that is recorded can be read.")
        }
        try write(identity.recipient + "\n", to: paths.recipients)
        return [identity.recipient]
    }

    private func takeBack(_ place: Workplace) throws {
        let reply = try place.change(.withdraw) { $0.consent = nil }
        if json {
            return try Terminal.printJSON(["schema": 1, "daemonRunning": reply == nil ? 0 : 1])
        }
        Terminal.print("Your consent is withdrawn. Nothing is recorded any more.")
        Terminal.print("What was recorded is still on this computer. Erase it: mcictl forget --all")
    }

    private func showReceipt(_ place: Workplace) throws {
        guard let receipt = try ControlsFile(place.paths.controls).read().consent else {
            if json { Terminal.print("null") } else { Terminal.print("You have not consented.") }
            throw ExitCode(Failure.failed)
        }
        if json { return try Terminal.printJSON(receipt) }
        let given = WallTime(receipt.collectedAt).map {
            "\(TimeText.date($0)) \(TimeText.exact($0))"
        }
        Terminal.print("Given      \(given ?? receipt.collectedAt)")
        Terminal.print("By         \(receipt.piiPrincipal) (uid \(receipt.userId))")
        Terminal.print("Purpose    \(receipt.purpose)")
        Terminal.print("Records    \(receipt.piiCategories.joined(separator: ", "))")
        Terminal.print("Kept in    \(receipt.storageLocation)")
        Terminal.print("Readable   by \(receipt.recipients.joined(separator: ", "))")
        Terminal.print("Signed     by the recorder with the key \(receipt.deviceKey)")
        let isValid = place.isConsentValid()
        Terminal.print(
            "Valid      \(isValid ? "yes" : "no: notice, user, host or the recorder's key changed")"
        )
        Terminal.print("Take back  \(receipt.withdrawal)")
    }
}
