// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Events
import Sealing

/// The person's private key, in age's own format (`AGE-SECRET-KEY-1…`).
package struct Identity: Sendable, Redacted {
    let key: Curve25519.KeyAgreement.PrivateKey

    /// A new random key.
    package init() {
        key = Curve25519.KeyAgreement.PrivateKey()
    }

    /// Reads the text form; nil when it is none.
    package init?(_ text: String) {
        guard text == text.uppercased(),
            let bytes = Bech32.decode(text, prefix: "age-secret-key-"),
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// Reads an identity file: one key a line, `#` for comments, as `age -i` takes it.
    ///
    /// - Parameter text: the file's text.
    /// - Returns: the keys; nil when there is none or a line is no key.
    package static func list(_ text: String) -> [Identity]? {
        var result: [Identity] = []
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let identity = Identity(String(line)) else { return nil }
            result.append(identity)
        }
        return result.isEmpty ? nil : result
    }

    /// The public key, `age1…`.
    package var recipient: String {
        Recipient(key: key.publicKey).text
    }

    /// Whether anything can be sealed to a key: points of low order are keys in form only.
    func canSeal(to recipient: Recipient) -> Bool {
        guard let secret = try? key.sharedSecretFromKeyAgreement(with: recipient.key) else {
            return false
        }
        return Age.wrapKey(secret, share: [], recipient: []) != nil
    }

    /// An identity file as `age-keygen` writes it.
    ///
    /// - Parameter now: for the comment that says when it was made.
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
