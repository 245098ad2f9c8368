// SPDX-License-Identifier: Apache-2.0

/// The conditions of one of the person's rules, as text; an absent condition always holds.
package struct Scope: Codable, Equatable, Sendable {
    /// A pattern for the class or instance of WM_CLASS.
    package var app: String?
    /// A pattern for the title of a window.
    package var title: String?
    /// A pattern for the name of a device.
    package var device: String?
    /// Hours of the week in local time, such as `Mon-Fri 12:00-13:00`.
    package var during: String?
    /// The name of a program that asks for secrets on a terminal; only in exclusions, and by
    /// itself.
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

/// Whether input in a window is recorded, and which rule decides.
package struct Explanation: Codable, Equatable, Sendable {
    /// The window that was examined, without its title.
    package struct Window: Codable, Equatable, Sendable {
        /// The class of WM_CLASS.
        package var app: String
        /// The instance of WM_CLASS.
        package var instance: String

        package init(app: String, instance: String) {
            (self.app, self.instance) = (app, instance)
        }
    }

    /// The window that was examined; nil when no window decides.
    package var window: Window?
    /// Whether input in the window is recorded.
    package var isRecorded: Bool
    /// The name of the gap's reason that is stored instead; nil when input is recorded.
    package var reason: String?
    /// What decides: `exemption 2`, the name of a default exclusion, `rule 1 of the policy` and the
    /// like.
    package var by: String?
    /// The conditions of the rule that decides; nil when it has none.
    package var rule: Scope?
    /// The program that may be asking for a secret in the window; nil for none.
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

/// An exemption as it is stored on disk and sent over the control socket.
package struct ExemptionRecord: Codable, Equatable, Sendable {
    /// The number that the person sees, from 1; it is never given twice.
    package var id: Int
    /// 128 random bits in hexadecimal, to which a steward's decision is bound.
    package var request: String
    /// What is exempt.
    package var scope: Scope
    /// When it began, in RFC 3339.
    package var since: String
    /// When it ends, in RFC 3339; nil for one without end.
    package var until: String?
    /// The boot to which ``boottimeEnd`` belongs: its `boot_id` in hexadecimal.
    package var bootID: String
    /// When it ends on CLOCK_BOOTTIME, in milliseconds; nil for one without end.
    package var boottimeEnd: Int64?
    /// The person's own words; nil for none.
    package var reason: String?
    /// `requested`, `approved`, `denied`, `expired` or `ended`.
    package var state: String
    /// The last decision of a steward; nil for none.
    package var decision: Decision?

    /// A steward's decision about an exemption.
    package struct Decision: Codable, Equatable, Sendable {
        /// The steward's name in the policy.
        package var steward: String
        /// When it was made, in RFC 3339.
        package var at: String
        /// The steward's own words; nil for none.
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
