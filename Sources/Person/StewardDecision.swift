// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Events
import FoundationEssentials
import Gate
package import Policy
import System

/// What a person sends to a steward: an exemption as it stands, and whose it is.
package struct ExemptionRequest: Codable, Equatable, Sendable {
    package var kind = "mci-exemption-request"
    package var schema = 1
    package var request: String
    package var scope: Scope
    package var since: String
    package var until: String?
    package var reason: String?
    /// The person's number on the host.
    package var userId: Int
    /// The machine id of the host.
    package var host: String

    /// The request for an exemption of the person of this process.
    package init(_ record: ExemptionRecord, user: Int) {
        request = record.request
        scope = record.scope
        since = record.since
        until = record.until
        reason = record.reason
        userId = user
        host = Consent.host
    }

    /// Reads a request from a file's bytes.
    ///
    /// - Throws: a ``Refusal`` where it is none.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard let request = try? JSONDecoder().decode(Self.self, from: Data(bytes)),
            request.kind == "mci-exemption-request", request.schema == 1
        else {
            throw Refusal(
                "That is not a request for an exemption.",
                next: "mcictl exempt export ID"
            )
        }
        self = request
    }

    /// SHA-256 over all of the request but the person's reason, in hexadecimal.
    var digest: String {
        var shown = self
        shown.reason = nil
        return Hex.encode(SHA256.hash(data: canonicalJSON(shown)))
    }
}

/// A steward's word on a request, signed.
package struct StewardDecision: Codable, Equatable, Sendable {
    /// What is signed.
    package struct Statement: Codable, Equatable, Sendable {
        package var kind = "mci-exemption-decision"
        package var schema = 1
        package var request: String
        /// Of the request as the steward saw it.
        package var digest: String
        package var userId: Int
        package var host: String
        package var approves: Bool
        package var reason: String?
        /// RFC 3339.
        package var at: String
        /// RFC 3339: until when it has to be taken.
        package var validUntil: String
        /// The steward's public key, in hexadecimal.
        package var steward: String

        /// A decision made now on a request.
        package init(
            on request: ExemptionRequest,
            approves: Bool,
            reason: String?,
            at now: WallTime,
            steward: String
        ) {
            self.request = request.request
            digest = request.digest
            userId = request.userId
            host = request.host
            self.approves = approves
            self.reason = reason
            at = now.text
            validUntil = WallTime(now.milliseconds + StewardDecision.validity).text
            self.steward = steward
        }
    }

    package var statement: Statement
    /// Ed25519 (RFC 8032) over the statement's JSON behind its kind, in hexadecimal.
    package var signature: String

    /// Milliseconds within which a decision has to be taken: thirty days.
    package static let validity: Int64 = 30 * 86_400_000
    /// Milliseconds by which a steward's clock may be ahead.
    private static let skew: Int64 = 600_000

    init(_ statement: Statement, signature: String) {
        (self.statement, self.signature) = (statement, signature)
    }

    /// Reads a decision from a file's bytes.
    ///
    /// - Throws: a ``Refusal`` where it is none.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard let decision = try? JSONDecoder().decode(Self.self, from: Data(bytes)),
            decision.statement.kind == "mci-exemption-decision", decision.statement.schema == 1
        else { throw Refusal("That is not a steward's decision.") }
        self = decision
    }

    /// The decision as a file holds it.
    package var json: [UInt8] { canonicalJSON(self) + [0x0A] }

    /// The bytes that are signed: no other kind of statement begins like them.
    static func signed(_ statement: Statement) -> [UInt8] {
        Array("mci-exemption-decision/1\n".utf8) + canonicalJSON(statement)
    }

    /// Whether a steward's key made the signature.
    func isSigned(by key: StewardKey) -> Bool {
        guard let bytes = Hex.decode(signature), bytes.count == 64,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key.bytes)
        else { return false }
        return key.isValidSignature(bytes, for: Self.signed(statement))
    }

    /// Whether it may be taken now, for this person on this host, from stewards of the policy.
    ///
    /// - Returns: the steward who made it.
    /// - Throws: a ``Refusal`` with the reason.
    func steward(
        among stewards: [Steward],
        user: Int,
        at now: WallTime
    ) throws(Refusal) -> Steward {
        guard !stewards.isEmpty else {
            throw Refusal("No policy names stewards: nobody decides about your exemptions.")
        }
        guard let steward = stewards.first(where: { $0.key.text == statement.steward }) else {
            throw Refusal(
                "The decision was signed by somebody whom the policy does not name as a steward."
            )
        }
        guard isSigned(by: steward.key) else {
            throw Refusal("The decision is forged, or was changed after it was signed.")
        }
        guard statement.userId == user, statement.host == Consent.host else {
            throw Refusal("The decision is for another person or another host.")
        }
        guard let at = WallTime(statement.at), let end = WallTime(statement.validUntil), now <= end,
            end.milliseconds - at.milliseconds <= Self.validity
        else { throw Refusal("The decision has expired. Ask the steward for a new one.") }
        guard at.milliseconds <= now.milliseconds + Self.skew else {
            throw Refusal("The decision is from the future: one of the clocks is wrong.")
        }
        return steward
    }
}

extension Controls {
    /// Takes a steward's decision.
    ///
    /// - Parameters:
    ///   - text: the decision's file.
    ///   - stewards: whom the policy in force names.
    ///   - user: the number of this person.
    ///   - now: the moment.
    /// - Returns: the exemption after it.
    /// - Throws: a ``Refusal`` with the reason why it is not taken; nothing is changed then.
    package mutating func decide(
        _ text: String,
        among stewards: [Steward],
        user: Int,
        at now: WallTime
    ) throws(Refusal) -> ExemptionRecord {
        let decision = try StewardDecision(Array(text.utf8))
        let statement = decision.statement
        let steward = try decision.steward(among: stewards, user: user, at: now)
        guard let index = exemptions.firstIndex(where: { $0.request == statement.request }) else {
            throw Refusal(
                "The exemption that this decision is about no longer exists.",
                next: "mcictl exempt list"
            )
        }
        guard ExemptionRequest(exemptions[index], user: user).digest == statement.digest else {
            throw Refusal("The decision is on another request than the one you made.")
        }
        if let last = exemptions[index].decision.flatMap({ WallTime($0.at) }),
            let at = WallTime(statement.at), at <= last
        {
            throw Refusal("This decision, or a later one, has already been imported.")
        }
        guard try exemptions[index].take(statement.approves ? .approval : .denial) else {
            throw Refusal(
                "Exemption \(exemptions[index].id) is \(exemptions[index].state); the decision changes nothing.",
                next: "mcictl exempt list"
            )
        }
        exemptions[index].decision = ExemptionRecord.Decision(
            steward: steward.name,
            at: statement.at,
            reason: statement.reason
        )
        return exemptions[index]
    }
}
