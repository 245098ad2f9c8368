// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
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
            Without a setting it lists them all, with what is in force.

            EXAMPLES
              mcictl set
              mcictl set key-detail activity
              mcictl set key-detail full      asks, and ends by itself after eight hours
              mcictl set ring-size 256M       what all files of the ring may take
              mcictl set retention 30d        after that it is erased
              mcictl set free-space 2G        with less on the disk nothing is recorded
              mcictl set title off            window titles are not stored
              mcictl set synthetic-keys on    asks; keys of programs are recorded as yours
            """,
        subcommands: [
            SetList.self, KeyDetailVerb.self, TitleVerb.self, RingSizeVerb.self,
            RetentionVerb.self, FreeSpaceVerb.self, SyntheticKeysVerb.self,
        ],
        defaultSubcommand: SetList.self
    )
}

/// The verb `set` alone.
struct SetList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List every setting with its value and its ceiling.",
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
            activity    that there were keys, not which, in steps of 5 seconds
            shortcuts   the default: shortcuts and keys that write no text by
                        name; of text only that some was typed, in the same steps
            classes     of text also the class (letter, digit, …) and time of each
                        key: whoever has the text can recognise it
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
            guard try yes || agrees(to: detail) else {
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
        if !isRunning { Terminal.report("mcid is not running; it holds when it starts.") }
    }

    private func chosen() throws -> KeyDetail {
        if let detail = KeyDetail(rawValue: level) { return detail }
        if level == KeyDetail.formerName {
            throw Failure(
                "“\(level)” told the time of each key and is no longer available. Nothing was changed.",
                next: "mcictl set key-detail activity",
                code: Failure.usage
            )
        }
        throw Failure(
            "“\(level)” is not a key detail. Choose off, activity, shortcuts, classes or full.",
            code: Failure.usage
        )
    }

    /// Says what it means, and asks.
    private func agrees(to detail: KeyDetail) throws -> Bool {
        guard detail == .classes else {
            Terminal.report(
                "With full, everything you type is recorded: also passwords that a program"
            )
            Terminal.report(
                "does not hide from the keyboard, and private messages. It ends in 8 hours."
            )
            return try Terminal.ask("Record every key?", script: nil)
        }
        Terminal.report(
            "With classes, of each key that writes text its class (letter, digit, sign) and"
        )
        Terminal.report(
            "its time are recorded. Whoever has a text can tell that you typed it, and of a"
        )
        Terminal.report(
            "password in a web page or in the field of a window its length and pattern are"
        )
        Terminal.report("told. It ends in 8 hours.")
        return try Terminal.ask("Record the class and time of each key?", script: nil)
    }
}
