// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing

/// What a row of the ring says about itself, and the signature that makes it credible.
///
/// Promise: no decision about a row (what has expired, what comes next, what is missing) relies on
/// numbers that nobody signed.
enum RowProof {
    /// The prefix of every signed message: its kind and version.
    private static let intro = Array("mci-row/1\n".utf8)

    /// The signed bytes: the prefix, the ring's id, kind, slot, number, end, and the digest of the
    /// content.
    private static func message(
        _ ringID: [UInt8],
        _ slot: Int,
        _ entry: SlotTable.Entry,
        _ sealed: [UInt8]
    ) -> [UInt8] {
        var bytes = intro + ringID
        bytes.append(entry.isNote ? 2 : 1)
        for number in [Int64(slot), entry.sequence, entry.end] {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return bytes + SealedBatch.digest(sealed)
    }

    /// Signs a row.
    ///
    /// - Returns: ``RingFormat/proofSize`` bytes; nil when the signing library fails.
    static func sign(
        _ key: DeviceKey,
        _ ringID: [UInt8],
        _ slot: Int,
        _ entry: SlotTable.Entry,
        _ sealed: [UInt8]
    ) -> [UInt8]? {
        key.sign(message(ringID, slot, entry, sealed))
    }

    /// Whether this recorder signed exactly this content for exactly this slot of this ring.
    static func isValid(
        _ proof: [UInt8],
        _ verifier: DeviceVerifier,
        _ ringID: [UInt8],
        _ slot: Int,
        _ entry: SlotTable.Entry,
        _ sealed: [UInt8]
    ) -> Bool {
        entry.sequence > 0 && verifier.isValid(proof, of: message(ringID, slot, entry, sealed))
    }
}
