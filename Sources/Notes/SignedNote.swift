// SPDX-License-Identifier: Apache-2.0

import System

/// Why a note is not believed.
package struct NoteError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: Sendable {
        /// It is not exactly in the format.
        case malformed
        /// A signature that must be there is missing.
        case unsigned
        /// A signature of a key that must have signed does not fit the text.
        case forged
        /// A proof does not lead to the root.
        case unproven
    }

    /// The kind of failure.
    package let code: Code

    /// Creates an error.
    package init(_ code: Code) {
        self.code = code
    }

    /// The end of a sentence about a note.
    package var description: String {
        switch code {
        case .malformed: "is not a signed note"
        case .unsigned: "lacks a signature"
        case .forged: "has a signature that does not fit its text"
        case .unproven: "does not agree with its log"
        }
    }
}

/// A text with signatures (C2SP `signed-note.md`).
///
/// Promise: what was signed is kept byte for byte. There is no canonical form to disagree about.
package struct SignedNote: Equatable, Sendable {
    /// A line with a signature.
    struct Line: Equatable, Sendable {
        var name: String
        /// Four bytes of the key's id, then the signature.
        var bytes: [UInt8]
    }

    /// Maximum bytes of a note with its signatures.
    package static let maxBytes = 65_535
    /// Maximum number of signatures, as the format demands.
    private static let maxLines = 16
    private static let dash = "\u{2014}"

    /// The signed text, ended by a line feed.
    package let text: String
    private(set) var lines: [Line]

    /// Creates a note without signatures; nil for a text that cannot be one.
    ///
    /// - Parameter text: not empty, ended by a line feed, without other controls.
    package init?(text: String) {
        guard text.hasSuffix("\n"), text != "\n", Self.isText(text.utf8),
            text.utf8.count < Self.maxBytes
        else { return nil }
        (self.text, lines) = (text, [])
    }

    /// Parses a note; the signatures are not verified.
    ///
    /// - Parameter bytes: the whole note.
    /// - Throws: ``NoteError`` `malformed`.
    package init(_ bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= Self.maxBytes, Self.isText(bytes),
            let whole = String(validating: bytes, as: UTF8.self),
            let split = bytes.indices.dropLast().last(where: {
                bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A
            }), split > 0
        else { throw NoteError(.malformed) }
        text = String(decoding: bytes[...split], as: UTF8.self)
        lines = []
        let rest = whole.utf8.dropFirst(split + 2)
        guard rest.last == 0x0A else { throw NoteError(.malformed) }
        for line in rest.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard words.count == 3, words[0] == Self.dash, NoteVerifier.isName(words[1]),
                let bytes = Base64.decodePadded(words[2].utf8), bytes.count > 4,
                lines.count < Self.maxLines
            else { throw NoteError(.malformed) }
            lines.append(Line(name: words[1], bytes: bytes))
        }
    }

    /// The note as it is stored.
    package var bytes: [UInt8] {
        let signatures = lines.map {
            "\(Self.dash) \($0.name) \(String(decoding: Base64.encodePadded($0.bytes), as: UTF8.self))\n"
        }
        return Array("\(text)\n\(signatures.joined())".utf8)
    }

    /// Adds a signature.
    ///
    /// - Parameters:
    ///   - signer: the key.
    ///   - time: seconds since 1970, for a cosignature.
    /// - Throws: ``NoteError`` `unsigned` when the library fails.
    package mutating func sign(_ signer: NoteSigner, at time: UInt64 = 0) throws(NoteError) {
        guard let signature = signer.sign(Array(text.utf8), at: time) else {
            throw NoteError(.unsigned)
        }
        let line = Line(name: signer.verifier.name, bytes: signer.verifier.id + signature)
        try append([line])
    }

    /// Adds the signatures of another copy of the same text that this one lacks.
    ///
    /// - Throws: ``NoteError`` `forged` for another text.
    package mutating func add(signaturesOf other: SignedNote) throws(NoteError) {
        guard other.text.utf8.elementsEqual(text.utf8) else { throw NoteError(.forged) }
        try append(
            other.lines.filter { new in
                !lines.contains {
                    $0.bytes == new.bytes && $0.name.utf8.elementsEqual(new.name.utf8)
                }
            }
        )
    }

    /// Appends lines, unless the note would be more than can be read.
    private mutating func append(_ more: [Line]) throws(NoteError) {
        var note = self
        note.lines += more
        guard note.lines.count <= Self.maxLines, note.bytes.count <= Self.maxBytes else {
            throw NoteError(.malformed)
        }
        self = note
    }

    /// Verifies that a key signed the text; signatures of other keys are ignored.
    ///
    /// - Parameter verifier: the key.
    /// - Returns: the time of a cosignature, in seconds since 1970; 0 for another signature.
    /// - Throws: ``NoteError`` `unsigned` without a signature of this key, `forged` with a wrong one.
    @discardableResult
    package func verify(_ verifier: NoteVerifier) throws(NoteError) -> UInt64 {
        let own = lines.filter {
            $0.name.utf8.elementsEqual(verifier.name.utf8) && $0.bytes.prefix(4) == verifier.id[...]
        }
        guard let line = own.first else { throw NoteError(.unsigned) }
        // Two signatures of one key would leave open which of them counts.
        guard own.count == 1, verifier.isValid(Array(line.bytes.dropFirst(4)), of: Array(text.utf8))
        else { throw NoteError(.forged) }
        guard verifier.kind == .cosignature else { return 0 }
        return NoteVerifier.time(Array(line.bytes.dropFirst(4)))
    }

    private static func isText(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A }
    }
}
