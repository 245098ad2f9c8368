// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Events
import Sealing
import System

/// A passphrase that protects an identity file (C2SP `age.md`, § scrypt recipient stanza).
package struct Passphrase: Equatable, Sendable, Redacted {
    static let stanza = "scrypt"
    /// The binary logarithm of scrypt's N, as `age -p` chooses it: 256 MiB and about a second.
    package static let workFactor = 18
    /// Maximum work factor, because a file must not choose how much memory its reader spends.
    private static let maxWork = 22
    private static let saltSize = 16

    private let bytes: [UInt8]

    /// Takes a passphrase as it was typed; nil when it is empty.
    ///
    /// - Parameter bytes: without the line end.
    package init?(_ bytes: [UInt8]) {
        if bytes.isEmpty { return nil }
        self.bytes = bytes
    }

    /// Seals bytes as a complete age file, which `age -d` opens with this passphrase.
    ///
    /// - Parameters:
    ///   - plaintext: what to seal.
    ///   - workFactor: the binary logarithm of scrypt's N.
    /// - Returns: the binary age file.
    /// - Throws: ``AgeError`` `noMemory`.
    package func seal(
        _ plaintext: [UInt8],
        workFactor: Int = Passphrase.workFactor
    ) throws(AgeError) -> [UInt8] {
        let secret = Age.random(Age.fileKeySize)
        let fileKey = SymmetricKey(data: secret)
        let salt = Age.random(Self.saltSize)
        let wrapKey = try derive(salt, workFactor)
        let body = try Self.seal(secret[...], wrapKey, nonce: [UInt8](repeating: 0, count: 12))
        var file = Array("\(Age.intro)\n-> \(Self.stanza) ".utf8) + Base64.encode(salt)
        file += Array(" \(workFactor)\n".utf8) + Base64.encode(body) + Array("\n---".utf8)
        file += [0x20] + Base64.encode(Age.headerMAC(fileKey, file)) + [0x0A]
        guard let payload = Age.payload(plaintext, fileKey) else {
            throw AgeError(.payloadFailure)
        }
        return file + payload
    }

    /// Derives the key that wraps the file key in a stanza.
    func wrapKey(_ stanza: AgeFile.Stanza) throws(AgeError) -> SymmetricKey {
        guard stanza.arguments.count == 2,
            let salt = Base64.decode(stanza.arguments[0].utf8), salt.count == Self.saltSize,
            let workFactor = Self.workFactor(stanza.arguments[1]),
            stanza.body.count == Age.fileKeySize + Age.tagSize
        else { throw AgeError(.headerFailure) }
        return try derive(salt, workFactor)
    }

    /// Parses a work factor, which has one spelling: decimal, without a sign or a leading zero.
    private static func workFactor(_ text: String) -> Int? {
        guard text.utf8.count <= 2, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            !text.hasPrefix("0"), let number = Int(text), number <= maxWork
        else { return nil }
        return number
    }

    private func derive(_ salt: [UInt8], _ workFactor: Int) throws(AgeError) -> SymmetricKey {
        do {
            return try KDF.Scrypt.deriveKey(
                from: bytes,
                salt: Array("\(Age.intro)/\(Self.stanza)".utf8) + salt,
                outputByteCount: 32,
                rounds: 1 << workFactor,
                blockSize: 8,
                parallelism: 1
            )
        } catch {
            throw AgeError(.noMemory)
        }
    }

    private static func seal(
        _ plaintext: ArraySlice<UInt8>,
        _ key: SymmetricKey,
        nonce: [UInt8]
    ) throws(AgeError) -> [UInt8] {
        // Fails only for a nonce of another length.
        guard let nonce = try? ChaChaPoly.Nonce(data: nonce),
            let box = try? ChaChaPoly.seal(plaintext, using: key, nonce: nonce)
        else { throw AgeError(.payloadFailure) }
        return Array(box.ciphertext) + Array(box.tag)
    }
}
