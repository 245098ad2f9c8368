// SPDX-License-Identifier: Apache-2.0

package import Events
import Notes

/// What recordings are asked for, by whom and how: a note of the organisation and of its steward.
package struct Purpose: Statement {
    /// The name in the first line of the note.
    package static let name = "purpose"

    /// A short name, such as `spreadsheet-model-2026`: letters, digits, `-` and `.`.
    package var id: String
    /// One line that says what it is for.
    package var title: String
    /// What the person reads before granting, at most 4,000 characters.
    package var text: String
    /// Who is responsible (the controller).
    package var controller: String
    /// Where to ask.
    package var contact: String
    /// The most that it asks for.
    package var fields: ReleaseFields
    /// How many days a grant lasts at most, 1 to 366.
    package var days: Int
    /// From when on nothing can be granted or opened any more, in UTC.
    package var expires: String
    /// The kind of each holder; this version knows `self` alone.
    package var holders: [String]
    /// The key that certifies readers.
    package var readers: String
    /// The organisation's key, which signs the purpose.
    package var authority: String
    /// The steward's key, which signs it too.
    package var steward: String
    /// Whether a trained model may result, which nobody can take back.
    package var weights: Bool

    /// The maximum of ``days``.
    package static let maxDays = 366

    /// Creates a statement.
    package init(
        id: String,
        title: String,
        text: String,
        controller: String,
        contact: String,
        fields: ReleaseFields,
        days: Int,
        expires: String,
        holders: [String],
        readers: String,
        authority: String,
        steward: String,
        weights: Bool
    ) {
        self.id = id
        self.title = title
        self.text = text
        self.controller = controller
        self.contact = contact
        self.fields = fields
        self.days = days
        self.expires = expires
        self.holders = holders
        self.readers = readers
        self.authority = authority
        self.steward = steward
        self.weights = weights
    }

    /// What is wrong with the values; nil if nothing is.
    package var defect: String? {
        if !Self.isID(id) { return "Its id must consist of letters, digits, - and . (at most 64)." }
        for (what, value, limit) in [
            ("title", title, 200), ("text", text, 4000), ("controller", controller, 200),
            ("contact", contact, 200),
        ] where value.isEmpty || value.count > limit || value.utf8.count > 4 * limit {
            return "Its \(what) must have 1 to \(limit) characters."
        }
        if let defect = fields.defect { return defect }
        if !(1...Self.maxDays ~= days) { return "Its days must be 1 to \(Self.maxDays)." }
        if WallTime(expires) == nil {
            return "Its expiry is not a time such as 2027-01-31T00:00:00Z."
        }
        if holders == ["keeper"] {
            return "A keeper alone would be one party that can read without a trace."
        }
        if holders != ["self"] { return "This version knows only the holder “self”." }
        let keys = [readers, authority, steward]
        if keys.contains(where: { NoteVerifier($0)?.kind != .note }) {
            return "A key in it is not the public key of a note."
        }
        if authority == steward { return "Organisation and steward have the same key." }
        return nil
    }

    /// Whether a text is the id of a purpose.
    package static func isID(_ text: String) -> Bool {
        1...64 ~= text.utf8.count && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy {
                0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || $0 == 0x2D
                    || $0 == 0x2E
            }
    }

    /// The moment of ``expires``.
    package var end: WallTime { WallTime(expires) ?? WallTime(0) }
}

extension Signed<Purpose> {
    /// Verifies both signatures.
    ///
    /// - Throws: ``ReleaseError``.
    package func verify() throws(ReleaseError) {
        try verify(content.authority, of: "organisation")
        try verify(content.steward, of: "steward")
    }
}
