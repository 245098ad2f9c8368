// SPDX-License-Identifier: Apache-2.0

import Capture
import Control
import Events
import Gate
import Logging
import Person
import Policy
import System

/// The rules of what may be recorded: the person's exemptions, exclusions and settings, for the
/// gate.
extension Recorder {
    /// Derives the restrictions from controls, settings and policy; rules that do not parse close
    /// the gate.
    func readRules() {
        let before = restrictions
        do throws(Refusal) {
            var person = try controls.restrictions()
            person.storesTitles = settings.title ?? false
            person.recordsSyntheticKeys = settings.syntheticKeys ?? false
            try runningDemonstration?.apply(to: &person)
            restrictions = policy.map { person.stricter($0.restrictions) } ?? person
        } catch {
            fault = fault ?? error.reason
        }
        guard restrictions != before || rules.minute == nil else { return }
        rules = Rules(areTimed: restrictions.dependOnTime)
        // Only if they differ, because this discards what is known about the windows.
        source.lookFor(restrictions.askers)
        source.readTitles { [restrictions] in restrictions.needsTitle(of: $0) }
    }

    /// The rules that the gate has received.
    struct Rules {
        /// Whether some apply only at certain hours.
        var areTimed = false
        /// The minute of the week for which the gate received them; nil when it has not yet.
        var minute: WeekMinute?
        /// Why all input is rejected in that minute; nil when it is not.
        var leftOutBy: GapReason?
    }

    /// Gives the gate the rules, if they or the minute have changed.
    func useRules(at now: Moment) {
        if rules.minute != nil, !rules.areTimed { return }
        let minute = environment.weekMinute(now.wall)
        guard rules.minute != minute else { return }
        rules.minute = minute
        rules.leftOutBy = restrictions.leavesOutAll(at: minute)
        pipeline.use(restrictions, at: minute, from: now.monotonic)
    }

    /// When to evaluate rules again that apply to all input at certain hours; nil for never.
    var rulesDue: WallTime? {
        func isTimed(_ rule: Rule) -> Bool { rule.isForEverything && rule.during != nil }
        guard rules.areTimed,
            restrictions.exemptions.contains(where: isTimed)
                || restrictions.exclusions.contains(where: isTimed)
        else { return nil }
        let now = environment.clock().wall.milliseconds
        return WallTime((now / 60_000 + 1) * 60_000)
    }

    /// Ends exemptions whose time is over, or lets them wait for an answer.
    ///
    /// If the change cannot be written, they go on.
    func endExemptions(at now: Moment) {
        var new = controls
        guard new.expire(at: now, bootID: environment.bootID) else { return }
        guard save(new) else {
            environment.log.error(
                "The end of an exemption could not be written, so it stays in force"
            )
            return
        }
        environment.log.notice("An exemption ran out")
        statusChanged = true
        readRules()
    }

    // MARK: Calls

    func exempt(_ call: ExemptCall) throws(Refusal) -> ControlReply {
        var record: ExemptionRecord?
        let now = environment.clock()
        let call = try named(call, at: now)
        try changeRules { controls throws(Refusal) in
            record = try controls.exempt(call, at: now, bootID: environment.bootID)
        }
        environment.log.notice("Exemption added")
        return reply(record)
    }

    /// The call with the application in front instead of `front`.
    private func named(_ call: ExemptCall, at now: Moment) throws(Refusal) -> ExemptCall {
        guard call.front == true else { return call }
        guard call.scope == nil else {
            throw Refusal("An exemption is for a scope or for the window in front, not both.")
        }
        catchUp(now)
        let front = pipeline.gate.front(at: now.monotonic, patience: Self.frontPatience)
        guard let front, !front.app.isEmpty else {
            throw Refusal("It is not known which window is in front.", next: "mcictl exempt --help")
        }
        var named = call
        (named.scope, named.front) = (Scope(app: front.app), nil)
        return named
    }

    /// Milliseconds for which the window in front is remembered while a menu holds the keyboard.
    private static let frontPatience: Int64 = 10_000

    func answer(_ call: AnswerCall) throws(Refusal) -> ControlReply {
        var record: ExemptionRecord?
        let now = environment.clock()
        try changeRules { controls throws(Refusal) in
            record = try controls.answer(call, at: now)
        }
        environment.log.notice("Exemption answered")
        return reply(record)
    }

    func decide(_ decision: String) throws(Refusal) -> ControlReply {
        noteChangedFiles()
        var record: ExemptionRecord?
        let (now, stewards) = (environment.clock(), policy?.stewards ?? [])
        try changeRules { controls throws(Refusal) in
            record = try controls.decide(
                decision,
                among: stewards,
                user: CurrentProcess.userID,
                at: now.wall
            )
        }
        environment.log.notice("A steward's decision was imported")
        return reply(record)
    }

    func exclude(_ call: ExcludeCall) throws(Refusal) -> ControlReply {
        try changeRules { controls throws(Refusal) in try controls.exclude(call) }
        environment.log.notice("Exclusions changed")
        return ControlReply(status: status)
    }

    func explain() -> ControlReply {
        let now = environment.clock()
        catchUp(now)
        var reply = ControlReply()
        if let reason = pipeline.gate.conditions.closedBy {
            reply.explanation = Explanation(isRecorded: false, reason: reason.name)
            return reply
        }
        switch pipeline.gate.context(of: .keyboard) {
        case .unknown:
            let reason = GapReason.unknownContext.name
            reply.explanation = Explanation(isRecorded: false, reason: reason)
        case .grabbed:
            let reason = GapReason.keyboardGrabbed.name
            reply.explanation = Explanation(isRecorded: false, reason: reason)
        case .window(var window):
            // The current state, not that of the last key.
            if source.lookForPrompts() { window.mayAskForSecret = source.asking != nil }
            var explanation = Explanation(
                controls,
                policy,
                on: window,
                from: nil,
                at: environment.weekMinute(now.wall),
                asking: source.asking?.program
            )
            explanation.window = .init(app: window.app, instance: window.instance)
            explanation.asking = asking
            reply.explanation = explanation
        }
        return reply
    }

    private func reply(_ record: ExemptionRecord?) -> ControlReply {
        var reply = ControlReply(status: status)
        reply.exemption = record
        return reply
    }
}
