// SPDX-License-Identifier: Apache-2.0

import Crypto
import System

/// The private half of a steward's Ed25519 key, which signs decisions.
package struct StewardSecret: Sendable {
    private static let head = "MCI-STEWARD-SECRET-1 "

    private let key: Curve25519.Signing.PrivateKey

    /// Generates a random key.
    package init() {
        key = Curve25519.Signing.PrivateKey()
    }

    /// Parses a key file.
    ///
    /// - Parameter bytes: of the file, which `file` describes.
    /// - Throws: a ``Refusal`` when it is not a steward's key.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(Self.head) }
        guard let line,
            let raw = Hex.decode(String(line.dropFirst(Self.head.count))),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: raw)
        else {
            throw Refusal("That is not a steward's key.", next: "mcictl steward keygen --out FILE")
        }
        self.key = key
    }

    /// The public half as 64 hexadecimal digits, for a policy.
    package var publicKey: String { Hex.encode(key.publicKey.rawRepresentation) }

    /// The text of the key file: a comment, and the private half in hexadecimal after a prefix.
    package var file: String {
        """
        # The key of an mci steward. Keep it to yourself. The policy names: \(publicKey)
        \(Self.head)\(Hex.encode(key.rawRepresentation))

        """
    }

    /// Signs a decision.
    ///
    /// - Parameter statement: the content to sign.
    /// - Returns: the statement with its signature.
    /// - Throws: a ``Refusal`` when the key cannot sign.
    package func sign(
        _ statement: StewardDecision.Statement
    ) throws(Refusal) -> StewardDecision {
        guard let signature = try? key.signature(for: StewardDecision.signed(statement)) else {
            throw Refusal("The key could not sign.")
        }
        return StewardDecision(statement, signature: Hex.encode(signature))
    }
}
