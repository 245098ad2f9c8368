// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Gate
import Glibc
import Person
import Policy

/// The verb `exempt`.
struct ExemptVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exempt",
        abstract: "Keep windows, devices, hours, or everything out of the recording.",
        discussion: """
            An exemption is in force, and on disk, before the command ends. It needs no reason and \
            nobody's permission, and it survives restarts. If a policy names stewards, they may approve or \
            refuse it; a refusal changes nothing until you have seen it and answered.

            On a terminal, mcictl exempt by itself offers the windows that were last in front.

            EXAMPLES
              mcictl exempt add --app org.keepassxc.KeePassXC
              mcictl exempt add --app firefox --title "*Bank*"
              mcictl exempt add --everything --for 2h --reason "works council"
              mcictl exempt add --everything --during "Mon-Fri 12:00-13:00"
              mcictl exempt list
              mcictl exempt test --app firefox --title "My Bank"
              mcictl exempt remove 3
            """,
        subcommands: [
            ExemptAdd.self, ExemptList.self, ExemptRemove.self, ExemptAnswer.self,
            ExemptTest.self, ExemptExport.self, ExemptImport.self,
        ]
    )

    /// Offers a person the windows that were last in front; shows a program the help.
    func run() throws {
        guard Terminal.canAsk, isatty(1) == 1 else { throw CleanExit.helpRequest(self) }
        let installation = Installation()
        let apps = try RecentApps.find(installation)
        guard !apps.isEmpty else { throw CleanExit.helpRequest(self) }
        Terminal.print("In front before this terminal:")
        for (index, recent) in apps.enumerated() {
            let time = TimeText.short(recent.time, now: installation.now.wall)
            Terminal.print("  \(index + 1)  \(Terminal.printable(recent.app)), last at \(time)")
        }
        let answer = Terminal.answer(
            "Which one do you want to exempt from now on? [1-\(apps.count), Enter: none]"
        )
        guard let number = Int(answer), apps.indices.contains(number - 1) else {
            return Terminal.report("Nothing was changed. By name: mcictl exempt add --app NAME")
        }
        // The name becomes a pattern without wildcards.
        let pattern = String(apps[number - 1].app.map { "*?".contains($0) ? "?" : $0 })
        try ExemptAdd.parse(["--app=\(pattern)"]).run()
    }
}

/// The criteria of a rule on the command line.
struct ScopeOptions: ParsableArguments {
    @Option(help: "Windows whose class or instance (WM_CLASS) matches; * and ? are wildcards.")
    var app: String?

    @Option(help: "Windows whose title matches.")
    var title: String?

    @Option(help: "Devices whose name matches; xinput list shows the names.")
    var device: String?

    @Option(help: "Hours of the week: \"Mon-Fri 12:00-13:00\", \"Sat,Sun\", \"22:00-06:00\".")
    var during: String?

    var scope: Scope { Scope(app: app, title: title, device: device, during: during) }

    /// The scope, if it is valid.
    ///
    /// - Throws: a ``Failure`` of wrong usage.
    func checked() throws -> Scope { try scope.checked("mcictl exempt add --help") }
}

extension Scope {
    /// The scope, if it is valid.
    ///
    /// - Parameter help: the command that shows how to write it.
    /// - Returns: this scope.
    /// - Throws: a ``Failure`` of wrong usage.
    func checked(_ help: String) throws -> Scope {
        do throws(Refusal) {
            _ = try rule()
        } catch {
            throw Failure(error.reason, next: help, code: Failure.usage)
        }
        return self
    }
}

/// The verb `exempt add`.
struct ExemptAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Exempt something from now on.",
        usage: """
            mcictl exempt add (--app … | --title … | --device … | --everything | --front) [options]
            """,
        discussion: """
            Whatever matches every option given is no longer recorded. A pattern must match the whole \
            text; upper and lower case are the same.

            EXAMPLES
              mcictl exempt add --app signal
              mcictl exempt add --title "*salary*" --for 8h
              mcictl exempt add --device "*Tablet*"
              mcictl exempt add --everything --for 1d
              mcictl exempt add --front           for a key of the window manager or a menu
            """
    )

    @OptionGroup var options: ScopeOptions

    @Flag(help: "Exempt everything, at all hours or during those of --during.")
    var everything = false

    @Flag(
        help: """
            Exempt the application of the window that has the keyboard, or had it before a menu opened.
            """
    )
    var front = false

    @Option(name: .customLong("for"), help: "How long: 30m, 8h, 7d. Without it, with no end date.")
    var length: String?

    @Option(help: "Why, if you want to say; read only by you and a steward to whom you send it.")
    var reason: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let scope = try options.checked()
        let namesNothing = scope.app == nil && scope.title == nil && scope.device == nil
        if front, everything || !namesNothing || scope.during != nil {
            throw Failure(
                "--front names the window: leave out all other criteria.",
                next: "mcictl exempt add --help",
                code: Failure.usage
            )
        }
        guard everything == namesNothing || front else {
            throw Failure(
                everything
                    ? "--everything covers all windows and devices: leave out --app, --title and --device."
                    : "Say what to exempt: --app, --title, --device, --everything, or --front.",
                next: "mcictl exempt add --help",
                code: Failure.usage
            )
        }
        let seconds = try length.map { Int((try TimeText.duration($0) + 999) / 1000) }
        let call =
            front
            ? ExemptCall(front: true, seconds: seconds, reason: reason)
            : ExemptCall(scope: scope, seconds: seconds, reason: reason)
        let before = (try? ControlsFile(installation.paths).read())?.exemptions ?? []
        var written: ExemptionRecord?
        let reply = try installation.change(.exempt(call)) { controls throws(Refusal) in
            guard !front else {
                throw Refusal(
                    "Without mcid it is not known which window is in front.",
                    next: "mcictl exempt add --app NAME"
                )
            }
            written = try controls.exempt(call, at: installation.now, bootID: SystemClock.bootID())
        }
        guard let record = reply?.exemption ?? written else {
            throw Failure("The exemption could not be written.", next: "mcictl exempt list")
        }
        if json { return try Terminal.printJSON(ExemptionText.Answer(record)) }
        let what = Terminal.printable(record.scope.words)
        let end = ExemptionText.end(record, installation.now.wall)
        Terminal.print(
            before.contains { $0.id == record.id }
                ? "Exemption \(record.id) already covers that: \(what). In force, \(end)."
                : "Exempt \(record.id): \(what). In force now, \(end)."
        )
        Terminal.print("Undo: mcictl exempt remove \(record.id)")
        Terminal.report(
            "What was already recorded there is kept. \(ExemptionText.erasing(record.scope))"
        )
        if let policy = try? installation.policy(), !policy.stewards.isEmpty {
            Terminal.report(
                "The policy names stewards; write a request to them: mcictl exempt export \(record.id)"
            )
        }
        if reply == nil, !installation.isDaemonAlive() {
            Terminal.report("mcid is not running; this takes effect when it starts.")
        }
    }
}

/// The verb `exempt list`.
struct ExemptList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List your exemptions, and which of them need your answer.",
        discussion: """
            EXAMPLES
              mcictl exempt list
              mcictl exempt list --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let records = try ExemptionText.records(installation)
        if json { return try Terminal.printJSON(ExemptionText.List(exemptions: records)) }
        guard !records.isEmpty else {
            Terminal.print("You have no exemptions.")
            Terminal.report(
                "  Add one: mcictl exempt add --help. Default exclusions: mcictl exclude list"
            )
            return
        }
        let rows = records.map { record in
            [
                "\(record.id)", ExemptionText.kind(record.scope),
                Terminal.printable(record.scope.words),
                WallTime(record.since).map(TimeText.date) ?? "?",
                ExemptionText.shortEnd(record, installation.now.wall),
                ExemptionText.state(record, installation.now.wall),
            ]
        }
        let heads = ["ID", "KIND", "MATCHES", "SINCE", "ENDS", "STATE"]
        TableText.lines([heads] + rows).forEach { Terminal.print($0) }
        for record in records { ExemptionText.question(record).forEach { Terminal.print($0) } }
    }
}

/// The verb `exempt remove`.
struct ExemptRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an exemption.",
        discussion: """
            What it covered is recorded again from now on, unless something else leaves it out.

            EXAMPLES
              mcictl exempt remove 3
            """,
        aliases: ["withdraw"]
    )

    @Argument(help: "The number shown by mcictl exempt list.")
    var id: Int

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let record = try ExemptionText.answer(installation, id, "withdraw")
        if json { return try Terminal.printJSON(ExemptionText.Answer(record)) }
        Terminal.print("Exemption \(id) is removed: \(Terminal.printable(record.scope.words)).")
        if let rest = ExemptionText.stillLeftOut(record.scope, installation) {
            Terminal.print(rest)
        }
        Terminal.print("Add it again: mcictl exempt add --help")
    }
}

/// The verb `exempt answer`.
struct ExemptAnswer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer",
        abstract: "Answer a steward's refusal, or the end of an exemption of everything.",
        discussion: """
            Until you answer, nothing that it covers is recorded.

            EXAMPLES
              mcictl exempt answer 3           shows it and asks
              mcictl exempt answer 3 --accept  let it end
              mcictl exempt answer 3 --renew   keep it, and ask again
            """
    )

    @Argument(help: "The number shown by mcictl exempt list.")
    var id: Int

    @Flag(help: "Let it end.")
    var accept = false

    @Flag(help: "Ask for it again; it stays in force.")
    var renew = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard !(accept && renew) else {
            throw Failure("Choose one of --accept and --renew.", code: Failure.usage)
        }
        let installation = Installation()
        guard let record = try ExemptionText.records(installation).first(where: { $0.id == id })
        else {
            throw Failure("There is no exemption \(id).", next: "mcictl exempt list")
        }
        let question = ExemptionText.question(record)
        guard !question.isEmpty else {
            throw Failure(
                "Exemption \(id) needs no answer: it is \(record.state).",
                next: "mcictl exempt list"
            )
        }
        question.forEach { Terminal.report($0) }
        var answer = renew ? "renew" : "acknowledge"
        if !accept, !renew {
            let lets = try Terminal.ask(
                "End it, so that this is recorded again?",
                script: "--renew (it stays in force)"
            )
            guard lets else {
                Terminal.report("Nothing was changed: it stays in force.")
                return
            }
            answer = "acknowledge"
        }
        let after = try ExemptionText.answer(installation, id, answer)
        if json { return try Terminal.printJSON(ExemptionText.Answer(after)) }
        Terminal.print(
            after.state == Exemption.State.ended.rawValue
                ? "Exemption \(id) has ended. Recorded again: \(Terminal.printable(after.scope.words))."
                : "Exemption \(id) is in force, \(ExemptionText.end(after, installation.now.wall))."
        )
    }
}
