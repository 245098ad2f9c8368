// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
package import Notes
import Policy
import System

/// The content of a signed note of this project: one JSON object with known keys only.
package protocol Statement: Codable, Equatable, Sendable {
    /// The name in the first line of the note, as in `io.mci/NAME/1`.
    static var name: String { get }
    /// What is wrong with the values; nil if nothing is.
    var defect: String? { get }
}

/// A statement in its signed note.
///
/// Two lines are signed: `io.mci/NAME/1` and the JSON object. What was signed is kept as it is.
package struct Signed<Content: Statement>: Equatable, Sendable {
    /// What was signed.
    package let content: Content
    /// The note.
    package private(set) var note: SignedNote

    /// Writes a statement as a note without signatures.
    ///
    /// - Throws: ``ReleaseError`` for a statement with a defect.
    package init(_ content: Content) throws(ReleaseError) {
        if let defect = content.defect {
            throw ReleaseError("This is not a valid \(Content.name): \(defect)")
        }
        let json = String(decoding: try Self.encoded(content), as: UTF8.self)
        guard let note = SignedNote(text: "io.mci/\(Content.name)/1\n\(json)\n") else {
            throw ReleaseError(
                "This is not a valid \(Content.name): it contains control characters."
            )
        }
        (self.content, self.note) = (content, note)
    }

    /// Parses a note; its signatures are not verified.
    ///
    /// - Parameter bytes: of the note.
    /// - Throws: ``ReleaseError`` for anything that is not exactly such a note.
    package init(_ bytes: [UInt8]) throws(ReleaseError) {
        let name = Content.name
        do throws(NoteError) {
            note = try SignedNote(bytes)
        } catch {
            throw ReleaseError("The \(name) \(error).")
        }
        // Of bytes: characters would join marks with the line feed, and take long.
        let lines = Array(note.text.utf8)
            .split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count == 3, lines[0].elementsEqual("io.mci/\(name)/1".utf8) else {
            throw ReleaseError("This is not a \(name) (version 1).")
        }
        let json = Array(lines[1])
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(json))
        } catch {
            throw ReleaseError("The \(name) has other values than a \(name) must have.")
        }
        if let defect = content.defect { throw ReleaseError("The \(name) is refused: \(defect)") }
        // The decoder ignores keys that it does not know, and takes the first of two.
        let sound = try Self.encoded(content)
        if sound != json, let key = try Self.unknownKey(json, sound) {
            throw ReleaseError("The \(name) is refused: the key \(key) is unknown.")
        }
    }

    /// Parses a note from a message, as ``init(_:)`` does.
    ///
    /// - Parameter text: of the note; one that is missing is refused like an empty one.
    /// - Throws: ``ReleaseError`` for anything that is not exactly such a note.
    package init(text: String?) throws(ReleaseError) {
        try self.init(Array((text ?? "").utf8))
    }

    private static func encoded(_ content: Content) throws(ReleaseError) -> [UInt8] {
        guard let json = JSONText.line(content) else {
            throw ReleaseError("This is not a valid \(Content.name).")
        }
        return json
    }

    /// A key that the text has and the known content has not; nil if there is none.
    private static func unknownKey(
        _ json: [UInt8],
        _ sound: [UInt8]
    ) throws(ReleaseError) -> String? {
        do throws(JSONDefect) {
            return unknownKey(try JSONText.read(json), try JSONText.read(sound))
        } catch {
            throw ReleaseError("The \(Content.name) is refused: \(error.sentence)")
        }
    }

    private static func unknownKey(_ found: JSONText.Node, _ known: JSONText.Node) -> String? {
        switch (found.value, known.value) {
        case (.object(let members), _):
            for member in members where member.node.value != .null {
                guard let node = known[member.key] else { return JSONText.quoted(member.key) }
                if let key = unknownKey(member.node, node) { return key }
            }
            return nil
        case (.array(let found), .array(let known)):
            return zip(found, known).lazy.compactMap { unknownKey($0, $1) }.first
        default: return nil
        }
    }

    /// The note as it is stored.
    package var bytes: [UInt8] { note.bytes }

    /// The note as it stands in a message.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The SHA-256 of the signed text, by which other notes name this one, in hexadecimal.
    package var digest: String { Digest.hex(Array(note.text.utf8)) }

    /// Adds a signature.
    ///
    /// - Parameters:
    ///   - signer: the key.
    ///   - time: seconds since 1970, for a cosignature.
    /// - Throws: ``ReleaseError`` when the library fails.
    package mutating func sign(_ signer: NoteSigner, at time: UInt64 = 0) throws(ReleaseError) {
        do throws(NoteError) {
            try note.sign(signer, at: time)
        } catch {
            throw ReleaseError("The \(Content.name) could not be signed.")
        }
    }

    /// Adds the signatures of another copy.
    ///
    /// - Throws: ``ReleaseError`` for another text.
    package mutating func add(signaturesOf other: Self) throws(ReleaseError) {
        do throws(NoteError) {
            try note.add(signaturesOf: other.note)
        } catch {
            throw ReleaseError("The \(Content.name) was changed before it was signed.")
        }
    }

    /// Verifies a signature.
    ///
    /// - Parameters:
    ///   - verifier: the text of the key that must have signed.
    ///   - who: whose key it is, for the error.
    /// - Returns: the time of a cosignature in seconds since 1970; 0 for another signature.
    /// - Throws: ``ReleaseError``.
    @discardableResult
    package func verify(_ verifier: String, of who: String) throws(ReleaseError) -> UInt64 {
        guard let verifier = NoteVerifier(verifier) else {
            throw ReleaseError("The key of the \(who) is not the public key of a note.")
        }
        do throws(NoteError) {
            return try note.verify(verifier)
        } catch {
            let what =
                error.code == .unsigned
                ? "is not signed by the \(who)"
                : "was changed: the signature of the \(who) does not fit"
            throw ReleaseError("The \(Content.name) \(what).")
        }
    }
}

/// SHA-256 digests in hexadecimal, 64 digits.
package enum Digest {
    /// The digest of bytes.
    package static func hex(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.hash(data: bytes)) }

    /// Whether a text is a digest as ``hex(_:)`` writes it.
    package static func isOne(_ text: String) -> Bool { isHex(text, 64) }

    /// Whether a text has exactly this many lower-case hexadecimal digits.
    package static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }
}
