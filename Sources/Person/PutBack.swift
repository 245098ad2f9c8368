// SPDX-License-Identifier: Apache-2.0

/// What stood in the place of the newest controls.
///
/// Only what is stricter counts in such a file, never its consent. It is kept in the controls until
/// the person decides anew, so that every command can say why nothing is recorded.
package struct PutBack: Codable, Equatable, Sendable {
    /// What is wrong with the file.
    package enum Kind: String, Codable, Sendable {
        /// This recorder wrote it, and something else after it.
        case older
        /// There is none, although there was one.
        case missing
        /// It is in the format of the version before, although this version has written one.
        case unsigned
        /// It is not signed by the recorder's key as it is now.
        case foreign
    }

    package var kind: Kind
    /// The number of the file that was found; 0 where it has none that counts.
    package var number: UInt64
    /// The highest number ever seen.
    package var lastSeen: UInt64

    /// What every sentence about the file begins with.
    package static let subject = "The controls file"

    /// One sentence for the person.
    package var description: String {
        let what =
            switch kind {
            case .older:
                "was put back to an older state (number \(number), last seen \(lastSeen))"
            case .missing: "is gone"
            case .unsigned: "was replaced by one that is not signed"
            case .foreign: "is not signed by this recorder's key"
            }
        return "\(Self.subject) \(what), so nothing is recorded."
    }
}
