// SPDX-License-Identifier: Apache-2.0

/// The record of a consent, bound to a person, a host and a notice.
///
/// Its fields are those of ISO/IEC TS 27560 (consent record information structure).
package struct Receipt: Codable, Equatable, Sendable {
    /// The version of this record's format.
    package var schemaVersion = "mci-1"
    /// Random bits in hexadecimal that identify the record.
    package var recordId: String
    /// The login name of the person who consented.
    package var piiPrincipal: String
    /// The user id of the person on the host.
    package var userId: Int
    /// The machine id of the host (machine-id(5)), or its name when there is none.
    package var host: String
    /// Who is responsible for the data: the policy's controller, or the person.
    package var controller: String
    /// What the data is for.
    package var purpose: String
    /// The kinds of data that are recorded, in words.
    package var piiCategories: [String]
    /// The path of the ring.
    package var storageLocation: String
    /// How long the data is kept, in words.
    package var retention: String
    /// The age public keys of those who can read the data.
    package var recipients: [String]
    /// The public half of the recorder's signing key, in hexadecimal.
    package var deviceKey: String
    /// SHA-256 of the notice that was shown, in hexadecimal.
    package var noticeHash: String
    /// SHA-256 of the policy in force, in hexadecimal; nil for none.
    package var policyHash: String?
    /// The language of the notice (BCP 47).
    package var language = "en"
    /// How the consent was given, in words.
    package var collectionMethod: String
    /// The command that withdraws the consent.
    package var withdrawal = "mcictl consent --withdraw"
    /// When the consent was given, in RFC 3339.
    package var collectedAt: String

    package init(
        recordId: String,
        piiPrincipal: String,
        userId: Int,
        host: String,
        controller: String,
        purpose: String,
        piiCategories: [String],
        storageLocation: String,
        retention: String,
        recipients: [String],
        deviceKey: String,
        noticeHash: String,
        collectionMethod: String,
        collectedAt: String
    ) {
        self.recordId = recordId
        self.piiPrincipal = piiPrincipal
        self.userId = userId
        self.host = host
        self.controller = controller
        self.purpose = purpose
        self.piiCategories = piiCategories
        self.storageLocation = storageLocation
        self.retention = retention
        self.recipients = recipients
        self.deviceKey = deviceKey
        self.noticeHash = noticeHash
        self.collectionMethod = collectionMethod
        self.collectedAt = collectedAt
    }
}
