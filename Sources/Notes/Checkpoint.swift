// SPDX-License-Identifier: Apache-2.0

import System

/// The state of a log at one moment (C2SP `tlog-checkpoint.md`): the text of a signed note.
package struct Checkpoint: Equatable, Sendable {
    /// The name of the log.
    package let origin: String
    /// The number of its leaves.
    package let size: Int
    /// The root of its tree, 32 bytes.
    package let root: [UInt8]

    /// Creates a checkpoint.
    package init(origin: String, size: Int, root: [UInt8]) {
        (self.origin, self.size, self.root) = (origin, size, root)
    }

    /// Parses the text of a note: exactly three lines, for this project uses no extensions.
    ///
    /// - Throws: ``NoteError`` `malformed`.
    package init(_ text: String) throws(NoteError) {
        let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard lines.count == 4, lines[3].isEmpty, !lines[0].isEmpty,
            let size = Int(lines[1]), size >= 0, String(size) == lines[1],
            let root = Base64.decodePadded(Array(lines[2].utf8)), root.count == 32
        else { throw NoteError(.malformed) }
        self.init(origin: lines[0], size: size, root: root)
    }

    /// The text of the note.
    package var text: String {
        "\(origin)\n\(size)\n\(String(decoding: Base64.encodePadded(root), as: UTF8.self))\n"
    }

    /// Reads a checkpoint out of a note that a key signed.
    ///
    /// - Parameters:
    ///   - bytes: the note.
    ///   - origin: the name that the log must have.
    ///   - verifier: the key of the log.
    /// - Returns: the checkpoint.
    /// - Throws: ``NoteError``.
    package static func verified(
        _ bytes: [UInt8],
        origin: String,
        by verifier: NoteVerifier
    ) throws(NoteError) -> Checkpoint {
        let note = try SignedNote(bytes)
        try note.verify(verifier)
        let checkpoint = try Checkpoint(note.text)
        guard checkpoint.origin.utf8.elementsEqual(origin.utf8) else { throw NoteError(.forged) }
        return checkpoint
    }
}
