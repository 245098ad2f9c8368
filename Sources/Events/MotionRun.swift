// SPDX-License-Identifier: Apache-2.0

/// A run of consecutive motions of one device, the most frequent input.
package struct MotionRun: Sendable, Redacted {
    /// One motion in the device's raw units.
    package struct Step: Sendable, BitwiseCopyable, Redacted {
        /// The time of the motion.
        package var time: EventTime
        /// The raw horizontal motion; right is positive.
        package var dx: Int32
        /// The raw vertical motion; down is positive.
        package var dy: Int32

        package init(time: EventTime, dx: Int32, dy: Int32) {
            self.time = time
            self.dx = dx
            self.dy = dy
        }
    }

    /// The XInput2 id of the physical (source) device.
    package let device: UInt8
    /// The motions in stream order.
    package var steps: [Step] = []

    /// Creates an empty run.
    package init(of device: UInt8) {
        self.device = device
    }
}
