// SPDX-License-Identifier: Apache-2.0

package import Signing

/// What stands in the ring where a batch is gone on purpose: its number, the reason, and the
/// recorder's signature, so that nobody else can make a batch disappear unnoticed.
package struct Tombstone: Equatable, Sendable {
    /// Why a batch is gone.
    package enum Reason: String, Sendable {
        /// The person had it forgotten.
        case forgotten
        /// It reached the age limit.
        case expired
        /// It could not be stored, or its page was damaged.
        case lost
    }

    package let sequence: UInt64
    package let reason: Reason
    private let signature: [UInt8]

    /// A tombstone made now.
    ///
    /// - Returns: nil when it cannot be signed.
    package init?(_ sequence: UInt64, _ reason: Reason, signedBy key: DeviceKey) {
        guard let signature = key.sign(Self.message(sequence, reason)) else { return nil }
        self.sequence = sequence
        self.reason = reason
        self.signature = signature
    }

    /// Reads what stands in a slot; nil when it is no tombstone.
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

    /// Whether the recorder with this key made it.
    package func isSigned(by verifier: DeviceVerifier) -> Bool {
        verifier.isValid(signature, of: Self.message(sequence, reason))
    }

    /// The bytes for a slot, filled up with zeros.
    package var bytes: [UInt8] {
        let text = Self.message(sequence, reason) + Base64.encode(signature) + [0x0A]
        return text + [UInt8](repeating: 0, count: Sealer.sealedSize - text.count)
    }

    /// Whether what stands in a slot begins as a tombstone does.
    package static func isOne(_ slot: [UInt8]) -> Bool { slot.starts(with: Array(intro.utf8)) }

    private static let intro = "mci-tombstone/1"

    private static func message(_ sequence: UInt64, _ reason: Reason) -> [UInt8] {
        Array("\(intro) \(sequence) \(reason.rawValue)\n".utf8)
    }
}
