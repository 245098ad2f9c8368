// SPDX-License-Identifier: Apache-2.0

/// What a rule of the person names, in the words of the command line; what is absent is not asked.
package struct Scope: Codable, Equatable, Sendable {
    /// A pattern for the class or instance of WM_CLASS.
    package var app: String?
    package var title: String?
    /// A pattern for the name of a device.
    package var device: String?
    /// Hours of the week, such as `Mon-Fri 12:00-13:00`.
    package var during: String?
    /// The name of a program that asks for secrets on a terminal; of exclusions alone, and by itself.
    package var asker: String?

    package init(
        app: String? = nil,
        title: String? = nil,
        device: String? = nil,
        during: String? = nil,
        asker: String? = nil
    ) {
        (self.app, self.title, self.device, self.during) = (app, title, device, during)
        self.asker = asker
    }
}

/// Why input is recorded or left out, and what decides it.
package struct Explanation: Codable, Equatable, Sendable {
    /// What is told of the window that was judged.
    package struct Window: Codable, Equatable, Sendable {
        /// The class and the instance of WM_CLASS.
        package var app: String
        package var instance: String

        package init(app: String, instance: String) {
            (self.app, self.instance) = (app, instance)
        }
    }

    /// The window that was judged; nil where no window decides.
    package var window: Window?
    package var isRecorded: Bool
    /// The word of the gap that is stored instead; nil where it is recorded.
    package var reason: String?
    /// What decides: `exemption 2`, a default exclusion, the policy, and the like.
    package var by: String?
    /// The scope of the rule that decides, where it has one.
    package var rule: Scope?
    /// The program that may be asking for a secret in the window; nil where none does.
    package var asking: AskingTerminal?

    package init(
        isRecorded: Bool,
        reason: String? = nil,
        by: String? = nil,
        rule: Scope? = nil
    ) {
        self.isRecorded = isRecorded
        self.reason = reason
        self.by = by
        self.rule = rule
    }
}

/// An exemption as it is kept on disk and told over the socket.
package struct ExemptionRecord: Codable, Equatable, Sendable {
    package var id: Int
    /// 128 random bits in hexadecimal: what a steward's decision is bound to.
    package var request: String
    package var scope: Scope
    /// RFC 3339.
    package var since: String
    /// RFC 3339; nil for one without end.
    package var until: String?
    /// The boot whose clock ``boottimeEnd`` is on, in hexadecimal.
    package var bootID: String
    /// CLOCK_BOOTTIME in milliseconds.
    package var boottimeEnd: Int64?
    /// The person's own words, if any.
    package var reason: String?
    /// requested, approved, denied, expired or ended.
    package var state: String
    /// What a steward said last; nil where none has.
    package var decision: Decision?

    /// A steward's word on an exemption.
    package struct Decision: Codable, Equatable, Sendable {
        /// The steward's name in the policy.
        package var steward: String
        /// RFC 3339.
        package var at: String
        package var reason: String?

        package init(steward: String, at: String, reason: String?) {
            (self.steward, self.at, self.reason) = (steward, at, reason)
        }
    }

    package init(
        id: Int,
        request: String,
        scope: Scope,
        since: String,
        until: String?,
        bootID: String,
        boottimeEnd: Int64?,
        reason: String?,
        state: String
    ) {
        self.id = id
        self.request = request
        self.scope = scope
        self.since = since
        self.until = until
        self.bootID = bootID
        self.boottimeEnd = boottimeEnd
        self.reason = reason
        self.state = state
    }
}
