// SPDX-License-Identifier: Apache-2.0

/// The record of an act of consent (fields of ISO/IEC TS 27560), bound to a person, a host and a
/// notice.
package struct Receipt: Codable, Equatable, Sendable {
    package var schemaVersion = "mci-1"
    package var recordId: String
    /// The login name of the person who consented.
    package var piiPrincipal: String
    package var userId: Int
    /// The machine id of the host.
    package var host: String
    package var controller: String
    package var purpose: String
    package var piiCategories: [String]
    package var storageLocation: String
    package var retention: String
    /// Who can read the data: public keys.
    package var recipients: [String]
    /// The public half of the key with which the recorder signs what it stores, in hexadecimal.
    package var deviceKey: String
    /// SHA-256 of the notice that was shown, in hexadecimal.
    package var noticeHash: String
    /// SHA-256 of the policy in force, in hexadecimal; nil where there was none.
    package var policyHash: String?
    package var language = "en"
    package var collectionMethod: String
    package var withdrawal = "mcictl consent --withdraw"
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
