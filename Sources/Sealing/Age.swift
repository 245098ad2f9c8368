// SPDX-License-Identifier: Apache-2.0

package import Crypto

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
}
