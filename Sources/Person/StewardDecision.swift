// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Events
import FoundationEssentials
import Gate
package import Policy
import System

/// What a person sends to a steward: an exemption in its current form, and whose it is.
package struct ExemptionRequest: Codable, Equatable, Sendable {
    /// The kind of the file, always the same.
    package var kind = "mci-exemption-request"
    /// The version of the format, 1.
    package var schema = 1
    /// 128 random bits in hexadecimal that identify the exemption.
    package var request: String
    /// What is exempt.
    package var scope: Scope
    /// When the exemption began, in RFC 3339.
    package var since: String
    /// When the exemption ends, in RFC 3339; nil for one without end.
    package var until: String?
    /// The person's own words; nil for none.
    package var reason: String?
    /// The user id of the person on the host.
    package var userId: Int
    /// The machine id of the host.
    package var host: String

    /// Makes the request about an exemption on this host.
    ///
    /// - Parameters:
    ///   - record: the exemption.
    ///   - user: the user id of the person.
    package init(_ record: ExemptionRecord, user: Int) {
        request = record.request
        scope = record.scope
        since = record.since
        until = record.until
        reason = record.reason
        userId = user
        host = Consent.host
    }

    /// Parses a request.
    ///
    /// - Parameter bytes: of its file, in JSON.
    /// - Throws: a ``Refusal`` when it is not a request.
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

    /// SHA-256 of the request without the person's reason, in hexadecimal.
    var digest: String {
        var shown = self
        shown.reason = nil
        return Hex.encode(SHA256.hash(data: canonicalJSON(shown)))
    }
}

/// A steward's signed decision about a request.
package struct StewardDecision: Codable, Equatable, Sendable {
    /// The content that is signed.
    package struct Statement: Codable, Equatable, Sendable {
        /// The kind of the file, always the same.
        package var kind = "mci-exemption-decision"
        /// The version of the format, 1.
        package var schema = 1
        /// The identifier of the exemption in the request.
        package var request: String
        /// The ``ExemptionRequest/digest`` of the request that the steward saw.
        package var digest: String
        /// The user id of the person on the host.
        package var userId: Int
        /// The machine id of the host.
        package var host: String
        /// Whether the steward approves the exemption.
        package var approves: Bool
        /// The steward's own words; nil for none.
        package var reason: String?
        /// When the decision was made, in RFC 3339.
        package var at: String
        /// Until when it must be imported, in RFC 3339.
        package var validUntil: String
        /// The steward's public key, in hexadecimal.
        package var steward: String

        /// Makes a decision about a request.
        ///
        /// - Parameters:
        ///   - request: as the person sent it.
        ///   - approves: whether the steward approves the exemption.
        ///   - reason: the steward's own words; nil for none.
        ///   - now: the time of the decision.
        ///   - steward: the steward's public key, in hexadecimal.
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

    /// The content that is signed.
    package var statement: Statement
    /// The Ed25519 signature (RFC 8032) over the kind and the statement's JSON, in hexadecimal.
    package var signature: String

    /// Milliseconds within which a decision must be imported: 30 days.
    package static let validity: Int64 = 30 * 86_400_000
    /// Milliseconds by which a steward's clock may be ahead: 10 minutes.
    private static let skew: Int64 = 600_000

    init(_ statement: Statement, signature: String) {
        (self.statement, self.signature) = (statement, signature)
    }

    /// Parses a decision; its signature is not verified yet.
    ///
    /// - Parameter bytes: of its file, in JSON.
    /// - Throws: a ``Refusal`` when it is not a decision.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard let decision = try? JSONDecoder().decode(Self.self, from: Data(bytes)),
            decision.statement.kind == "mci-exemption-decision", decision.statement.schema == 1
        else { throw Refusal("That is not a steward's decision.") }
        self = decision
    }

    /// The decision as its file holds it: one line of JSON.
    package var json: [UInt8] { canonicalJSON(self) + [0x0A] }

    /// The signed bytes; no other kind of statement begins with the same prefix.
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

    /// Checks that it may be imported now, for this person on this host, from a steward of the
    /// policy.
    ///
    /// - Returns: the steward who made it.
    /// - Throws: a ``Refusal`` with the reason.
    func steward(
        among stewards: [Steward],
        user: Int,
        at now: WallTime
    ) throws(Refusal) -> Steward {
        guard !stewards.isEmpty else {
            throw Refusal("No policy names stewards, so nobody decides on your exemptions.")
        }
        guard let steward = stewards.first(where: { $0.key.text == statement.steward }) else {
            throw Refusal(
                "The decision was signed by someone whom the policy does not name as a steward."
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
    /// Imports a steward's decision.
    ///
    /// - Parameters:
    ///   - text: the decision's file.
    ///   - stewards: those whom the policy in force names.
    ///   - user: the user id of this person.
    ///   - now: the time of the import.
    /// - Returns: the exemption after the decision.
    /// - Throws: a ``Refusal`` with the reason; nothing is then changed.
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
            throw Refusal("The decision is for a different request than yours.")
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
