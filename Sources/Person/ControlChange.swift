// SPDX-License-Identifier: Apache-2.0

/// The parameters of Exempt.
package struct ExemptCall: Codable, Equatable, Sendable {
    package var scope: Scope?
    package var seconds: Int?
    package var reason: String?

    package init(scope: Scope? = nil, seconds: Int? = nil, reason: String? = nil) {
        (self.scope, self.seconds, self.reason) = (scope, seconds, reason)
    }
}

/// The parameters of AnswerExemption.
package struct AnswerCall: Codable, Equatable, Sendable {
    package var id: Int
    /// withdraw, acknowledge or renew.
    package var answer: String

    package init(id: Int, answer: String) {
        (self.id, self.answer) = (id, answer)
    }
}

/// The parameters of Exclude; each says one thing to change.
package struct ExcludeCall: Codable, Equatable, Sendable {
    /// The name of a default exclusion that is to hold no longer.
    package var remove: String?
    /// The name of a default exclusion that is to hold again.
    package var restore: String?
    package var add: Scope?
    package var drop: Scope?
    /// The applications that alone are recorded; empty for all.
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
