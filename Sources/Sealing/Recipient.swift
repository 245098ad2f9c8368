// SPDX-License-Identifier: Apache-2.0

package import Crypto

/// A public key to which batches are sealed (an age X25519 recipient, `age1…`).
package struct Recipient: Equatable, Sendable {
    /// The X25519 public key.
    package let key: Curve25519.KeyAgreement.PublicKey

    package init(key: Curve25519.KeyAgreement.PublicKey) {
        self.key = key
    }

    /// Parses the text form in lower case; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = Bech32.decode(text, prefix: "age"), text == text.lowercased(),
            let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The 32 bytes of the key.
    package var bytes: [UInt8] { Array(key.rawRepresentation) }

    /// The text form, `age1…`.
    package var text: String {
        Bech32.encode(prefix: "age", Array(key.rawRepresentation))
    }

    /// Parses a recipients file as `age -R` reads it: one key per line, `#` for comments.
    ///
    /// - Parameter text: The contents of the file.
    /// - Returns: The keys; nil if there are none or a line is not a key.
    package static func list(_ text: String) -> [Recipient]? {
        var result: [Recipient] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let recipient = Recipient(String(line)) else { return nil }
            result.append(recipient)
        }
        return result.isEmpty ? nil : result
    }

    /// Whether two keys have the same bytes.
    package static func == (left: Recipient, right: Recipient) -> Bool {
        left.key.rawRepresentation == right.key.rawRepresentation
    }
}
