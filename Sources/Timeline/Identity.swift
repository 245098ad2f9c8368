// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Events
import Sealing

/// The person's private X25519 key in age's own format (`AGE-SECRET-KEY-1…`, Bech32).
package struct Identity: Sendable, Redacted {
    let key: Curve25519.KeyAgreement.PrivateKey

    /// Generates a random key.
    package init() {
        key = Curve25519.KeyAgreement.PrivateKey()
    }

    /// Parses the text form; nil when the text is not a key.
    ///
    /// - Parameter text: one key in capitals, without a line end.
    package init?(_ text: String) {
        guard text == text.uppercased(),
            let bytes = Bech32.decode(text, prefix: "age-secret-key-"),
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// Takes the 32 bytes of a key; nil for another number of bytes.
    package init?(raw: [UInt8]) {
        guard let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: raw) else {
            return nil
        }
        self.key = key
    }

    /// The 32 bytes of the key; they belong into one place only.
    package var raw: [UInt8] { Array(key.rawRepresentation) }

    /// Parses an identity file: one key per line, `#` starts a comment line, as for `age -i`.
    ///
    /// - Parameter text: the file's text.
    /// - Returns: the keys; nil when there is none or a line is not a key.
    package static func list(_ text: String) -> [Identity]? {
        var result: [Identity] = []
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let identity = Identity(String(line)) else { return nil }
            result.append(identity)
        }
        return result.isEmpty ? nil : result
    }

    /// The public key in age's text form, `age1…`.
    package var recipient: String {
        Recipient(key: key.publicKey).text
    }

    /// Whether sealing to a key is possible: points of low order only look like keys.
    func canSeal(to recipient: Recipient) -> Bool {
        guard let secret = try? key.sharedSecretFromKeyAgreement(with: recipient.key) else {
            return false
        }
        return Age.wrapKey(secret, share: [], recipient: []) != nil
    }

    /// Writes an identity file as `age-keygen` does.
    ///
    /// - Parameter now: the time of creation, for the comment.
    /// - Returns: the file's text.
    package func file(createdAt now: WallTime) -> String {
        let secret = Bech32.encode(prefix: "age-secret-key-", Array(key.rawRepresentation))
        return """
            # created: \(now.text)
            # public key: \(recipient)
            \(secret.uppercased())

            """
    }
}
