// SPDX-License-Identifier: Apache-2.0

package import Person

/// A call of the varlink interface `io.mci.Control`; the interface file describes the methods.
///
/// ``methods`` says for each call what it is on the socket.
package enum ControlCall: Equatable, Sendable {
    /// Returns the status.
    case getStatus
    /// Vouches for the session for a while.
    case attend(AttendCall)
    /// Ends the vouching; recording goes on without it.
    case leave
    /// Returns the status now and, with `more`, after every change.
    case monitor
    /// Pauses recording.
    case pause(PauseCall)
    /// Ends a pause.
    case resume
    /// Records the person's consent.
    case consent(Receipt)
    /// Withdraws the consent.
    case withdraw
    /// Erases batches.
    case forget(ForgetCall)
    /// Asks for an exemption, which is in force at once.
    case exempt(ExemptCall)
    /// Returns all exemptions.
    case listExemptions
    /// Takes the person's answer about an exemption.
    case answerExemption(AnswerCall)
    /// Takes a steward's signed decision, a JSON text.
    case decideExemption(String)
    /// Changes the exclusions.
    case exclude(ExcludeCall)
    /// Begins a demonstration.
    case demonstrate(DemonstrateCall)
    /// Ends the demonstration: `done` or `failed`.
    case endDemonstration(String)
    /// Explains whether the window with the keyboard is recorded.
    case explain
    /// Reads settings, policy and recipients again.
    case reload
    /// Stores the open batch.
    case flush

    /// Carries out a call, or refuses it with a ``Refusal``.
    package typealias Handler = (ControlCall) throws(Refusal) -> ControlReply

    /// The parameters of Pause; without `seconds` and `until` it lasts until Resume.
    package struct PauseCall: Codable, Equatable, Sendable {
        /// The length in seconds; nil for none.
        package var seconds: Int?
        /// The end in RFC 3339; nil for none.
        package var until: String?
        /// How many seconds before now to erase as well; nil for none.
        package var forgetSeconds: Int?

        package init(seconds: Int? = nil, until: String? = nil, forgetSeconds: Int? = nil) {
            self.seconds = seconds
            self.until = until
            self.forgetSeconds = forgetSeconds
        }
    }

    /// The parameters of Forget: a time range or batches.
    package struct ForgetCall: Codable, Equatable, Sendable {
        /// The beginning of the range in RFC 3339; nil for no limit.
        package var since: String?
        /// The end of the range in RFC 3339; nil for no limit.
        package var until: String?
        /// Sequence numbers of batches, instead of a time range.
        package var batches: [Int64]?
        /// Whether to select the batches without erasing them.
        package var dryRun: Bool

        package init(
            since: String? = nil,
            until: String? = nil,
            batches: [Int64]? = nil,
            dryRun: Bool = false
        ) {
            self.since = since
            self.until = until
            self.batches = batches
            self.dryRun = dryRun
        }
    }

    /// The parameters of Attend.
    package struct AttendCall: Codable, Equatable, Sendable {
        /// Why nothing may be recorded: `locked`, `asleep`, `away`; empty if it may.
        package var closed: [String]
        /// How long this holds, in milliseconds, unless it is said again.
        package var leaseMs: Int
        /// What the companion can learn on this desktop: `tray`, `notifications`, and the bus names
        /// of what reports locks; nil for nothing.
        package var knows: [String]?

        package init(closed: [String], leaseMs: Int, knows: [String]? = nil) {
            (self.closed, self.leaseMs, self.knows) = (closed, leaseMs, knows)
        }
    }

    struct DecideCall: Codable {
        var decision: String
    }

    struct EndCall: Codable {
        var outcome: String
    }

    struct ConsentCall: Codable {
        var receipt: Receipt
    }
}

extension ControlCall {
    /// All methods; each reads and writes the calls of one case.
    static let methods: [ControlMethod] = {
        let scope = ["app", "title", "device", "during"]
        let exclusion = scope + ["asker"]
        return [
            ControlMethod("GetStatus", .getStatus),
            ControlMethod("Monitor", .monitor),
            ControlMethod("Attend", ["closed": [], "leaseMs": [], "knows": []], Self.attend) {
                if case .attend(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod("Leave", .leave),
            ControlMethod("Pause", ["seconds": [], "until": [], "forgetSeconds": []], Self.pause) {
                if case .pause(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod("Resume", .resume),
            // The receipt has no fields here, because it is compared as a whole.
            ControlMethod("Consent", ["receipt": []]) {
                .consent($0.receipt)
            } parameters: {
                if case .consent(let receipt) = $0 { ConsentCall(receipt: receipt) } else { nil }
            },
            ControlMethod("Withdraw", .withdraw),
            ControlMethod(
                "Forget",
                ["since": [], "until": [], "batches": [], "dryRun": []],
                Self.forget
            ) {
                if case .forget(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod(
                "Exempt",
                ["scope": scope, "front": [], "seconds": [], "reason": []],
                Self.exempt
            ) {
                if case .exempt(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod("ListExemptions", .listExemptions, hasLongReply: true),
            ControlMethod("AnswerExemption", ["id": [], "answer": []], Self.answerExemption) {
                if case .answerExemption(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod("DecideExemption", ["decision": []]) {
                .decideExemption($0.decision)
            } parameters: {
                if case .decideExemption(let text) = $0 { DecideCall(decision: text) } else { nil }
            },
            ControlMethod(
                "Exclude",
                ["remove": [], "restore": [], "add": exclusion, "drop": exclusion, "only": []],
                Self.exclude
            ) {
                if case .exclude(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod(
                "Demonstrate",
                ["name": [], "goal": [], "seconds": [], "keyDetail": [], "titles": [], "only": []],
                Self.demonstrate
            ) {
                if case .demonstrate(let parameters) = $0 { parameters } else { nil }
            },
            ControlMethod("EndDemonstration", ["outcome": []]) {
                .endDemonstration($0.outcome)
            } parameters: {
                if case .endDemonstration(let word) = $0 { EndCall(outcome: word) } else { nil }
            },
            ControlMethod("Explain", .explain),
            ControlMethod("Reload", .reload),
            ControlMethod("Flush", .flush),
        ]
    }()

    /// The JSON of the call, ended by a NUL.
    ///
    /// - Parameter more: whether to ask for more than one reply.
    /// - Returns: the message as it is sent.
    func message(more: Bool) -> [UInt8] {
        for method in Self.methods {
            if let message = method.message(self, more: more) { return message }
        }
        preconditionFailure("Each call has a method.")
    }
}

/// The parameters of all replies; each method sets its own, and the others are nil.
package struct ControlReply: Codable, Equatable, Sendable {
    /// The status after the call.
    package var status: Status?
    /// Whether there was a pause before the call.
    package var wasPaused: Bool?
    /// The end of the earlier pause in RFC 3339; nil for one without end.
    package var previousUntil: String?
    /// The number of batches that a pause erased.
    package var erased: Int?
    /// The number of batches that Forget selected.
    package var batches: Int?
    /// Whether an erasure waits for a reader to release the log.
    package var pending: Bool?
    /// The exemption that the call made or changed.
    package var exemption: ExemptionRecord?
    /// All exemptions.
    package var exemptions: [ExemptionRecord]?
    /// The answer to Explain.
    package var explanation: Explanation?

    /// Makes a reply with a status or nothing.
    package init(status: Status? = nil) {
        self.status = status
    }
}
