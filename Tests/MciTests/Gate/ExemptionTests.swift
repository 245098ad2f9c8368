// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Settings
import Testing

/// What can happen in the history of one exemption.
private enum Step: CaseIterable, Hashable {
    case request, approve, deny, acknowledge, withdraw, expire, restart, policyChange
}

/// What a person may rely on, written without looking at how it is kept: the exemption holds from the
/// request until the person took it back, answered a refusal or an end that was shown, or (where it
/// is not for everything) the end came that the person had named, with no refusal open.
private struct Expectation: Hashable {
    var isAsked = false
    var isOver = false
    var refusalIsOpen = false
    var endIsOpen = false
    let isForEverything: Bool

    var isInForce: Bool { isAsked && !isOver }

    mutating func take(_ step: Step) {
        switch step {
        case .request:
            if !isAsked || isOver {
                self = Expectation(isForEverything: isForEverything)
                isAsked = true
            }
        case .withdraw: if isInForce { isOver = true }
        case .acknowledge: if isInForce, refusalIsOpen || endIsOpen { isOver = true }
        case .deny: if isInForce, !endIsOpen { refusalIsOpen = true }
        case .approve: if isInForce, !endIsOpen { refusalIsOpen = false }
        case .expire:
            guard isInForce, !endIsOpen else { return }
            if isForEverything {
                (endIsOpen, refusalIsOpen) = (true, false)
            } else if !refusalIsOpen {
                isOver = true
            }
        case .restart, .policyChange: break
        }
    }
}

/// The exemption as the controls keep it, and a gate that was told of it.
private struct History: Hashable {
    var expected: Expectation
    var state: Exemption.State?
    var stewards = true

    private var rule: Rule {
        expected.isForEverything ? Rule() : Rule(app: Glob("Secret"))
    }

    mutating func take(_ step: Step) {
        expected.take(step)
        var exemption = state.map { Exemption(id: 1, rule: rule, state: $0) }
        switch step {
        case .request:
            if exemption?.isInForce != true { exemption = Exemption(id: 1, rule: rule) }
        case .approve: if stewards { _ = exemption?.take(.approval) }
        case .deny: if stewards { _ = exemption?.take(.denial) }
        case .acknowledge: _ = exemption?.take(.acknowledgement)
        case .withdraw: _ = exemption?.take(.withdrawal)
        case .expire: _ = exemption?.take(.expiry)
        case .restart:
            // As written to disk and read again.
            exemption = exemption.flatMap { old in
                Exemption.State(rawValue: old.state.rawValue).map {
                    Exemption(id: old.id, rule: old.rule, state: $0)
                }
            }
        case .policyChange: break
        }
        state = exemption?.state
    }

    /// Whether a real gate lets a key in the exempt window pass.
    var isAdmitted: Bool {
        var restrictions = Restrictions()
        if let state, Exemption(id: 1, rule: rule, state: state).isInForce {
            restrictions.exemptions = [rule]
        }
        let minute = WeekMinute(day: 0, minuteOfDay: 0)
        var conditions = Gate.Conditions()
        (conditions.hasConsent, conditions.isSound) = (true, true)
        (conditions.hasSpace, conditions.isConnected) = (true, true)
        conditions.leftOutBy = restrictions.leavesOutAll(at: minute)
        var gate = Gate(stopped: EventTime(0))
        gate.use(restrictions, at: minute, from: EventTime(0)) { _ in }
        gate.set(conditions, at: EventTime(0)) { _ in }
        _ = gate.take(.context(.app("Secret"), stream: .keyboard, at: EventTime(0))) { _ in }
        let key = RawEvent.Key(
            keycode: 38,
            isDown: true,
            keyClass: .letter,
            modifiers: [],
            keysym: 0x61
        )
        let raw = RawEvent(time: EventTime(1), device: 3, payload: .key(key))
        return gate.take(.input(raw, stream: .keyboard)) { _ in } == true
    }
}

@Suite struct ExemptionTests {
    /// All histories of up to eight steps; those that come to the same place are followed once.
    @Test(arguments: [false, true])
    func `over all histories of eight steps nothing covered is admitted and nothing lifts unknown`(
        isForEverything: Bool
    ) {
        var frontier: [History: Int] = [
            History(expected: Expectation(isForEverything: isForEverything)): 1
        ]
        var histories = 0
        var admitted: [History: Bool] = [:]
        for _ in 1...8 {
            var next: [History: Int] = [:]
            for (history, count) in frontier {
                for step in Step.allCases {
                    var after = history
                    after.take(step)
                    next[after, default: 0] += count
                }
            }
            for (history, count) in next {
                histories += count
                let isAdmitted = admitted[history] ?? history.isAdmitted
                admitted[history] = isAdmitted
                #expect(isAdmitted == !history.expected.isInForce)
            }
            frontier = next
        }
        #expect(
            histories
                == (1...8).reduce(0) { sum, length in
                    sum + (0..<length).reduce(1) { product, _ in product * Step.allCases.count }
                }
        )
        #expect(admitted.values.contains(true) && admitted.values.contains(false))
    }

    // MARK: On disk

    private let now = Moment(
        monotonic: EventTime(1000),
        boottime: 1000,
        wall: WallTime(1_795_268_102_118)
    )

    private func later(_ milliseconds: Int64) -> Moment {
        Moment(
            monotonic: EventTime(1000 + milliseconds),
            boottime: 1000 + milliseconds,
            wall: WallTime(1_795_268_102_118 + milliseconds)
        )
    }

    @Test func `an exemption holds from the request on, and ends when it was to end`() throws {
        var controls = Controls()
        let record = try controls.exempt(
            .init(scope: Scope(app: "signal"), seconds: 60),
            at: now,
            bootID: [1]
        )
        #expect(try controls.restrictions().exemptions.count == 1)
        let early = controls.expire(at: later(59_999), bootID: [1])
        #expect(!early)
        let onTime = controls.expire(at: later(60_000), bootID: [1])
        #expect(onTime)
        #expect(try controls.restrictions().exemptions.isEmpty)
        #expect(controls.exemptions[0].state == "ended")
        #expect(throws: Refusal.self) {
            try controls.answer(.init(id: record.id, answer: "acknowledge"), at: now)
        }
    }

    @Test func `the end of an exemption from everything waits for the person`() throws {
        var controls = Controls()
        _ = try controls.exempt(.init(seconds: 60), at: now, bootID: [1])
        let isOver = controls.expire(at: later(60_000), bootID: [1])
        #expect(isOver)
        #expect(controls.exemptions[0].state == "expired")
        #expect(try controls.restrictions().exemptions == [Rule()])
        var renewed = controls
        let record = try renewed.answer(.init(id: 1, answer: "renew"), at: later(70_000))
        #expect(record.state == "requested" && record.until == nil)
        let again = renewed.expire(at: later(1 << 40), bootID: [1])
        #expect(!again)
        _ = try controls.answer(.init(id: 1, answer: "acknowledge"), at: later(70_000))
        #expect(try controls.restrictions().exemptions.isEmpty)
    }

    @Test func `a clock that is set does not end an exemption early`() throws {
        var controls = Controls()
        _ = try controls.exempt(.init(scope: Scope(app: "a"), seconds: 3600), at: now, bootID: [1])
        var forward = later(1000)
        forward.wall.milliseconds += 7_200_000
        let isOver = controls.expire(at: forward, bootID: [1])
        #expect(!isOver)
        var back = later(3_600_000)
        back.wall.milliseconds -= 7_200_000
        let isOverBack = controls.expire(at: back, bootID: [1])
        #expect(!isOverBack)
        let isOverThen = controls.expire(at: later(3_600_000), bootID: [1])
        #expect(isOverThen)
    }

    @Test func `numbers are never given twice, and bad requests change nothing`() throws {
        var controls = Controls()
        let first = try controls.exempt(.init(scope: Scope(app: "a")), at: now, bootID: [1])
        _ = try controls.answer(.init(id: first.id, answer: "withdraw"), at: now)
        let second = try controls.exempt(.init(scope: Scope(app: "a")), at: now, bootID: [1])
        #expect((first.id, second.id) == (1, 2))
        #expect(first.request != second.request && first.request.count == 32)
        let before = controls
        for call: ControlCall.ExemptCall in [
            .init(scope: Scope(app: "")), .init(scope: Scope(during: "someday")),
            .init(seconds: 0), .init(seconds: -5), .init(seconds: .max),
            .init(reason: String(repeating: "x", count: 501)),
            .init(scope: Scope(title: String(repeating: "x", count: 257))),
        ] {
            #expect(throws: Refusal.self) { try controls.exempt(call, at: now, bootID: [1]) }
        }
        for call: ControlCall.AnswerCall in [
            .init(id: 1, answer: "withdraw"), .init(id: 2, answer: "acknowledge"),
            .init(id: 2, answer: "renew"), .init(id: 2, answer: "approve"),
            .init(id: .min, answer: "withdraw"),
        ] {
            #expect(throws: Refusal.self) { try controls.answer(call, at: now) }
        }
        #expect(controls == before)
    }

    @Test func `exclusions are the person's to add, remove and restore`() throws {
        var controls = Controls()
        let defaults = try controls.restrictions().exclusions
        #expect(defaults.contains(Rule(atSecretPrompts: true)))
        try controls.exclude(.init(remove: "terminal-prompts"))
        #expect(try !controls.restrictions().exclusions.contains(Rule(atSecretPrompts: true)))
        try controls.exclude(.init(restore: "terminal-prompts"))
        #expect(try controls.restrictions().exclusions == defaults)
        try controls.exclude(.init(add: Scope(app: "gnucash")))
        try controls.exclude(.init(add: Scope(app: "gnucash")))
        #expect(controls.exclusions.count == 1)
        try controls.exclude(.init(drop: Scope(app: "gnucash")))
        #expect(try controls.restrictions().exclusions == defaults)
        try controls.exclude(.init(only: ["a", "b*"]))
        #expect(try controls.restrictions().allowed.count == 1)
        try controls.exclude(.init(only: []))
        #expect(try controls.restrictions().allowed.isEmpty)
        for call: ControlCall.ExcludeCall in [
            .init(remove: "nothing"), .init(add: Scope()), .init(drop: Scope(app: "x")),
            .init(only: [""]),
        ] {
            #expect(throws: Refusal.self) { try controls.exclude(call) }
        }
    }
}
