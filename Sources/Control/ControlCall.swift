// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A call of the interface `io.mci.Control`, read from varlink's JSON.
package enum ControlCall: Equatable, Sendable {
    case getStatus
    case monitor
    case pause(PauseCall)
    case resume
    case consent(Receipt)
    case withdraw
    case forget(ForgetCall)
    case exempt(ExemptCall)
    case listExemptions
    case answerExemption(AnswerCall)
    case decideExemption(String)
    case exclude(ExcludeCall)
    case explain
    case reload
    case flush

    /// The parameters of Pause.
    package struct PauseCall: Codable, Equatable, Sendable {
        package var seconds: Int?
        package var until: String?
        package var forgetSeconds: Int?

        package init(seconds: Int? = nil, until: String? = nil, forgetSeconds: Int? = nil) {
            self.seconds = seconds
            self.until = until
            self.forgetSeconds = forgetSeconds
        }
    }

    /// The parameters of Forget.
    package struct ForgetCall: Codable, Equatable, Sendable {
        package var since: String?
        package var until: String?
        /// Numbers of batches instead of a stretch of time.
        package var batches: [Int64]?
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

    struct DecideCall: Codable {
        var decision: String
    }

    struct ConsentCall: Codable {
        var receipt: Receipt
    }
}

/// The parameters of all replies; each method fills its own.
package struct ControlReply: Codable, Equatable, Sendable {
    package var status: Status?
    package var wasPaused: Bool?
    package var previousUntil: String?
    package var erased: Int?
    package var batches: Int?
    package var pending: Bool?
    package var exemption: ExemptionRecord?
    package var exemptions: [ExemptionRecord]?
    package var explanation: Explanation?

    package init(status: Status? = nil) {
        self.status = status
    }
}

/// A refusal, which travels as the varlink error `io.mci.Control.Refused`.
package struct Refusal: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    /// One sentence.
    package var reason: String
    /// The command to run next; empty when there is none.
    package var next: String

    package init(_ reason: String, next: String = "") {
        self.reason = reason
        self.next = next
    }

    package var description: String { reason }
}

/// The names and the JSON of the protocol (varlink.org, "Protocol").
package enum Varlink {
    package static let interface = "io.mci.Control"
    /// The longest message in bytes, without its final NUL.
    package static let longestMessage = 64 * 1024
    /// The longest answer: a thousand exemptions with the longest of patterns and reasons are 5 MiB, and
    /// more where each character is an escape.
    package static let longestAnswer = 32 << 20

    struct Call: Codable {
        var method: String
        var more: Bool?
        var oneway: Bool?
    }

    struct Parameters<Value: Codable>: Codable {
        var parameters: Value?
    }

    struct FullCall<Value: Codable>: Codable {
        var method: String
        var parameters: Value
        var more: Bool?
    }

    struct Reply<Value: Codable>: Codable {
        var parameters: Value?
        var continues: Bool?
        var error: String?
    }

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The types of this module hold nothing that JSON cannot say.
        return ((try? encoder.encode(value)).map(Array.init) ?? []) + [0]
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ message: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(message))
    }
}
