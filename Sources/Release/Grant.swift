// SPDX-License-Identifier: Apache-2.0

package import Events
import Notes
import Sealing

/// A person's permission for one purpose: signed by a key made for it, and by each holder.
///
/// It has the fields of a consent record (ISO/IEC TS 27560) that apply, and no name.
package struct Grant: Statement {
    /// The name in the first line of the note.
    package static let name = "grant"

    /// One party that opens a lock only after writing it down.
    package struct Holder: Codable, Equatable, Sendable {
        /// The kind: `self` is a process on the person's machine.
        package var kind: String
        /// The key that signs the log's checkpoints and this grant.
        package var key: String
        /// The key that signs openings with the time.
        package var clock: String
        /// The age recipient that was made for this grant alone.
        package var recipient: String
        /// Another one, for rows that are derived from its releases: a note that a reader signs must
        /// not name the header of a release.
        package var rows: String

        /// Creates a description.
        package init(kind: String, key: String, clock: String, recipient: String, rows: String) {
            (self.kind, self.key, self.clock) = (kind, key, clock)
            (self.recipient, self.rows) = (recipient, rows)
        }
    }

    /// The record's id: 32 random hexadecimal digits.
    package var id: String
    /// The digest of the purpose.
    package var purpose: String
    /// The id of the purpose, for people.
    package var purposeID: String
    /// Who is responsible, as the purpose says.
    package var controller: String
    /// What may be released, at most what the purpose asks for.
    package var fields: ReleaseFields
    /// The grant key, which signs releases.
    package var key: String
    /// The holders, in the order in which locks are opened.
    package var holders: [Holder]
    /// When it was given, in UTC.
    package var issued: String
    /// When it ends, in UTC.
    package var expires: String
    /// How it can be withdrawn.
    package var withdrawal = "mcictl release withdraw"

    /// Creates a statement.
    package init(
        id: String,
        purpose: String,
        purposeID: String,
        controller: String,
        fields: ReleaseFields,
        key: String,
        holders: [Holder],
        issued: String,
        expires: String
    ) {
        self.id = id
        self.purpose = purpose
        self.purposeID = purposeID
        self.controller = controller
        self.fields = fields
        self.key = key
        self.holders = holders
        self.issued = issued
        self.expires = expires
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        if !Digest.isHex(id, 32) { return "Its id is not 32 hexadecimal digits." }
        if !Digest.isOne(purpose) { return "It does not name a purpose by its digest." }
        if let defect = fields.defect { return defect }
        if WallTime(issued) == nil || WallTime(expires) == nil { return "It has no times." }
        if NoteVerifier(key)?.kind != .note { return "Its key is not the public key of a note." }
        guard !holders.isEmpty, holders.count <= 2 else { return "It has no holder." }
        for holder in holders {
            guard NoteVerifier(holder.key)?.kind == .note,
                NoteVerifier(holder.clock)?.kind == .cosignature,
                Recipient(holder.recipient) != nil, Recipient(holder.rows) != nil,
                holder.rows != holder.recipient
            else { return "A key of a holder is unusable." }
        }
        return nil
    }

    /// The name of the grant's log.
    package var origin: String { Self.origin(id) }

    /// The name of a grant's log.
    package static func origin(_ id: String) -> String { "mci/grant/\(id)" }

    /// The name of a grant's key.
    package static func keyName(_ id: String) -> String { "grant-\(id)" }

    /// The moment of ``expires``.
    package var end: WallTime { WallTime(expires) ?? WallTime(0) }
}

extension Signed<Grant> {
    /// Verifies all signatures, and that nothing in it goes beyond its purpose.
    ///
    /// - Parameter purpose: the purpose, already verified; nil to verify the signatures alone.
    /// - Throws: ``ReleaseError``.
    package func verify(for purpose: Signed<Purpose>? = nil) throws(ReleaseError) {
        try verify(content.key, of: "grant key")
        for holder in content.holders { try verify(holder.key, of: "holder “\(holder.kind)”") }
        guard let purpose else { return }
        guard content.purpose == purpose.digest else {
            throw ReleaseError("The purpose was changed after it was granted.")
        }
        guard content.fields == content.fields.stricter(purpose.content.fields) else {
            throw ReleaseError("The grant reveals more than its purpose asks for.")
        }
        guard content.end <= purpose.content.end else {
            throw ReleaseError("The grant lasts longer than its purpose.")
        }
        guard content.holders.map(\.kind) == purpose.content.holders else {
            throw ReleaseError("The grant has other holders than its purpose.")
        }
    }
}
