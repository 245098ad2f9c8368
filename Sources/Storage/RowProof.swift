// SPDX-License-Identifier: Apache-2.0

import Sealing
import Signing

/// What a row of the ring says of itself, and the signature that makes it believable.
///
/// Promise: nothing that is decided from a row (what is too old, what comes next, what is missing) is
/// decided from numbers that nobody signed.
enum RowProof {
    private static let intro = Array("mci-row/1\n".utf8)

    /// The bytes that are signed: the ring's id, the slot, the kind, the number, the end, and the
    /// digest of what is sealed.
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
    /// - Returns: ``RingFormat/proofSize`` bytes; nil when the library fails.
    static func sign(
        _ key: DeviceKey,
        _ ringID: [UInt8],
        _ slot: Int,
        _ entry: SlotTable.Entry,
        _ sealed: [UInt8]
    ) -> [UInt8]? {
        key.sign(message(ringID, slot, entry, sealed))
    }

    /// Whether this recorder put just this into just this slot of just this ring.
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
