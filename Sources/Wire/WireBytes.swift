// SPDX-License-Identifier: Apache-2.0

/// Appending for X requests, which consist of whole 4-byte words, little-endian.
extension [UInt8] {
    /// Appends four bytes, the least significant first.
    package mutating func append(uint32 value: UInt32) {
        for shift in stride(from: 0, to: 32, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
        }
    }

    /// Appends bytes and pads them with zeros to a multiple of four.
    package mutating func append(padded bytes: some Collection<UInt8>) {
        self += bytes
        self += repeatElement(0, count: -bytes.count & 3)
    }
}
