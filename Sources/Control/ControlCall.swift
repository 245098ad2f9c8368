// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import Person

/// A call of the varlink interface `io.mci.Control`; the interface file describes the methods.
package enum ControlCall: Equatable, Sendable {
    /// Returns the status.
    case getStatus
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

    struct DecideCall: Codable {
        var decision: String
    }

    struct ConsentCall: Codable {
        var receipt: Receipt
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

/// The messages of the varlink protocol (varlink.org): JSON, each ended by a NUL.
package enum Varlink {
    /// The name of the interface.
    package static let interface = "io.mci.Control"
    /// Maximum size of a call in bytes, without its final NUL.
    package static let maxMessageBytes = 64 * 1024
    /// Maximum size of a reply in bytes.
    ///
    /// A thousand exemptions with the longest patterns and reasons take 5 MiB, and more if every
    /// character is escaped.
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
        // The types of this module contain only values that JSON can represent.
        return ((try? encoder.encode(value)).map(Array.init) ?? []) + [0]
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ message: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(message))
    }
}
