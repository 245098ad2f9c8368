// SPDX-License-Identifier: Apache-2.0

/// The parameters of Exempt.
package struct ExemptCall: Codable, Equatable, Sendable {
    /// What to exempt; nil for everything.
    package var scope: Scope?
    /// Whether to exempt the application of the window in front instead; nil for no.
    package var front: Bool?
    /// The length in seconds; nil for an exemption without end.
    package var seconds: Int?
    /// The person's own words; nil for none.
    package var reason: String?

    package init(
        scope: Scope? = nil,
        front: Bool? = nil,
        seconds: Int? = nil,
        reason: String? = nil
    ) {
        (self.scope, self.front, self.seconds, self.reason) = (scope, front, seconds, reason)
    }
}

/// The parameters of AnswerExemption.
package struct AnswerCall: Codable, Equatable, Sendable {
    /// The id of the exemption.
    package var id: Int
    /// `withdraw`, `acknowledge` or `renew`.
    package var answer: String

    package init(id: Int, answer: String) {
        (self.id, self.answer) = (id, answer)
    }
}

/// The parameters of Exclude; each call sets one of them.
package struct ExcludeCall: Codable, Equatable, Sendable {
    /// The name of a default exclusion to turn off.
    package var remove: String?
    /// The name of a default exclusion to turn on again.
    package var restore: String?
    /// An exclusion of the person to add.
    package var add: Scope?
    /// An exclusion of the person to remove.
    package var drop: Scope?
    /// The allowlist of applications, as patterns; empty to record all of them.
    package var only: [String]?

    package init(
        remove: String? = nil,
        restore: String? = nil,
        add: Scope? = nil,
        drop: Scope? = nil,
        only: [String]? = nil
    ) {
        (self.remove, self.restore) = (remove, restore)
        (self.add, self.drop, self.only) = (add, drop, only)
    }
}
