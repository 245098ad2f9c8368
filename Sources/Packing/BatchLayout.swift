// SPDX-License-Identifier: Apache-2.0

/// The sizes and numbers of the payload format; `Documentation/Format.md` has them for strangers.
package enum BatchLayout {
    /// The version this code writes.
    package static let version: UInt64 = 4
    /// The versions it reads.
    package static let readable: ClosedRange<UInt64> = 2...version
    /// Bytes of a batch for one recipient, before sealing: together with the age envelope a slot of
    /// the ring.
    package static let largest = 3773
    /// The same in rings of version 2, whose rows carried no proof.
    private static let largestBefore = 3837
    /// Bytes that the envelope takes for each further recipient.
    static let recipientSize = 98
    /// The most recipients a batch can have.
    package static let maxRecipients = 8
    /// Bytes of the proof at the end of a batch: the digest of its predecessor and a signature.
    package static let proofSize = digestSize + signatureSize
    package static let digestSize = 32
    package static let signatureSize = 64
    /// Bytes in front of the compressed columns: their length, little-endian.
    static let prefix = 4
    /// The most that a batch can decompress to, so that a forged one cannot fill the memory.
    static let maxColumns = 1 << 20

    /// Bytes of every batch for so many recipients.
    package static func size(recipients: Int) -> Int {
        precondition(1...maxRecipients ~= recipients, "A batch has one to eight recipients.")
        return largest - recipientSize * (recipients - 1)
    }

    /// Whether a plaintext can be a batch, of this version of the ring or of the one before.
    static func isSize(_ count: Int) -> Bool {
        (0..<maxRecipients).contains {
            count == largest - recipientSize * $0 || count == largestBefore - recipientSize * $0
        }
    }

    /// The sections of the decompressed batch.
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
    }

    /// What an item is.
    enum Kind: UInt8 {
        case key = 1
        case button
        case motion
        case scroll
        case focus
        case gap
        case axes
        case touch
        case typing

        /// Whether the item comes from a device.
        var hasDevice: Bool { self != .focus && self != .gap }
    }

    /// Added to an item's kind: it has a place.
    static let hasPixel: UInt8 = 0x80
    /// The most bytes of the device table in one batch.
    static let maxTableBytes = 1024

    /// A motion that does not fit a byte of two signed nibbles; (-8, -8) is written wide too.
    static let wideMotion: UInt8 = 0x88
    /// A touch is its finger times this, and its phase.
    static let touchPhases: UInt64 = 4
    static let axisIsAbsolute: UInt8 = 0x80
    static let keyIsDown: UInt8 = 0x80
    static let keyHasKeysym: UInt8 = 0x40
    static let keyClass: UInt8 = 0x3F
}

extension UInt64 {
    /// A signed number with small magnitudes as small numbers: 0, -1, 1, -2, 2, ...
    init(zigzag value: Int64) {
        self = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    /// The signed number of a zigzag code.
    var unzigzagged: Int64 {
        Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1)
    }
}
