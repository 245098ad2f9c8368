// SPDX-License-Identifier: Apache-2.0

/// A change of one finger on a touch device (XInput 2.2 touch events).
package struct Touch: Equatable, Sendable, BitwiseCopyable, Redacted {
    /// The change: the finger comes down, moves, or is lifted.
    package enum Phase: UInt8, CaseIterable, Sendable, BitwiseCopyable {
        case down, move, up

        /// The word for it in exports.
        package var name: String { "\(self)" }
    }

    /// The finger's number: the lowest one that was free on its device.
    package var finger: UInt8
    /// Whether the finger came down, moved, or was lifted.
    package var phase: Phase
    /// Axes 0 and 1 are its position, scaled to the desktop; the other axes are in device units.
    package var values: AxisValues

    package init(finger: UInt8, phase: Phase, values: AxisValues) {
        self.finger = finger
        self.phase = phase
        self.values = values
    }
}
