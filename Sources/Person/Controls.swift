// SPDX-License-Identifier: Apache-2.0

package import Events

/// The person's controls: consent, pause, exemptions and exclusions.
///
/// They are in a small file of their own, replaced as a whole, so that a damaged ring cannot lose a
/// pause.
package struct Controls: Codable, Equatable, Sendable {
    /// The version of the file format, 3.
    package var schema = Controls.schema
    /// The number of the file, which increases with each write so that an older copy is noticed.
    ///
    /// It is 0 before the first write.
    package var number: UInt64 = 0
    /// The consent; nil when there is none.
    package var consent: Receipt?
    /// When the last consent was withdrawn, in RFC 3339; nil when it was not, or a new one
    /// followed.
    package var withdrawnAt: String?
    /// The pause; nil when there is none.
    package var pause: TimeLimit?
    /// The exemptions; an ended one stays for seven days.
    package var exemptions: [ExemptionRecord] = []
    /// The highest id ever given to an exemption, so that no id is given twice.
    package var lastExemption = 0
    /// The person's own exclusions.
    package var exclusions: [Scope] = []
    /// The names of default exclusions that the person turned off.
    package var removedExclusions: [String] = []
    /// The allowlist of applications, as patterns; nil when all are recorded.
    package var only: [String]?
    /// The demonstration that goes on; nil for none.
    package var demonstration: DemonstrationRecord?
    /// Why the last consent ended when an older copy was found; nil after the person has decided.
    package var putBack: PutBack?

    /// The version of the file format that this version of mci writes.
    static let schema = 3

    /// Makes controls without consent and without any choice.
    package init() {}

    /// Stores a consent.
    ///
    /// - Parameter receipt: of the consent.
    package mutating func consent(_ receipt: Receipt) {
        consent = receipt
        withdrawnAt = nil
        putBack = nil
    }

    /// Withdraws the consent.
    ///
    /// - Parameter now: the time of the withdrawal.
    package mutating func withdraw(at now: WallTime) {
        if consent != nil { withdrawnAt = now.text }
        (consent, demonstration) = (nil, nil)
        putBack = nil
    }
}
