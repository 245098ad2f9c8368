// SPDX-License-Identifier: Apache-2.0

/// A set of devices by their XInput2 id.
package struct DeviceSet: Equatable, Sendable {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    /// No device.
    package init() {}

    package mutating func insert(_ id: UInt8) {
        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
    }

    package mutating func remove(_ id: UInt8) {
        words[Int(id >> 6)] &= ~(1 << UInt64(id & 63))
    }

    package mutating func formUnion(_ other: DeviceSet) {
        for word in 0..<4 { words[word] |= other.words[word] }
    }

    package func contains(_ id: UInt8) -> Bool {
        words[Int(id >> 6)] & 1 << UInt64(id & 63) != 0
    }

    package static func == (left: DeviceSet, right: DeviceSet) -> Bool {
        (0..<4).allSatisfy { left.words[$0] == right.words[$0] }
    }
}
