// SPDX-License-Identifier: Apache-2.0

import Events

/// Something the person asked not to be recorded, and what has become of it.
///
/// A state machine without clock or file: ``take(_:)`` is the only way its state changes. Promise:
/// it covers from the request on, and it ends only by what the person did or was told when asking:
/// a withdrawal, an answer to a refusal that the person has seen, or the end the person chose; where
/// it is for everything, that end too waits for the person's answer.
package struct Exemption: Equatable, Sendable, Redacted {
    /// Where it stands.
    package enum State: String, Sendable, CaseIterable {
        /// In force; nobody has decided on it, or there is nobody who decides.
        case requested
        /// In force, kept by a steward.
        case approved
        /// In force: a steward refused it, and the person has not answered yet.
        case denied
        /// In force, for it is for everything: its time is over and the person has not answered yet.
        case expired
        /// No longer in force.
        case ended
    }

    /// What can happen to it.
    package enum Transition: Equatable, Sendable {
        /// A steward keeps it.
        case approval
        /// A steward refuses it.
        case denial
        /// The person has seen that it was refused, or that its time is over, and lets it end.
        case acknowledgement
        /// The person has seen so and asks for it again, without an end where its time was over.
        case renewal
        /// The person takes it back.
        case withdrawal
        /// Its time is over.
        case expiry
    }

    /// A small number for the person to name it by; never given twice.
    package let id: Int
    package let rule: Rule
    package internal(set) var state: State

    /// A request, in force from now on.
    package init(id: Int, rule: Rule, state: State = .requested) {
        self.id = id
        self.rule = rule
        self.state = state
    }

    /// Whether what it names is not recorded.
    package var isInForce: Bool { state != .ended }

    /// Lets something happen.
    ///
    /// - Parameter happening: what.
    /// - Returns: whether it can happen in this state; otherwise nothing changes.
    package mutating func take(_ happening: Transition) -> Bool {
        switch (state, happening) {
        case (.ended, _): return false
        case (_, .withdrawal): state = .ended
        case (.requested, .approval), (.denied, .approval): state = .approved
        case (.requested, .denial), (.approved, .denial): state = .denied
        case (.requested, .expiry), (.approved, .expiry), (.denied, .expiry):
            // Of everything nothing begins again by itself; nor under a refusal nobody has seen.
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
