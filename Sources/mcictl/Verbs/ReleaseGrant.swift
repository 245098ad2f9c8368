// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Holder
import Release

/// The verb `release grant`.
struct ReleaseGrantVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Allow releases to a purpose. Nothing is released by this.",
        discussion: """
            You can allow less than the purpose asks for, never more. This is not the consent to record, \
            and neither implies the other.

            EXAMPLES
              mcictl release grant spreadsheet-model
              mcictl release grant spreadsheet-model --set place=none --set time=s --days 14
              mcictl release grant spreadsheet-model --only LibreOffice
            """
    )

    @Argument(help: "The purpose, as mcictl release purposes names it.")
    var purpose: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Allow less of a field than is asked for; can be repeated.",
            valueName: "field=grade"
        )
    )
    var restrictions: [String] = []

    @Option(
        help: ArgumentHelp("Only input in this application; can be repeated.", valueName: "app")
    )
    var only: [String] = []

    @Option(help: "End it after this many days; at most, and by default, what the purpose says.")
    var days: Int?

    @Flag(help: "Grant without being asked.")
    var yes = false

    func run() throws {
        let installation = Installation()
        let purpose = try installation.purpose(purpose)
        try installation.verify(purpose)
        let now = installation.now.wall
        guard purpose.content.end > now else {
            throw Failure("This purpose has expired.", next: "mcictl release purposes")
        }
        let earlier = try installation.grants().first {
            $0.isAlive(at: now) && $0.purpose.content.id == purpose.content.id
        }
        if let earlier {
            throw Failure(
                "You have granted this purpose already, until \(earlier.grant.content.expires).",
                next: "mcictl release withdraw \(purpose.content.id) (to grant it anew)"
            )
        }
        let fields = try fields(purpose.content.fields)
        if let days, !(1...purpose.content.days ~= days) {
            throw Failure(
                "A grant of this purpose lasts 1 to \(purpose.content.days) days.",
                code: Failure.usage
            )
        }
        let length = Int64(days ?? purpose.content.days) * 86_400_000
        let end = min(WallTime(now.milliseconds + length), purpose.content.end)
        if !yes {
            Terminal.print(PurposeText.words(purpose))
            Terminal.print("\nWhat you would allow, until \(end.text):")
            Terminal.print(PurposeText.fields(fields))
        }
        if !yes, !(try Terminal.ask("Grant this? You can withdraw it at any time.", script: nil)) {
            Terminal.report("Nothing was changed.")
            return
        }
        let record = try installation.releaseFiles.grant(
            purpose,
            fields,
            issued: installation.now.wall,
            end: end,
            installation.askHolder
        )
        Terminal.print(
            "Granted until \(record.grant.content.expires) (grant \(record.id.prefix(8)))."
        )
        Terminal.report(
            "Nothing has been released. Whenever you like: mcictl release draft --since 09:00"
        )
        if installation.isHolderIdle {
            Terminal.report("Readers need your holder: systemctl --user enable --now mci-holder")
        }
        Terminal.report("Withdraw it with: mcictl release withdraw \(purpose.content.id)")
    }

    private func fields(_ asked: ReleaseFields) throws -> ReleaseFields {
        var fields = asked
        for restriction in restrictions {
            let parts = restriction.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw Failure(
                    "--set takes a field and a grade, such as place=none.",
                    code: Failure.usage
                )
            }
            try fields.restrict(parts[0], to: parts[1])
        }
        guard !only.isEmpty else { return fields }
        var own = fields
        own.applications = only
        if own.application == .name { own.application = .listed }
        let both = fields.stricter(own)
        guard !both.applications.isEmpty else {
            let names = asked.applications.joined(separator: ", ")
            throw Failure("The purpose asks only for: \(Terminal.printable(names)).")
        }
        return both
    }
}
