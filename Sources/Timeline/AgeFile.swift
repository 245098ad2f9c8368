// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Sealing
import System

/// Why an age file does not open.
package struct AgeError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure; the raw values are those of age's test vectors (C2SP CCTV).
    package enum Code: String, Sendable {
        /// The header is not exactly in the format.
        case headerFailure = "header failure"
        /// The header's MAC does not match its content.
        case hmacFailure = "HMAC failure"
        /// No identity or passphrase fits a stanza.
        case noMatch = "no match"
        /// A chunk of the payload does not decrypt, or is in the wrong order.
        case payloadFailure = "payload failure"
        /// The ASCII armor is not exactly in the format.
        case armorFailure = "armor failure"
        /// Not enough memory for the file's scrypt work factor.
        case noMemory = "not enough memory"
    }

    /// The kind of failure.
    package let code: Code

    /// Creates an error.
    package init(_ code: Code) {
        self.code = code
    }

    /// An English sentence.
    package var description: String {
        switch code {
        case .noMatch: "No identity opens this batch: it was sealed to another key."
        default: "The sealed batch is damaged (\(code.rawValue))."
        }
    }
}

/// A parsed file of age's version 1 (C2SP `age.md`), which identities or a passphrase can open.
package struct AgeFile: Sendable {
    /// A recipient's part of the header.
    struct Stanza: Sendable {
        var type: String
        var arguments: [String]
        var body: [UInt8]
    }

    let stanzas: [Stanza]
    /// The bytes of the header up to and including the three dashes, which the MAC covers.
    private let header: [UInt8]
    private let mac: [UInt8]
    private let payload: ArraySlice<UInt8>

    /// Parses the header; nothing is decrypted yet.
    ///
    /// - Parameter bytes: the whole file, without armor.
    /// - Throws: ``AgeError`` `headerFailure` for anything that is not exactly the format.
    package init(_ bytes: [UInt8]) throws(AgeError) {
        var lines = Lines(bytes)
        guard try lines.next() == Age.intro else { throw AgeError(.headerFailure) }
        var stanzas: [Stanza] = []
        while true {
            let start = lines.position
            let line = try lines.next()
            if line.hasPrefix("---") {
                let text = line.dropFirst(4)
                guard line.hasPrefix("--- "), let mac = Base64.decode(text.utf8), mac.count == 32,
                    !stanzas.isEmpty,
                    stanzas.count == 1 || !stanzas.contains(where: { $0.type == Passphrase.stanza })
                else { throw AgeError(.headerFailure) }
                self.stanzas = stanzas
                self.mac = mac
                header = Array(bytes[..<(start + 3)])
                payload = bytes[lines.position...]
                return
            }
            stanzas.append(try Self.stanza(line, &lines))
        }
    }

    private static func stanza(
        _ line: String,
        _ lines: inout Lines
    ) throws(AgeError) -> Stanza {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 2, words[0] == "->",
            words.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { 33...126 ~= $0 } })
        else { throw AgeError(.headerFailure) }
        var body: [UInt8] = []
        while true {
            let text = try lines.next()
            guard text.utf8.count <= 64, let bytes = Base64.decode(text.utf8) else {
                throw AgeError(.headerFailure)
            }
            body += bytes
            if text.utf8.count < 64 { break }
        }
        return Stanza(type: words[1], arguments: Array(words.dropFirst(2)), body: body)
    }

    /// Decrypts the file with an identity.
    ///
    /// - Parameter identities: tried one after the other.
    /// - Returns: the plaintext.
    /// - Throws: ``AgeError``; `noMatch` when no identity fits.
    package func open(_ identities: [Identity]) throws(AgeError) -> [UInt8] {
        for identity in identities {
            if let fileKey = try fileKey(identity) { return try open(fileKey) }
        }
        throw AgeError(.noMatch)
    }

    /// Whether the file is sealed to a passphrase (scrypt) rather than to identities.
    package var isProtected: Bool { stanzas.first?.type == Passphrase.stanza }

    /// The number of X25519 stanzas, that is of keys that can open the file.
    package var readerCount: Int { stanzas.count { $0.type == Age.stanza } }

    /// Decrypts the file with a passphrase.
    ///
    /// - Parameter passphrase: the one the file was sealed with.
    /// - Returns: the plaintext.
    /// - Throws: ``AgeError``; `noMatch` for another passphrase.
    package func open(_ passphrase: Passphrase) throws(AgeError) -> [UInt8] {
        guard isProtected, let stanza = stanzas.first else { throw AgeError(.noMatch) }
        let key = try passphrase.wrapKey(stanza)
        let zero = [UInt8](repeating: 0, count: 12)
        guard let fileKey = Self.open(stanza.body[...], key, nonce: zero) else {
            throw AgeError(.noMatch)
        }
        return try open(SymmetricKey(data: fileKey))
    }

    /// Unwraps the file key if a stanza is for this identity; nil otherwise.
    private func fileKey(_ identity: Identity) throws(AgeError) -> SymmetricKey? {
        for stanza in stanzas where stanza.type == Age.stanza {
            guard stanza.arguments.count == 1, let share = Base64.decode(stanza.arguments[0].utf8),
                share.count == 32, stanza.body.count == Age.fileKeySize + Age.tagSize,
                let sender = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
                let secret = try? identity.key.sharedSecretFromKeyAgreement(with: sender)
            else { throw AgeError(.headerFailure) }
            let recipient = identity.key.publicKey.rawRepresentation
            guard let key = Age.wrapKey(secret, share: share, recipient: recipient) else {
                throw AgeError(.headerFailure)
            }
            let zero = [UInt8](repeating: 0, count: 12)
            guard let fileKey = Self.open(stanza.body[...], key, nonce: zero) else { continue }
            return SymmetricKey(data: fileKey)
        }
        return nil
    }

    /// Wraps the file key for another reader, without looking at the payload.
    ///
    /// - Parameters:
    ///   - identity: one that opens the file.
    ///   - recipient: the key of the reader.
    /// - Returns: a header that takes the place of this one.
    /// - Throws: ``AgeError``; `noMatch` when the identity does not fit, `hmacFailure` for a header
    ///   that was changed.
    package func rewrapped(
        by identity: Identity,
        for recipient: Recipient
    ) throws(AgeError) -> [UInt8] {
        guard let fileKey = try fileKey(identity) else { throw AgeError(.noMatch) }
        guard Age.headerMAC(fileKey, header) == mac else { throw AgeError(.hmacFailure) }
        guard let header = Age.header(fileKey, for: [recipient]) else {
            throw AgeError(.headerFailure)
        }
        return header
    }

    /// The number of bytes of the header, up to the line feed behind its MAC.
    package var headerSize: Int { payload.startIndex }

    /// Seals a plaintext to keys, as a complete age file.
    ///
    /// - Parameters:
    ///   - plaintext: of any length.
    ///   - recipients: at least one.
    /// - Returns: the file.
    /// - Throws: ``AgeError`` `headerFailure` for a key to which nothing can be sealed.
    package static func seal(
        _ plaintext: [UInt8],
        to recipients: [Recipient]
    ) throws(AgeError) -> [UInt8] {
        let fileKey = SymmetricKey(size: .bits128)
        guard let header = Age.header(fileKey, for: recipients),
            let payload = Age.payload(plaintext, fileKey)
        else { throw AgeError(.headerFailure) }
        return header + payload
    }

    /// Verifies the header and decrypts the payload with the file key.
    func open(_ fileKey: SymmetricKey) throws(AgeError) -> [UInt8] {
        guard Age.headerMAC(fileKey, header) == mac else { throw AgeError(.hmacFailure) }
        guard payload.count >= Age.nonceSize else { throw AgeError(.headerFailure) }
        let nonce = Array(payload.prefix(Age.nonceSize))
        let key = Age.payloadKey(fileKey, nonce: nonce)
        var rest = payload.dropFirst(Age.nonceSize)
        var plaintext: [UInt8] = []
        var number: UInt64 = 0
        while true {
            let isLast = rest.count <= Age.chunk + Age.tagSize
            let sealed = rest.prefix(Age.chunk + Age.tagSize)
            guard sealed.count >= Age.tagSize,
                let chunk = Self.open(sealed, key, nonce: Age.chunkNonce(number, isLast: isLast)),
                !chunk.isEmpty || number == 0
            else { throw AgeError(.payloadFailure) }
            plaintext += chunk
            if isLast { return plaintext }
            rest = rest.dropFirst(sealed.count)
            number += 1
        }
    }

    private static func open(
        _ sealed: ArraySlice<UInt8>,
        _ key: SymmetricKey,
        nonce: [UInt8]
    ) -> [UInt8]? {
        guard
            let box = try? ChaChaPoly.SealedBox(
                nonce: ChaChaPoly.Nonce(data: nonce),
                ciphertext: sealed.dropLast(Age.tagSize),
                tag: sealed.suffix(Age.tagSize)
            ), let plaintext = try? ChaChaPoly.open(box, using: key)
        else { return nil }
        return Array(plaintext)
    }
}

/// The lines of the header, each ended by one line feed and at most 4096 bytes long.
private struct Lines {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() throws(AgeError) -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0A), end - position <= 4096 else {
            throw AgeError(.headerFailure)
        }
        let line = bytes[position..<end]
        guard line.allSatisfy({ 32...126 ~= $0 }) else { throw AgeError(.headerFailure) }
        position = end + 1
        return String(decoding: line, as: UTF8.self)
    }
}
