// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Events
import Person

/// The verb `set mark-corner`.
struct MarkCornerVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark-corner",
        abstract: "Choose the corner of each monitor in which the mark stands.",
        discussion: """
            While mcid reads input, a red disc stands in a corner of each monitor: a ring if the window \
            in front is left out, a disc in a ring during a demonstration. Clicks go through it. It \
            cannot be switched off: if it cannot be seen, nothing is recorded.

            EXAMPLES
              mcictl set mark-corner bottom-left
              mcictl set mark-corner top-right      the default
            """
    )

    @Argument(
        help: "top-right, top-left, bottom-right or bottom-left.",
        completion: .list(MarkCorner.allCases.map(\.rawValue))
    )
    var corner: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard let corner = MarkCorner(rawValue: corner) else {
            let names = MarkCorner.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                "“\(Terminal.printable(corner))” is not a corner; write one of \(names).",
                code: Failure.usage
            )
        }
        let (settings, isRunning) = try Installation().change {
            $0.markCorner = corner == .topRight ? nil : corner.rawValue
        }
        if json { return try Terminal.printJSON(settings) }
        Terminal.print("The mark stands in this corner of each monitor: \(corner.rawValue).")
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }
}

/// The verb `set mark-look`.
struct MarkLookVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark-look",
        abstract: "Choose whether mcid looks for the exact colours of the mark.",
        discussion: """
            mcid looks at two pixels of the mark before it records anything. If your screen inverts or \
            filters colours, choose off: then it is enough that the two pixels differ. No policy can \
            choose this.

            EXAMPLES
              mcictl set mark-look off       asks first
              mcictl set mark-look on        the default
            """
    )

    @Argument(help: "on or off.", completion: .list(["on", "off"]))
    var choice: String

    @Flag(help: "Choose off without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let permission = Permission(
            setting: \.markLook,
            isOnLooser: false,
            warning: ["A program could then paint over the mark with other colours unnoticed."],
            question: "Look for any two colours?",
            on: "The exact colours of the mark are looked for.",
            off: "It is enough that two pixels of the mark differ.",
            undo: "mcictl set mark-look on"
        )
        try permission.choose(choice, isConfirmed: yes, json: json)
    }
}
