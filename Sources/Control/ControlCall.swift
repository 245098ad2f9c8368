// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import Person

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

    /// Carries out a call, or refuses it.
    package typealias Handler = (ControlCall) throws(Refusal) -> ControlReply

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

/// The names and the JSON of the protocol (varlink.org, "Protocol").
package enum Varlink {
    package static let interface = "io.mci.Control"
    /// The longest message in bytes, without its final NUL.
    package static let maxMessageBytes = 64 * 1024
    /// The longest answer: a thousand exemptions with the longest of patterns and reasons are 5 MiB, and
    /// more where each character is an escape.
    package static let maxAnswerBytes = 32 << 20

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
