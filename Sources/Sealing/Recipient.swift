// SPDX-License-Identifier: Apache-2.0

package import Crypto

/// A public key to which batches are sealed (age X25519 recipient, `age1…`).
package struct Recipient: Equatable, Sendable {
    package let key: Curve25519.KeyAgreement.PublicKey

    package init(key: Curve25519.KeyAgreement.PublicKey) {
        self.key = key
    }

    /// Reads the text form; nil when it is none.
    package init?(_ text: String) {
        guard let bytes = Bech32.decode(text, prefix: "age"), text == text.lowercased(),
            let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The text form, `age1…`.
    package var text: String {
        Bech32.encode(prefix: "age", Array(key.rawRepresentation))
    }

    /// Reads a recipients file: one key a line, `#` for comments, as `age -R` takes it.
    ///
    /// - Parameter text: the file's text.
    /// - Returns: the keys; nil when there is none or a line is no key.
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

    package static func == (left: Recipient, right: Recipient) -> Bool {
        left.key.rawRepresentation == right.key.rawRepresentation
    }
}
