// SPDX-License-Identifier: Apache-2.0

package import Sealing
package import Timeline

/// A plaintext sealed to a holder, and the digests by which a signed note names it.
package struct SealedObject: Sendable {
    /// The age file.
    package let bytes: [UInt8]
    /// The SHA-256 of the header, which a holder rewraps, in hexadecimal.
    package let headerDigest: String

    /// Seals a plaintext.
    ///
    /// - Parameters:
    ///   - plaintext: of any length.
    ///   - recipients: at least one.
    /// - Throws: `AgeError` `headerFailure` for a key to which nothing can be sealed.
    package init(_ plaintext: [UInt8], to recipients: [Recipient]) throws(AgeError) {
        bytes = try AgeFile.seal(plaintext, to: recipients)
        headerDigest = Digest.hex(Array(bytes.prefix(try AgeFile(bytes).headerSize)))
    }

    /// The SHA-256 of the file, in hexadecimal.
    package var digest: String { Digest.hex(bytes) }
}
