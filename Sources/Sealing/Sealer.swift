// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Packing
package import Signing

/// A batch that only the person's private key opens: one complete age v1 file.
///
/// Only ``Sealer`` makes one; it is all that storage can name.
package struct SealedBatch: Sendable {
    /// The number of the batch in its ring.
    package let sequence: UInt64
    /// The end of the batch, in milliseconds since 1970, rounded up to the minute.
    package let end: Int64
    /// The admitted events in it, for the accounts.
    package let eventCount: Int
    /// The age file.
    package let bytes: [UInt8]

    init(_ batch: borrowing Batch, bytes: [UInt8]) {
        sequence = batch.sequence
        end = Self.roundedEnd(batch.end)
        eventCount = batch.eventCount
        self.bytes = bytes
    }

    /// A moment in milliseconds since 1970, rounded up to the minute.
    package static func roundedEnd(_ end: Int64) -> Int64 {
        let minute: Int64 = 60_000
        let (sum, overflow) = end.addingReportingOverflow(minute - 1)
        return (overflow ? end : sum) / minute * minute
    }

    /// The most that a batch can reach back before its rounded end: it spans at most a minute.
    package static let maxSpan: Int64 = 120_000

    /// Whether what ended between two moments, each rounded up, can hold anything of a stretch of time;
    /// all in milliseconds since 1970.
    package static func touches(
        _ range: ClosedRange<Int64>,
        from: Int64,
        end: Int64
    ) -> Bool {
        let (start, overflow) = from.subtractingReportingOverflow(maxSpan)
        return end >= range.lowerBound && (overflow || start <= range.upperBound)
    }

    /// SHA-256 of the age file, by which the next batch names this one.
    package var digest: [UInt8] { Self.digest(bytes) }

    /// What the first batch of all names as its predecessor.
    package static let noDigest = [UInt8](repeating: 0, count: BatchLayout.digestSize)

    /// SHA-256 of what stands in a slot.
    package static func digest(_ slot: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: slot)) }
}

/// Why a batch could not be sealed.
package struct SealingError: Error, CustomStringConvertible {
    package var description: String { "A batch could not be sealed; it was not stored." }
}

/// Seals batches to public keys; it cannot open one.
///
/// Upstream: packing. Downstream: storage. Promise: the plaintext is read in place and nowhere
/// copied, each batch has its own file key, names its predecessor and carries the recorder's
/// signature, and the only output is a whole age file.
package struct Sealer: Sendable {
    /// Bytes of a sealed batch, for any number of recipients.
    package static let sealedSize = 3973

    private let recipients: [Recipient]
    private let deviceKey: DeviceKey

    /// A sealer for one to ``BatchLayout/maxRecipients`` recipients.
    package init(_ recipients: [Recipient], signedBy deviceKey: DeviceKey) {
        precondition(
            1...BatchLayout.maxRecipients ~= recipients.count,
            "A batch is sealed to somebody, and to no more than fit."
        )
        self.recipients = recipients
        self.deviceKey = deviceKey
    }

    /// Seals a batch and thereby wipes its plaintext.
    ///
    /// - Parameters:
    ///   - batch: given up by the caller; made for as many recipients as there are.
    ///   - predecessor: the digest of the batch before it; zeros for the first.
    /// - Returns: the age file.
    /// - Throws: ``SealingError`` when a recipient's key is of no use.
    package func seal(
        _ batch: consuming Batch,
        after predecessor: [UInt8]
    ) throws(SealingError) -> SealedBatch {
        let isProven = unsafe batch.prove(after: predecessor) { unsafe deviceKey.sign($0) }
        guard isProven else { throw SealingError() }
        let fileKey = SymmetricKey(size: .bits128)
        var file = Array("\(Age.intro)\n".utf8)
        for recipient in recipients {
            try appendStanza(for: recipient, fileKey, to: &file)
        }
        file += Array("---".utf8)
        file += [0x20] + Base64.encode(Age.headerMAC(fileKey, file)) + [0x0A]
        var random = SystemRandomNumberGenerator()
        let nonce = (0..<Age.nonceSize).map { _ in UInt8.random(in: 0...255, using: &random) }
        file += nonce
        let key = Age.payloadKey(fileKey, nonce: nonce)
        let box = unsafe batch.withPlaintext { plaintext in
            unsafe try? ChaChaPoly.seal(
                plaintext,
                using: key,
                nonce: ChaChaPoly.Nonce(data: Age.chunkNonce(0, isLast: true))
            )
        }
        guard let box else { throw SealingError() }
        file += box.ciphertext
        file += box.tag
        guard file.count == Self.sealedSize else { throw SealingError() }
        return SealedBatch(batch, bytes: file)
    }

    private func appendStanza(
        for recipient: Recipient,
        _ fileKey: SymmetricKey,
        to file: inout [UInt8]
    ) throws(SealingError) {
        let ephemeral = Curve25519.KeyAgreement.PrivateKey()
        let share = ephemeral.publicKey.rawRepresentation
        let point = recipient.key.rawRepresentation
        guard let secret = try? ephemeral.sharedSecretFromKeyAgreement(with: recipient.key),
            let wrapKey = Age.wrapKey(secret, share: share, recipient: point)
        else { throw SealingError() }
        let body = unsafe fileKey.withUnsafeBytes { fileKey in
            unsafe try? ChaChaPoly.seal(
                fileKey,
                using: wrapKey,
                nonce: ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12))
            )
        }
        guard let body else { throw SealingError() }
        file += Array("-> \(Age.stanza) ".utf8) + Base64.encode(share) + [0x0A]
        file += Base64.encode(Array(body.ciphertext) + Array(body.tag)) + [0x0A]
    }
}
