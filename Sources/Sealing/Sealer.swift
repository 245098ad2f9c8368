// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Packing
package import Signing
import System

/// A batch that only the person's private key can open: one complete age v1 file.
///
/// Only ``Sealer`` creates one, and storage accepts nothing else.
package struct SealedBatch: Sendable {
    /// The number of the batch in its ring, from 1.
    package let sequence: UInt64
    /// The end of the batch, in milliseconds since 1970, rounded up to the minute.
    package let end: Int64
    /// The number of admitted events in it, for the event counters.
    package let eventCount: Int
    /// The age file.
    package let bytes: [UInt8]

    init(_ batch: borrowing Batch, bytes: [UInt8]) {
        sequence = batch.sequence
        end = Self.roundedEnd(batch.end)
        eventCount = batch.eventCount
        self.bytes = bytes
    }

    /// Rounds a moment in milliseconds since 1970 up to the minute.
    package static func roundedEnd(_ end: Int64) -> Int64 {
        let (sum, overflow) = end.addingReportingOverflow(rounding - 1)
        return (overflow ? end : sum) / rounding * rounding
    }

    /// The milliseconds to whose multiples ends are rounded up: a minute.
    package static let rounding = BatchLayout.maxSpan

    /// Maximum milliseconds between a batch's beginning and its rounded end.
    package static let maxSpan = BatchLayout.maxReach

    /// Whether batches that ended between two rounded moments can contain any part of a period.
    ///
    /// All values are milliseconds since 1970.
    package static func touches(
        _ range: ClosedRange<Int64>,
        from: Int64,
        end: Int64
    ) -> Bool {
        let (start, overflow) = from.subtractingReportingOverflow(maxSpan)
        return end >= range.lowerBound && (overflow || start <= range.upperBound)
    }

    /// The SHA-256 of the age file, by which the next batch names this one.
    package var digest: [UInt8] { Self.digest(bytes) }

    /// The predecessor's digest in the first batch of a ring: zeros.
    package static let noDigest = [UInt8](repeating: 0, count: BatchLayout.digestSize)

    /// The SHA-256 of the contents of a slot.
    package static func digest(_ slot: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: slot)) }
}

/// A batch could not be sealed.
package struct SealingError: Error, CustomStringConvertible {
    /// One sentence for the person and the log.
    package var description: String { "A batch could not be sealed; it was not stored." }
}

/// Seals batches to public keys; it cannot open them.
///
/// Upstream: packing. Downstream: storage. Promise: the plaintext is read in place and never
/// copied. Each batch has its own file key, names its predecessor and carries the recorder's
/// signature. The only output is a complete age file.
package struct Sealer: Sendable {
    /// Bytes of a sealed batch, whatever the number of recipients.
    package static let sealedSize = 3973

    private let recipients: [Recipient]
    private let deviceKey: DeviceKey

    /// Creates a sealer for 1 to ``BatchLayout/maxRecipients`` recipients.
    package init(_ recipients: [Recipient], signedBy deviceKey: DeviceKey) {
        precondition(
            1...BatchLayout.maxRecipients ~= recipients.count,
            "A batch is sealed to somebody, and to no more than fit."
        )
        self.recipients = recipients
        self.deviceKey = deviceKey
    }

    /// Seals a batch, which wipes its plaintext.
    ///
    /// - Parameters:
    ///   - batch: The batch; it must have been packed for this number of recipients.
    ///   - predecessor: The digest of the previous batch; zeros for the first.
    /// - Returns: The sealed batch.
    /// - Throws: ``SealingError`` if a recipient's key is unusable or the batch cannot be signed.
    package func seal(
        _ batch: consuming Batch,
        after predecessor: [UInt8]
    ) throws(SealingError) -> SealedBatch {
        let isProven = unsafe batch.prove(after: predecessor) { unsafe deviceKey.sign($0) }
        guard isProven else { throw SealingError() }
        let fileKey = SymmetricKey(size: .bits128)
        guard var file = Age.header(fileKey, for: recipients) else { throw SealingError() }
        let nonce = Age.random(Age.nonceSize)
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
}
