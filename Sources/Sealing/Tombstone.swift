// SPDX-License-Identifier: Apache-2.0

package import Signing
import System

/// A signed note that replaces a batch that is gone: its number and the reason.
///
/// The recorder's signature prevents anybody else from removing a batch unnoticed.
package struct Tombstone: Equatable, Sendable {
    /// Why a batch is gone.
    package enum Reason: String, Sendable {
        /// The person deleted it.
        case forgotten
        /// It reached the age limit.
        case expired
        /// It could not be stored, or its database page was damaged.
        case lost
    }

    /// The number of the batch in its ring.
    package let sequence: UInt64
    /// Why the batch is gone.
    package let reason: Reason
    private let signature: [UInt8]

    /// Creates and signs a tombstone.
    ///
    /// - Returns: Nil if signing fails.
    package init?(_ sequence: UInt64, _ reason: Reason, signedBy key: DeviceKey) {
        guard let signature = key.sign(Self.message(sequence, reason)) else { return nil }
        self.sequence = sequence
        self.reason = reason
        self.signature = signature
    }

    /// Parses the contents of a slot; nil if they are not a tombstone.
    package init?(_ slot: [UInt8]) {
        guard let end = slot.firstIndex(of: 0), slot[end...].allSatisfy({ $0 == 0 }) else {
            return nil
        }
        let lines = slot[..<end].split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty else { return nil }
        let words = String(decoding: lines[0], as: UTF8.self).split(separator: " ")
        guard words.count == 3, words[0] == Self.intro, let sequence = UInt64(words[1]),
            let reason = Reason(rawValue: String(words[2])),
            let signature = Base64.decode(lines[1]), signature.count == 64,
            Array(lines[0]) + [0x0A] == Self.message(sequence, reason)
        else { return nil }
        (self.sequence, self.reason, self.signature) = (sequence, reason, signature)
    }

    /// Whether this key signed the tombstone.
    package func isSigned(by verifier: DeviceVerifier) -> Bool {
        verifier.isValid(signature, of: Self.message(sequence, reason))
    }

    /// The contents of the slot: the signed note, padded with zeros.
    package var bytes: [UInt8] {
        let text = Self.message(sequence, reason) + Base64.encode(signature) + [0x0A]
        return text + [UInt8](repeating: 0, count: Sealer.sealedSize - text.count)
    }

    /// Whether the contents of a slot begin like a tombstone.
    package static func isOne(_ slot: [UInt8]) -> Bool { slot.starts(with: Array(intro.utf8)) }

    private static let intro = "mci-tombstone/1"

    private static func message(_ sequence: UInt64, _ reason: Reason) -> [UInt8] {
        Array("\(intro) \(sequence) \(reason.rawValue)\n".utf8)
    }
}
