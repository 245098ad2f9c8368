// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Gate
import Person
import Policy

/// The verb `set`.
struct SetVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Choose how much is recorded.",
        discussion: """
            Without a setting, it lists all of them and what is in force.

            EXAMPLES
              mcictl set
              mcictl set key-detail activity
              mcictl set key-detail full      asks first; ends by itself after eight hours
              mcictl set ring-size 256M       the disk space that the recording may use
              mcictl set retention 30d        erase what is older
              mcictl set free-space 2G        stop recording when less is free
              mcictl set title off            window titles are not stored
              mcictl set synthetic-keys on    asks; record programs' keys as yours
              mcictl set mark-corner top-left the corner of each monitor for the mark
            """,
        subcommands: [
            SetList.self, KeyDetailVerb.self, TitleVerb.self, RingSizeVerb.self,
            RetentionVerb.self, FreeSpaceVerb.self, SyntheticKeysVerb.self,
            MarkCornerVerb.self, MarkLookVerb.self,
        ],
        defaultSubcommand: SetList.self
    )
}

/// The verb `set` alone.
struct SetList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List every setting with its value and its limit.",
        discussion: """
            EXAMPLES
              mcictl set
              mcictl set --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var settings: [EffectiveSetting]
    }

    func run() throws {
        let installation = Installation()
        let person = try SettingsFile(installation.paths.settings).read()
        var settings = EffectiveSetting.all(
            person,
            try installation.policy(),
            now: installation.now.wall
        )
        let floor = person.freeSpace.map { Quantity.size(Int($0)) } ?? "500M or 5 % of the disk"
        settings.append(.init(name: "free-space", yours: floor, policy: nil, inForce: floor))
        let mark = person.mark
        for (name, value) in [
            ("mark-corner", mark.corner.rawValue), ("mark-look", mark.isExact ? "on" : "off"),
        ] {
            settings.append(.init(name: name, yours: value, policy: nil, inForce: value))
        }
        if json { return try Terminal.printJSON(Answer(settings: settings)) }
        EffectiveSetting.table(settings).forEach { Terminal.print($0) }
        Terminal.report("Change one: mcictl set SETTING VALUE")
    }
}

/// The verb `set key-detail`.
struct KeyDetailVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key-detail",
        abstract: "Choose how much of a key is recorded.",
        discussion: """
            off         no key at all
            activity    when there were keys, in steps of 5 seconds, but not which
            shortcuts   the default: shortcuts and keys that write no text, by name;
                        of text only when it was typed, in the same steps
            classes     also the class (letter, digit, …) and time of each key of a
                        text: anyone who has the text can recognise it
            full        every key: what you type can be read back

            classes and full ask first, and end by themselves after eight hours.

            EXAMPLES
              mcictl set key-detail activity
              mcictl set key-detail full
            """
    )

    @Argument(
        help: "off, activity, shortcuts, classes or full.",
        completion: .list(KeyDetail.allCases.map(\.rawValue))
    )
    var level: String

    @Flag(help: "Choose classes or full without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let detail = try chosen()
        if detail.revealsText {
            guard installation.validConsent() != nil else {
                throw Failure(
                    "“\(level)” needs your consent to the recording first. Nothing was changed.",
                    next: "mcictl consent",
                    code: Failure.refused
                )
            }
            guard try yes || Self.agrees(to: detail) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        let now = installation.now.wall
        let (settings, isRunning) = try installation.change { $0.choose(detail, at: now) }
        if json { return try Terminal.printJSON(settings) }
        let end = settings.keyDetailUntil.flatMap { WallTime($0) }
        let until = end.map { " until \(TimeText.short($0, now: now))" } ?? ""
        Terminal.print("Key detail is \(detail.rawValue)\(until).")
        if detail.revealsText {
            Terminal.print("Back to shortcuts: mcictl set key-detail shortcuts")
        }
        EffectiveSetting.reportCeiling("key-detail", settings, installation)
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }

    private func chosen() throws -> KeyDetail {
        if let detail = KeyDetail(rawValue: level) { return detail }
        if level == KeyDetail.formerName {
            throw Failure(
                "“\(level)” revealed the time of each key and is no longer available. Nothing was changed.",
                next: "mcictl set key-detail activity",
                code: Failure.usage
            )
        }
        throw Failure(
            "“\(level)” is not a key detail. Choose off, activity, shortcuts, classes or full.",
            code: Failure.usage
        )
    }

    /// Explains what it means, and asks.
    static func agrees(to detail: KeyDetail) throws -> Bool {
        guard detail == .classes else {
            Terminal.report(
                "With full, everything you type is recorded, including private messages and"
            )
            Terminal.report(
                "passwords that mcid does not recognise as such. It ends in 8 hours."
            )
            return try Terminal.ask("Record every key?", script: nil)
        }
        Terminal.report(
            "With classes, the class (letter, digit, sign) and time of each key of a text are"
        )
        Terminal.report(
            "recorded. Anyone who has the text can tell that you typed it. The length and pattern"
        )
        Terminal.report(
            "of a password that you type in a web page or in a field of a window can be seen."
        )
        Terminal.report("It ends in 8 hours.")
        return try Terminal.ask("Record the class and time of each key?", script: nil)
    }
}
