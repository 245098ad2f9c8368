// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Person
import Policy

/// The verb `set title`.
struct TitleVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "title",
        abstract: "Choose whether window titles are stored.",
        discussion: """
            Titles often hold names of people, subjects of messages and addresses. They are not stored \
            unless you say so; rules about titles work without that.

            EXAMPLES
              mcictl set title on       asks
              mcictl set title off      what is in force unless you choose
            """
    )

    @OptionGroup var options: PermissionOptions

    func run() throws {
        let permission = Permission(
            setting: \.title,
            policy: \.titles,
            refusal: "The policy does not let titles be stored. Nothing was changed.",
            warning: ["Titles of windows often hold names, subjects of messages and addresses."],
            question: "Store them?",
            on: "Titles of windows are stored.",
            off: "Titles of windows are not stored.",
            undo: "mcictl set title off"
        )
        try permission.choose(options)
    }
}

/// The verb `set synthetic-keys`.
struct SyntheticKeysVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthetic-keys",
        abstract: "Choose whether keys that programs make are recorded as yours.",
        discussion: """
            A password manager that types for you, xdotool, x11vnc, Barrier, KDE Connect and on-screen \
            keyboards send keys through the X server (XTEST). Of these keys only that there were some \
            is recorded, in steps of 5 seconds, whatever the key detail is, unless you say on.

            Say on where you work through such a program: its keys are then recorded as those of a \
            keyboard, with full also the passwords that a password manager types.

            EXAMPLES
              mcictl set synthetic-keys on       asks
              mcictl set synthetic-keys off      what is in force unless you choose
            """
    )

    @OptionGroup var options: PermissionOptions

    func run() throws {
        let permission = Permission(
            setting: \.syntheticKeys,
            policy: \.syntheticKeys,
            refusal: "The policy does not let keys that programs make be recorded as yours. "
                + "Nothing was changed.",
            warning: [
                "Keys that programs make are then recorded as those of a keyboard. With full these",
                "are also passwords that a password manager types.",
            ],
            question: "Record them so?",
            on: "Keys that programs make are recorded as those of a keyboard.",
            off: "Of keys that programs make only that there were some is recorded.",
            undo: "mcictl set synthetic-keys off"
        )
        try permission.choose(options)
    }
}

/// What is given to a setting that is on or off.
struct PermissionOptions: ParsableArguments {
    @Argument(help: "on or off.", completion: .list(["on", "off"]))
    var choice: String

    @Flag(help: "Choose on without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false
}

/// A setting that is on or off, where on records more, and which a policy may forbid.
private struct Permission {
    var setting: WritableKeyPath<PersonSettings, Bool?>
    var policy: KeyPath<ManagedPolicy, Bool?>
    /// What is said where the policy forbids it.
    var refusal: String
    /// What is said before the question.
    var warning: [String]
    var question: String
    /// What is said once it is on, and once it is off.
    var on: String
    var off: String
    var undo: String

    /// Puts the choice into the settings, once the person has confirmed what records more.
    func choose(_ options: PermissionOptions) throws {
        let choice = options.choice
        guard ["on", "off"].contains(choice) else {
            throw Failure("“\(choice)” is neither on nor off.", code: Failure.usage)
        }
        let installation = Installation()
        let isOn = choice == "on"
        if isOn, (try installation.policy())?[keyPath: policy] == false {
            throw Failure(refusal, next: "mcictl policy show", code: Failure.refused)
        }
        if isOn, !options.yes {
            for line in warning { Terminal.report(line) }
            guard try Terminal.ask(question, script: nil) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        let (settings, isRunning) = try installation.change {
            $0[keyPath: setting] = isOn ? true : nil
        }
        if options.json { return try Terminal.printJSON(settings) }
        Terminal.print(isOn ? on : off)
        if isOn { Terminal.print("Undo: \(undo)") }
        if !isRunning { Terminal.report("mcid is not running; it holds when it starts.") }
    }
}
