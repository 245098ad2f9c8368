// SPDX-License-Identifier: Apache-2.0

import Crypto
import System

/// The recorder's own signing key (Ed25519): whoever holds a public key can seal a batch, but only
/// this recorder can sign one.
package struct DeviceKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// A new random key.
    package init() {
        key = Curve25519.Signing.PrivateKey()
    }

    /// Reads the text form; nil when it is none.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The private half as 64 hexadecimal digits, for its file only.
    package var secret: String { Hex.encode(key.rawRepresentation) }

    /// The public half.
    package var verifier: DeviceVerifier { DeviceVerifier(key: key.publicKey) }

    /// The signature of a message; nil when the library fails.
    package func sign(_ message: [UInt8]) -> [UInt8]? {
        (try? key.signature(for: message)).map(Array.init)
    }

    /// The signature of a message that must not be copied.
    package func sign(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        unsafe (try? key.signature(for: message)).map(Array.init)
    }
}

/// The public half of a ``DeviceKey``, as the consent receipt names it.
package struct DeviceVerifier: Sendable, Equatable {
    private let key: Curve25519.Signing.PublicKey

    init(key: Curve25519.Signing.PublicKey) {
        self.key = key
    }

    /// Reads 64 hexadecimal digits; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The key as 64 hexadecimal digits.
    package var text: String { Hex.encode(key.rawRepresentation) }

    /// Whether the recorder signed a message.
    package func isValid(_ signature: some Collection<UInt8>, of message: [UInt8]) -> Bool {
        signature.count == 64 && key.isValidSignature(Array(signature), for: message)
    }

    package static func == (left: DeviceVerifier, right: DeviceVerifier) -> Bool {
        left.key.rawRepresentation == right.key.rawRepresentation
    }
}
