// SPDX-License-Identifier: Apache-2.0

/// A set of devices, by their XInput2 ids.
package struct DeviceSet: Equatable, Sendable {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    /// Creates an empty set.
    package init() {}

    /// Adds a device.
    package mutating func insert(_ id: UInt8) {
        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
    }

    /// Removes a device.
    package mutating func remove(_ id: UInt8) {
        words[Int(id >> 6)] &= ~(1 << UInt64(id & 63))
    }

    /// Adds all devices of another set.
    package mutating func formUnion(_ other: DeviceSet) {
        for word in 0..<4 { words[word] |= other.words[word] }
    }

    /// Whether a device is in the set.
    package func contains(_ id: UInt8) -> Bool {
        words[Int(id >> 6)] & 1 << UInt64(id & 63) != 0
    }

    /// Whether two sets contain the same devices.
    package static func == (left: DeviceSet, right: DeviceSet) -> Bool {
        (0..<4).allSatisfy { left.words[$0] == right.words[$0] }
    }
}
