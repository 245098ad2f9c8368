// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events
import Gate
import Person
import Policy

/// Exemptions in words, and where they are read from.
enum ExemptionText {
    /// One exemption as JSON.
    struct Answer: Encodable {
        var schema = 1
        var exemption: ExemptionRecord

        init(_ record: ExemptionRecord) { exemption = record }
    }

    /// All exemptions as JSON.
    struct List: Encodable {
        var schema = 1
        var exemptions: [ExemptionRecord]
    }

    /// The exemptions: the daemon's, or those on disk if it is down.
    static func records(_ installation: Installation) throws -> [ExemptionRecord] {
        let found = try installation.call(.listExemptions)?.exemptions
        // The daemon has checked them first.
        let controls = try found == nil ? ControlsFile(installation.paths).read() : nil
        installation.reportPutBack(controls ?? (try? ControlsFile(installation.paths).read()))
        return found ?? controls?.exemptions ?? []
    }

    /// Gives the person's answer, through the daemon or without it.
    static func answer(_ installation: Installation, _ id: Int, _ word: String) throws
        -> ExemptionRecord
    {
        let call = AnswerCall(id: id, answer: word)
        var written: ExemptionRecord?
        let reply = try installation.change(.answerExemption(call)) { controls throws(Refusal) in
            written = try controls.answer(call, at: installation.now)
        }
        guard let record = reply?.exemption ?? written else {
            throw Failure("The answer could not be written.", next: "mcictl exempt list")
        }
        return record
    }

    /// What kind of thing a scope names first.
    static func kind(_ scope: Scope) -> String {
        if scope.app != nil { return "app" }
        if scope.title != nil { return "title" }
        if scope.device != nil { return "device" }
        return scope.during == nil ? "all" : "time"
    }

    /// How to erase what was stored of a scope, and nothing else with it.
    static func erasing(_ scope: Scope) -> String {
        if let app = scope.app, Scope(app: app) == scope, !app.contains("*"), !app.contains("?") {
            return "Erase it: mcictl forget --app \(Terminal.shellWord(app))"
        }
        return "Find the time: mcictl log. Erase it: mcictl forget --since TIME --until TIME"
    }

    /// What still leaves out the scope of a withdrawn exemption; nil if nothing does.
    static func stillLeftOut(_ scope: Scope, _ installation: Installation) -> String? {
        guard let controls = try? ControlsFile(installation.paths).read(),
            let policy = try? installation.paths.policy.read() as ManagedPolicy??
        else { return nil }
        // A pattern matches itself, and every pattern that covers it.
        let explanation = Explanation(
            controls,
            policy,
            on: WindowFacts(app: scope.app ?? "", instance: "", title: scope.title ?? ""),
            from: scope.device,
            at: SystemClock.weekMinute(installation.now.wall)
        )
        guard !explanation.isRecorded, let by = explanation.by else { return nil }
        let rule = explanation.rule.map { " (\(Terminal.printable($0.words)))" } ?? ""
        return "It is still left out by \(by)\(rule)."
    }

    /// Until when, as the end of a sentence.
    static func end(_ record: ExemptionRecord, _ now: WallTime) -> String {
        record.until.flatMap { WallTime($0) }.map { "until \(TimeText.short($0, now: now))" }
            ?? "with no end date"
    }

    /// Its state, in a table.
    static func state(_ record: ExemptionRecord, _ now: WallTime) -> String {
        switch Exemption.State(rawValue: record.state) {
        case .requested: "in force"
        case .approved:
            "in force, approved by \(Terminal.printable(record.decision?.steward ?? "?"))"
        case .denied: "in force, refused: needs your answer"
        case .expired: "in force, time is up: needs your answer"
        case .ended: "ended"
        case nil: record.state
        }
    }

    /// Until when, in a table.
    static func shortEnd(_ record: ExemptionRecord, _ now: WallTime) -> String {
        record.until.flatMap { WallTime($0) }.map { TimeText.short($0, now: now) } ?? "never"
    }

    /// What an exemption asks of the person, if anything.
    static func question(_ record: ExemptionRecord) -> [String] {
        switch Exemption.State(rawValue: record.state) {
        case .denied:
            let steward = Terminal.printable(record.decision?.steward ?? "A steward")
            let reason = record.decision?.reason.map { ": “\(Terminal.printable($0))”" } ?? "."
            return [
                "Exemption \(record.id) was refused by \(steward)\(reason)",
                "  It stays in force until you answer: mcictl exempt answer \(record.id)",
            ]
        case .expired:
            return [
                "Exemption \(record.id) (everything) has run out. Nothing is recorded until you answer.",
                "  End it or extend it: mcictl exempt answer \(record.id)",
            ]
        default: return []
        }
    }
}
