// SPDX-License-Identifier: Apache-2.0

package import Crypto
import System

/// Constants and key derivations of the age format, version 1 (C2SP `age.md`).
package enum Age {
    /// The version line at the beginning of every age file.
    package static let intro = "age-encryption.org/v1"
    /// The type of an X25519 recipient stanza.
    package static let stanza = "X25519"
    /// Plaintext bytes in one chunk of the payload.
    package static let chunk = 64 * 1024
    /// Bytes of the nonce before the payload.
    package static let nonceSize = 16
    /// Bytes of a ChaCha20-Poly1305 tag.
    package static let tagSize = 16
    /// Bytes of a file key.
    package static let fileKeySize = 16

    /// Derives the key that wraps the file key for an X25519 recipient (§ X25519 recipient stanza).
    ///
    /// - Returns: The key; nil for the all-zero secret of a low-order point. That secret must not
    ///   be used, and swift-crypto does not reject it.
    package static func wrapKey(
        _ secret: SharedSecret,
        share: some Sequence<UInt8>,
        recipient: some Sequence<UInt8>
    ) -> SymmetricKey? {
        guard unsafe secret.withUnsafeBytes({ unsafe $0.contains { $0 != 0 } }) else { return nil }
        return secret.hkdfDerivedSymmetricKey(
            using: SHA256.self,
            salt: Array(share) + Array(recipient),
            sharedInfo: Array("age-encryption.org/v1/X25519".utf8),
            outputByteCount: 32
        )
    }

    /// Computes the MAC over the header up to and including its three dashes (§ Header MAC).
    package static func headerMAC(_ fileKey: SymmetricKey, _ header: [UInt8]) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: fileKey,
            salt: [UInt8](),
            info: Array("header".utf8),
            outputByteCount: 32
        )
        return Array(HMAC<SHA256>.authenticationCode(for: header, using: key))
    }

    /// Derives the key of the payload's chunks (§ Payload).
    package static func payloadKey(_ fileKey: SymmetricKey, nonce: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: fileKey,
            salt: nonce,
            info: Array("payload".utf8),
            outputByteCount: 32
        )
    }

    /// The nonce of a chunk: its number from 0 and a flag for the last one (STREAM).
    package static func chunkNonce(_ number: UInt64, isLast: Bool) -> [UInt8] {
        [0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
            + [isLast ? 1 : 0]
    }

    /// Wraps a file key in a header, from the version line to the line of the MAC.
    ///
    /// - Parameters:
    ///   - fileKey: 16 bytes.
    ///   - recipients: the keys that can unwrap it, at least one.
    /// - Returns: the header; nil if a key is unusable (a point of low order).
    package static func header(_ fileKey: SymmetricKey, for recipients: [Recipient]) -> [UInt8]? {
        var header = Array("\(intro)\n".utf8)
        for recipient in recipients {
            let ephemeral = Curve25519.KeyAgreement.PrivateKey()
            let share = ephemeral.publicKey.rawRepresentation
            let point = recipient.key.rawRepresentation
            guard let secret = try? ephemeral.sharedSecretFromKeyAgreement(with: recipient.key),
                let wrapKey = wrapKey(secret, share: share, recipient: point)
            else { return nil }
            let body = unsafe fileKey.withUnsafeBytes { fileKey in
                unsafe try? ChaChaPoly.seal(
                    fileKey,
                    using: wrapKey,
                    nonce: ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12))
                )
            }
            guard let body else { return nil }
            header += Array("-> \(stanza) ".utf8) + Base64.encode(share) + [0x0A]
            header += Base64.encode(Array(body.ciphertext) + Array(body.tag)) + [0x0A]
        }
        header += Array("---".utf8)
        return header + [0x20] + Base64.encode(headerMAC(fileKey, header)) + [0x0A]
    }

    /// Encrypts a payload, from its nonce to its last chunk.
    ///
    /// - Parameters:
    ///   - plaintext: of any length.
    ///   - fileKey: the one in the header.
    /// - Returns: the bytes after the header; nil when the library fails.
    package static func payload(_ plaintext: [UInt8], _ fileKey: SymmetricKey) -> [UInt8]? {
        let nonce = random(nonceSize)
        let key = payloadKey(fileKey, nonce: nonce)
        var bytes = nonce
        var rest = plaintext[...]
        var number: UInt64 = 0
        repeat {
            let part = rest.prefix(chunk)
            rest = rest.dropFirst(chunk)
            let nonce = chunkNonce(number, isLast: rest.isEmpty)
            guard let nonce = try? ChaChaPoly.Nonce(data: nonce),
                let box = try? ChaChaPoly.seal(part, using: key, nonce: nonce)
            else { return nil }
            bytes += box.ciphertext
            bytes += box.tag
            number += 1
        } while !rest.isEmpty
        return bytes
    }

    /// Random bytes of the system.
    package static func random(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}
