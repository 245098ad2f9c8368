// SPDX-License-Identifier: Apache-2.0

/// A set of numbers from 0 to 255: device ids or keycodes.
struct ByteSet: BitwiseCopyable {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    init() {}

    /// Creates the set of all numbers in a range.
    init(_ range: ClosedRange<UInt8>) {
        for number in range { insert(number) }
    }

    mutating func insert(_ number: UInt8) {
        words[Int(number) / 64] |= 1 << (UInt64(number) % 64)
    }

    mutating func formUnion(_ other: ByteSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    func contains(_ number: UInt8) -> Bool {
        words[Int(number) / 64] & 1 << (UInt64(number) % 64) != 0
    }
}
