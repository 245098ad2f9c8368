// SPDX-License-Identifier: Apache-2.0

/// What a finger on a touch device did.
package struct Touch: Equatable, Sendable, BitwiseCopyable, Redacted {
    package enum Phase: UInt8, CaseIterable, Sendable, BitwiseCopyable {
        case down, move, up

        /// The word for it in exports.
        package var name: String { "\(self)" }
    }

    /// Tells the fingers apart that are on one device together: the lowest number that was free.
    package var finger: UInt8
    package var phase: Phase
    /// Axes 0 and 1 are where it is, spread over the desktop; the others as the device counts them.
    package var values: AxisValues

    package init(finger: UInt8, phase: Phase, values: AxisValues) {
        self.finger = finger
        self.phase = phase
        self.values = values
    }
}
