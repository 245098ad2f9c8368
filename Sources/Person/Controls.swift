// SPDX-License-Identifier: Apache-2.0

package import Events

/// What the person controls: consent, pause, exemptions and exclusions.
///
/// It lives in its own small file, replaced as a whole, so that a damaged ring cannot lose a pause.
package struct Controls: Codable, Equatable, Sendable {
    package var schema = Controls.schema
    /// Higher with each writing, so that an older file is known as such; 0 before the first one.
    package var number: UInt64 = 0
    package var consent: Receipt?
    /// RFC 3339: when the last consent was withdrawn; nil where there was none, or one came after it.
    package var withdrawnAt: String?
    package var pause: TimeLimit?
    package var exemptions: [ExemptionRecord] = []
    /// The highest number given to an exemption, so that none is given twice.
    package var lastExemption = 0
    /// The person's own exclusions.
    package var exclusions: [Scope] = []
    /// The default exclusions that the person removed, by name.
    package var removedExclusions: [String] = []
    /// The applications that alone are recorded; nil for all.
    package var only: [String]?
    /// Why the last consent ended, if a file was put back since; nil once the person has decided.
    package var putBack: PutBack?

    /// The schema of the files that this version writes.
    static let schema = 3

    package init() {}

    /// Gives consent.
    package mutating func consent(_ receipt: Receipt) {
        consent = receipt
        withdrawnAt = nil
        putBack = nil
    }

    /// Takes the consent back.
    package mutating func withdraw(at now: WallTime) {
        if consent != nil { withdrawnAt = now.text }
        consent = nil
        putBack = nil
    }
}
