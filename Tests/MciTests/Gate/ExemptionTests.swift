// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
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
        conditions.keyDetail = .classes
        (conditions.hasConsent, conditions.isSound) = (true, true)
        (conditions.hasSpace, conditions.isConnected) = (true, true)
        (conditions.isAwake, conditions.isMarked) = (true, true)
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

    @Test func `what cannot happen is refused and changes nothing`() {
        let all: [Exemption.Transition] = [
            .approval, .denial, .acknowledgement, .renewal, .withdrawal, .expiry,
        ]
        // In the order of the list above; nil where it cannot happen.
        let table: [Exemption.State: [Exemption.State?]] = [
            .requested: [.approved, .denied, nil, nil, .ended, .ended],
            .approved: [nil, .denied, nil, nil, .ended, .ended],
            .denied: [.approved, nil, .ended, .requested, .ended, nil],
            .expired: [nil, nil, .ended, .requested, .ended, nil],
            .ended: [nil, nil, nil, nil, nil, nil],
        ]
        for state in Exemption.State.allCases {
            for (happening, expected) in zip(all, table[state] ?? []) {
                var exemption = Exemption(id: 7, rule: Rule(app: Glob("a")), state: state)
                let happened = exemption.take(happening)
                #expect(happened == (expected != nil), "\(happening) of \(state)")
                #expect(exemption.state == expected ?? state)
                #expect(exemption.id == 7)
            }
        }
        for state in [Exemption.State.requested, .approved, .denied] {
            var everything = Exemption(id: 1, rule: Rule(), state: state)
            let happened = everything.take(.expiry)
            #expect(happened && everything.state == .expired)
        }
    }
}
