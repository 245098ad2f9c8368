// SPDX-License-Identifier: Apache-2.0

import Events

/// A request not to record certain input, and its state.
///
/// It is a state machine without clock or file: ``take(_:)`` is the only way to change its state.
/// Promise: it covers input from the request on. It ends only by what the person did or knew
/// when asking: a withdrawal, an answer to a refusal that the person has seen, or the end that the
/// person chose. If it covers everything, even that end waits for the person's answer.
package struct Exemption: Equatable, Sendable, Redacted {
    /// The state of an exemption.
    package enum State: String, Sendable, CaseIterable {
        /// In force; nobody has decided about it, or nobody is there to decide.
        case requested
        /// In force and approved by a steward.
        case approved
        /// In force; a steward denied it, and the person has not answered yet.
        case denied
        /// In force because it covers everything: its time is over, and the person has not answered
        /// yet.
        case expired
        /// No longer in force.
        case ended
    }

    /// An occurrence that may change the state.
    package enum Transition: Equatable, Sendable {
        /// A steward approves it.
        case approval
        /// A steward denies it.
        case denial
        /// The person has seen the denial or the expiry and lets it end.
        case acknowledgement
        /// The person has seen it and asks again; after expiry, without an end.
        case renewal
        /// The person withdraws it.
        case withdrawal
        /// Its time is over.
        case expiry
    }

    /// A small number by which the person names it; never reused.
    package let id: Int
    /// The input that is not recorded.
    package let rule: Rule
    /// The current state; ``take(_:)`` changes it.
    package internal(set) var state: State

    /// Creates an exemption, by default a new request, which is in force at once.
    package init(id: Int, rule: Rule, state: State = .requested) {
        self.id = id
        self.rule = rule
        self.state = state
    }

    /// Whether its rule suppresses recording.
    package var isInForce: Bool { state != .ended }

    /// Applies a transition.
    ///
    /// - Parameter transition: The transition.
    /// - Returns: Whether it is possible in this state; otherwise nothing changes.
    package mutating func take(_ transition: Transition) -> Bool {
        switch (state, transition) {
        case (.ended, _): return false
        case (_, .withdrawal): state = .ended
        case (.requested, .approval), (.denied, .approval): state = .approved
        case (.requested, .denial), (.approved, .denial): state = .denied
        case (.requested, .expiry), (.approved, .expiry), (.denied, .expiry):
            // Recording of everything never restarts by itself, nor does a denial that nobody has
            // seen end.
            if rule.isForEverything {
                state = .expired
            } else if state == .denied {
                return false
            } else {
                state = .ended
            }
        case (.denied, .acknowledgement), (.expired, .acknowledgement): state = .ended
        case (.denied, .renewal), (.expired, .renewal): state = .requested
        case (.expired, .approval), (.expired, .denial), (.expired, .expiry),
            (.approved, .approval), (.denied, .denial),
            (.requested, .acknowledgement), (.approved, .acknowledgement),
            (.requested, .renewal), (.approved, .renewal):
            return false
        }
        return true
    }
}
