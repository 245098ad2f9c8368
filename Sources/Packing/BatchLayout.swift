// SPDX-License-Identifier: Apache-2.0

import Events

/// Sizes and numbers of the payload format, which `Documentation/Format.md` documents for readers.
package enum BatchLayout {
    /// The format version that this code writes.
    package static let version: UInt64 = 4
    /// The format versions that this code reads.
    package static let readable: ClosedRange<UInt64> = 2...version
    /// Plaintext bytes of a batch for one recipient; with the age envelope they fill a slot.
    package static let largest = 3773
    /// The same in rings of version 2, whose rows have no proof.
    private static let largestBefore = 3837
    /// Bytes of the envelope for each further recipient.
    static let recipientSize = 98
    /// Maximum recipients of a batch.
    package static let maxRecipients = 8
    /// Bytes of the proof at the end of a batch: the predecessor's digest and a signature.
    package static let proofSize = digestSize + signatureSize
    /// Bytes of a SHA-256 digest.
    package static let digestSize = 32
    /// Bytes of an Ed25519 signature.
    package static let signatureSize = 64
    /// Bytes before the compressed columns: their length as a little-endian UInt32.
    static let prefix = 4
    /// Maximum decompressed bytes, so that a forged batch cannot fill the memory.
    static let maxColumns = 1 << 20

    /// Maximum milliseconds that a batch spans: a minute.
    ///
    /// The end in its row is rounded up to a multiple of it.
    package static let maxSpan: Int64 = 60_000
    /// Maximum milliseconds between a batch's beginning and the rounded end in its row.
    package static let maxReach = 2 * maxSpan

    /// Plaintext bytes of every batch for a number of recipients.
    package static func size(recipients: Int) -> Int {
        precondition(1...maxRecipients ~= recipients, "A batch has one to eight recipients.")
        return largest - recipientSize * (recipients - 1)
    }

    /// Whether a plaintext has the size of a batch, in this or the previous version of the ring.
    static func isSize(_ count: Int) -> Bool {
        (0..<maxRecipients).contains {
            count == largest - recipientSize * $0 || count == largestBefore - recipientSize * $0
        }
    }

    /// The sections of a decompressed batch.
    enum Section: UInt8, CaseIterable {
        case header = 1
        case kinds
        case devices
        case times
        case keys
        case modifiers
        case keysyms
        case buttons
        case motions
        case wideMotions
        case scrolls
        case apps
        case gaps
        case titles
        case pixels
        case axes
        case deviceTable
        case screen
        case buttonMaps
        case typing
        case origins
        case demonstration
    }

    /// A flag in an item's kind: the item has a pixel.
    static let hasPixel: UInt8 = 0x80
    /// Maximum bytes of what a batch says of its demonstration.
    static let maxDemonstrationBytes = 32 + Demonstration.maxName + Demonstration.maxGoal
    /// Maximum bytes of the device table in one batch.
    static let maxTableBytes = 1024

    /// The byte of a motion that does not fit two signed 4-bit numbers; (-8, -8) is one of these.
    static let wideMotion: UInt8 = 0x88
    /// The factor of the finger in the number of a touch; the rest is its phase.
    static let touchPhases: UInt64 = 4
    static let axisIsAbsolute: UInt8 = 0x80
    static let keyIsDown: UInt8 = 0x80
    static let keyHasKeysym: UInt8 = 0x40
    static let keyClass: UInt8 = 0x3F
}

extension UInt64 {
    /// Encodes a signed number as zigzag: 0, -1, 1, -2 become 0, 1, 2, 3, so that small magnitudes
    /// stay small.
    init(zigzag value: Int64) {
        self = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    /// Decodes a zigzag number.
    var unzigzagged: Int64 {
        Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1)
    }
}
