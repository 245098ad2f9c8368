// SPDX-License-Identifier: Apache-2.0

/// Why the controls file that was found is not the newest one.
///
/// Only what is stricter in such a file counts, and never its consent. This is kept in the controls
/// until the person decides again, so that every command can say why nothing is recorded.
package struct PutBack: Codable, Equatable, Sendable {
    /// What is wrong with the file.
    package enum Kind: String, Codable, Sendable {
        /// This recorder wrote it, and another one after it.
        case older
        /// It is missing, although there was one.
        case missing
        /// It has the previous version's format, although this version has written a file.
        case unsigned
        /// It is not signed by the recorder's current key.
        case foreign
    }

    /// What is wrong with the file.
    package var kind: Kind
    /// The number of the file that was found; 0 when it has no credible number.
    package var number: UInt64
    /// The highest number ever seen.
    package var lastSeen: UInt64

    /// The subject of every sentence about the file.
    package static let subject = "The controls file"

    /// An English sentence for the person.
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
