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
            Titles often contain people's names, message subjects and addresses. They are not stored \
            unless you choose so; rules about titles work either way.

            EXAMPLES
              mcictl set title on       asks first
              mcictl set title off      the default
            """
    )

    @OptionGroup var options: PermissionOptions

    func run() throws {
        let permission = Permission(
            setting: \.title,
            policy: \.titles,
            refusal: "The policy does not allow window titles to be stored. Nothing was changed.",
            warning: ["Window titles often contain names, message subjects and addresses."],
            question: "Store them?",
            on: "Window titles are stored.",
            off: "Window titles are not stored.",
            undo: "mcictl set title off"
        )
        try permission.choose(options.choice, isConfirmed: options.yes, json: options.json)
    }
}

/// The verb `set synthetic-keys`.
struct SyntheticKeysVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthetic-keys",
        abstract: "Choose whether keys made by programs are recorded as yours.",
        discussion: """
            A password manager that types for you, xdotool, x11vnc, Barrier, KDE Connect and on-screen \
            keyboards send keys through the X server (XTEST). Unless you choose on, only that there were \
            such keys is recorded, in steps of 5 seconds, whatever the key detail.

            Choose on if you work through such a program: its keys are then recorded like those of a \
            keyboard. With full, this includes passwords that a password manager types.

            EXAMPLES
              mcictl set synthetic-keys on       asks first
              mcictl set synthetic-keys off      the default
            """
    )

    @OptionGroup var options: PermissionOptions

    func run() throws {
        let permission = Permission(
            setting: \.syntheticKeys,
            policy: \.syntheticKeys,
            refusal: "The policy does not allow keys made by programs to be recorded as yours. "
                + "Nothing was changed.",
            warning: [
                "Keys made by programs are then recorded like those of a keyboard. With full, this",
                "includes passwords that a password manager types.",
            ],
            question: "Record them like that?",
            on: "Keys made by programs are recorded like those of a keyboard.",
            off: "Of keys made by programs, only that there were some is recorded.",
            undo: "mcictl set synthetic-keys off"
        )
        try permission.choose(options.choice, isConfirmed: options.yes, json: options.json)
    }
}

/// The arguments of a setting that is on or off.
struct PermissionOptions: ParsableArguments {
    @Argument(help: "on or off.", completion: .list(["on", "off"]))
    var choice: String

    @Flag(help: "Choose on without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false
}

/// A setting of which one choice is looser: it is asked, and a policy may forbid it.
struct Permission {
    var setting: WritableKeyPath<PersonSettings, Bool?>
    /// Whether on is the looser choice; the other one is the default.
    var isOnLooser = true
    /// Where the policy forbids it; nil if no policy can.
    var policy: KeyPath<ManagedPolicy, Bool?>?
    /// The error if the policy forbids it.
    var refusal = ""
    /// The lines before the question.
    var warning: [String]
    var question: String
    /// The answer once it is on, and once it is off.
    var on: String
    var off: String
    var undo: String

    /// Writes the choice to the settings, after the person has confirmed if it records more.
    func choose(_ choice: String, isConfirmed: Bool, json: Bool) throws {
        guard ["on", "off"].contains(choice) else {
            throw Failure("“\(choice)” is not a choice; write on or off.", code: Failure.usage)
        }
        let installation = Installation()
        let isOn = choice == "on"
        let isLooser = isOn == isOnLooser
        if isLooser, let policy, (try installation.policy())?[keyPath: policy] == false {
            throw Failure(refusal, next: "mcictl policy show", code: Failure.refused)
        }
        if isLooser, !isConfirmed {
            for line in warning { Terminal.report(line) }
            guard try Terminal.ask(question, script: nil) else {
                Terminal.report("Nothing was changed.")
                throw ExitCode(Failure.refused)
            }
        }
        let (settings, isRunning) = try installation.change {
            $0[keyPath: setting] = isLooser ? isOn : nil
        }
        if json { return try Terminal.printJSON(settings) }
        Terminal.print(isOn ? on : off)
        if isLooser { Terminal.print("Undo: \(undo)") }
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }
}
