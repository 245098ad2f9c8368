// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Gate
import Person
import System

/// The verb `explain`.
struct ExplainVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which rule applies to the window in front, or to one you describe.",
        usage: "mcictl explain [--after 5s | --app … --title … --device …] [--json]",
        discussion: """
            To explain another window, give yourself time to click on it: --after 5s.

            EXAMPLES
              mcictl explain --after 5s
              mcictl explain --app firefox --title "Inbox"
            """
    )

    @OptionGroup var window: DescribedWindow

    @Option(help: "Wait this long before looking at the window in front.")
    var after: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        if window.isDescribed {
            let explanation = try window.explanation(installation)
            return try ExplanationText.show(explanation, window.words, json: json)
        }
        if let after { CurrentProcess.sleep(milliseconds: try TimeText.duration(after)) }
        guard let explanation = try installation.call(.explain)?.explanation else {
            throw Failure(
                "mcid is not running, so nothing is recorded. Describe a window: --app, --title.",
                next: Installation.startCommand,
                code: Failure.unavailable
            )
        }
        installation.reportPutBack(try? ControlsFile(installation.paths).read())
        try ExplanationText.show(explanation, ["in front now"], json: json)
    }
}

/// The verb `exempt test`.
struct ExemptTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Say whether a window would be recorded, before it is opened.",
        usage: "mcictl exempt test [--app …] [--title …] [--device …] [options]",
        discussion: """
            EXAMPLES
              mcictl exempt test --app firefox --title "Private Browsing"
              mcictl exempt test --device "Wacom Pen"
            """
    )

    @OptionGroup var window: DescribedWindow

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard window.isDescribed else {
            throw Failure("Describe a window: --app, --title, --device.", code: Failure.usage)
        }
        let explanation = try window.explanation(Installation())
        try ExplanationText.show(explanation, window.words, json: json)
    }
}

/// A window as the command line describes it.
struct DescribedWindow: ParsableArguments {
    @Option(help: "The class of the window (WM_CLASS); xprop WM_CLASS shows it.")
    var app: String?

    @Option(help: "Its instance, the other part of WM_CLASS.")
    var instance: String?

    @Option(help: "Its title; without it, no rule about titles matches.")
    var title: String?

    @Option(help: "The name of the device the input comes from.")
    var device: String?

    @Option(help: "A moment of the week, such as \"Mon 12:30\"; without it, now.")
    var at: String?

    var isDescribed: Bool {
        app != nil || instance != nil || title != nil || device != nil || at != nil
    }

    /// What the rules say about it.
    func explanation(_ installation: Installation) throws -> Explanation {
        var minute = SystemClock.weekMinute(installation.now.wall)
        if let at {
            guard let moment = WeekMinute(at) else {
                throw Failure(
                    "“\(at)” is not a time of the week. Example: --at \"Mon 12:30\"",
                    code: Failure.usage
                )
            }
            minute = moment
        }
        let controls = try ControlsFile(installation.paths).read()
        installation.reportPutBack(controls)
        var explanation = Explanation(
            controls,
            try installation.policy(),
            on: WindowFacts(app: app ?? "", instance: instance ?? "", title: title ?? ""),
            from: device,
            at: minute
        )
        explanation.window = .init(app: app ?? "", instance: instance ?? "")
        return explanation
    }

    /// What was checked besides the window's class: a rule about anything not given cannot match.
    var words: [String] {
        [
            title.map { "title “\(Terminal.printable($0))”" } ?? "no title given",
            device.map { "device “\(Terminal.printable($0))”" } ?? "no device given",
            at.map(Terminal.printable) ?? "now",
        ]
    }
}

/// Explanations in words.
enum ExplanationText {
    private struct Answer: Encodable {
        var schema = 1
        var explanation: Explanation
    }

    /// Shows what was checked, and the result.
    ///
    /// - Parameters:
    ///   - explanation: the result.
    ///   - words: what was checked besides the window's class.
    ///   - json: whether to print JSON.
    /// - Throws: nothing that can happen.
    static func show(_ explanation: Explanation, _ words: [String], json: Bool) throws {
        if json { return try Terminal.printJSON(Answer(explanation: explanation)) }
        if let window = explanation.window {
            let instance = window.instance == window.app ? "" : window.instance
            let names = [("class", window.app), ("instance", instance)]
                .filter { !$0.1.isEmpty }.map { "\($0.0) \(Terminal.printable($0.1))" }
            let what = names.isEmpty ? ["a window without a class"] : names
            Terminal.print("Checked: \((what + words).joined(separator: ", ")).")
        }
        Terminal.print(sentence(explanation))
    }

    /// Whether the window is recorded, in a few words.
    static func short(_ explanation: Explanation) -> String {
        guard !explanation.isRecorded else { return "recorded" }
        let why = explanation.by ?? explanation.reason.map { GapReason.named($0)?.words ?? $0 }
        return "not recorded (\(Terminal.printable(why ?? "closed")))"
    }

    private static func sentence(_ explanation: Explanation) -> String {
        if explanation.isRecorded { return "Recorded: no rule leaves it out." }
        let scope = explanation.rule.map { " (\(Terminal.printable($0.words)))" } ?? ""
        guard let by = explanation.by else {
            switch explanation.reason {
            case GapReason.unknownContext.name:
                return "Not recorded: mcid cannot tell which window has the keyboard."
            case GapReason.keyboardGrabbed.name:
                return "Not recorded: a program has grabbed the keyboard."
            default: return "Not recorded: \(explanation.reason ?? "closed"). See: mcictl status"
            }
        }
        let word =
            switch explanation.reason {
            case GapReason.exempt.name: "Exempt by"
            case GapReason.notAllowed.name: "Not recorded: it is not on"
            default: "Excluded by"
            }
        // Names the program, because terminals that wait for a secret look like others.
        let asking =
            explanation.asking.map { ": \(StatusText.program($0)) may be asking for a secret" }
            ?? ""
        return "\(word) \(by)\(scope)\(asking). Nothing done there is stored."
    }
}
