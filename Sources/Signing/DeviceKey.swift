// SPDX-License-Identifier: Apache-2.0

import Crypto
import System

/// The recorder's own signing key (Ed25519, RFC 8032).
///
/// Anybody can seal a batch to a public key, but only this recorder can sign one.
package struct DeviceKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// Generates a random key.
    package init() {
        key = Curve25519.Signing.PrivateKey()
    }

    /// Parses the text form; nil for anything else.
    ///
    /// - Parameter text: the private half as 64 hexadecimal digits.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The private half as 64 hexadecimal digits; it belongs into its file only.
    package var secret: String { Hex.encode(key.rawRepresentation) }

    /// The public half.
    package var verifier: DeviceVerifier { DeviceVerifier(key: key.publicKey) }

    /// Signs a message.
    ///
    /// - Parameter message: any bytes.
    /// - Returns: 64 bytes; nil when the library fails.
    package func sign(_ message: [UInt8]) -> [UInt8]? {
        (try? key.signature(for: message)).map(Array.init)
    }

    /// Signs a message that must not be copied.
    ///
    /// - Parameter message: any bytes.
    /// - Returns: 64 bytes; nil when the library fails.
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

    /// Parses the text form; nil for anything else.
    ///
    /// - Parameter text: 64 hexadecimal digits.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    /// The key as 64 hexadecimal digits.
    package var text: String { Hex.encode(key.rawRepresentation) }

    /// Verifies a signature of the recorder.
    ///
    /// - Parameters:
    ///   - signature: 64 bytes; any other length is not valid.
    ///   - message: the signed bytes.
    /// - Returns: whether the recorder signed the message.
    package func isValid(_ signature: some Collection<UInt8>, of message: [UInt8]) -> Bool {
        signature.count == 64 && key.isValidSignature(Array(signature), for: message)
    }

    /// Compares the public keys.
    package static func == (left: DeviceVerifier, right: DeviceVerifier) -> Bool {
        left.key.rawRepresentation == right.key.rawRepresentation
    }
}
