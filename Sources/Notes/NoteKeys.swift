// SPDX-License-Identifier: Apache-2.0

import Crypto
import System

/// What a note's signature is of, by its number in C2SP's registry of signature types.
package enum SignatureKind: UInt8, Sendable {
    /// The text of the note.
    case note = 0x01
    /// The text with the time of signing in front (tlog-cosignature/v1).
    case cosignature = 0x04
}

/// The public half of a key that signs notes, with its name (C2SP `signed-note.md`).
package struct NoteVerifier: Hashable, Sendable {
    /// The name on the signature lines; not a proof of anything, the key is.
    package let name: String
    /// What it signs.
    package let kind: SignatureKind
    /// The Ed25519 public key, 32 bytes.
    package let key: [UInt8]
    /// The first four bytes of a digest of all this, which stand in front of each signature.
    let id: [UInt8]

    init(_ name: String, _ kind: SignatureKind, _ key: [UInt8]) {
        (self.name, self.kind, self.key) = (name, kind, key)
        id = Array(
            SHA256.hash(data: Array(name.utf8) + [0x0A, kind.rawValue] + key).prefix(4)
        )
    }

    /// Parses the text form, `NAME+ID+KEY`; nil for anything else.
    package init?(_ text: String) {
        // Of bytes, for a mark beside a separator would make one `Character` of both.
        let parts = text.utf8
            .split(separator: 0x2B, maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard parts.count == 3, Self.isName(parts[0]), let id = Hex.decode(parts[1]),
            Hex.encode(id) == parts[1], let bytes = Base64.decodePadded(parts[2].utf8),
            let kind = bytes.first.flatMap(SignatureKind.init), bytes.count == 33
        else { return nil }
        self.init(parts[0], kind, Array(bytes.dropFirst()))
        guard self.id == id else { return nil }
    }

    /// The text form, `NAME+ID+KEY`.
    package var text: String {
        let key = String(decoding: Base64.encodePadded([kind.rawValue] + key), as: UTF8.self)
        return "\(name)+\(Hex.encode(id))+\(key)"
    }

    /// Whether a text can be the name of a key: not empty, without white space, `+` and controls.
    package static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 != "+" && !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F
            }
    }

    /// Verifies a signature of this key.
    ///
    /// - Parameters:
    ///   - signature: the bytes after the id, as they stand in the note.
    ///   - text: the text of the note.
    /// - Returns: whether the key signed the text.
    func isValid(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else {
            return false
        }
        switch kind {
        case .note: return signature.count == 64 && key.isValidSignature(signature, for: text)
        case .cosignature:
            guard signature.count == 72 else { return false }
            let time = Self.time(signature)
            guard time <= Int64.max else { return false }
            let message = Self.cosigned(time, text)
            return key.isValidSignature(Array(signature.suffix(64)), for: message)
        }
    }

    /// The time in front of a cosignature, in seconds since 1970.
    static func time(_ signature: [UInt8]) -> UInt64 {
        signature.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// What a cosignature signs.
    static func cosigned(_ time: UInt64, _ text: [UInt8]) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n".utf8) + text
    }
}

/// A key that signs notes.
package struct NoteSigner: Sendable {
    private static let head = "MCI-NOTE-KEY-1"

    /// The public half.
    package let verifier: NoteVerifier
    private let key: Curve25519.Signing.PrivateKey

    /// Generates a random key.
    ///
    /// - Parameters:
    ///   - name: of the key; see ``NoteVerifier/isName(_:)``.
    ///   - kind: what it signs.
    package init(name: String, kind: SignatureKind = .note) {
        self.init(name, kind, Curve25519.Signing.PrivateKey())
    }

    private init(_ name: String, _ kind: SignatureKind, _ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        verifier = NoteVerifier(name, kind, Array(key.publicKey.rawRepresentation))
    }

    /// Parses the text form of a private key, perhaps among comments; nil for anything else.
    package init?(_ text: String) {
        let line = text.split(whereSeparator: \.isNewline).first { !$0.hasPrefix("#") } ?? ""
        let words = line.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard words.count == 4, words[0] == Self.head, let number = UInt8(words[1]),
            let kind = SignatureKind(rawValue: number), NoteVerifier.isName(words[2]),
            let bytes = Hex.decode(words[3]),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.init(words[2], kind, key)
    }

    /// The text of a file with the private key.
    package var file: String {
        """
        # Keep this to yourself. The public key: \(verifier.text)
        \(Self.head) \(verifier.kind.rawValue) \(verifier.name) \(Hex.encode(key.rawRepresentation))

        """
    }

    /// Signs a text.
    ///
    /// - Parameters:
    ///   - text: of a note, with its last line feed.
    ///   - time: seconds since 1970, for a cosignature; ignored otherwise.
    /// - Returns: the bytes after the id; nil when the library fails.
    func sign(_ text: [UInt8], at time: UInt64) -> [UInt8]? {
        switch verifier.kind {
        case .note: return (try? key.signature(for: text)).map(Array.init)
        case .cosignature:
            let stamp = (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * $0)) }
            let message = NoteVerifier.cosigned(time, text)
            return (try? key.signature(for: message)).map { stamp + Array($0) }
        }
    }
}
