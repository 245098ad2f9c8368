// SPDX-License-Identifier: Apache-2.0

/// Movements of one device, directly one behind the other: of all input most is such.
package struct MotionRun: Sendable, Redacted {
    /// A movement in the device's own counts.
    package struct Step: Sendable, BitwiseCopyable, Redacted {
        package var time: EventTime
        package var dx: Int32
        package var dy: Int32

        package init(time: EventTime, dx: Int32, dy: Int32) {
            self.time = time
            self.dx = dx
            self.dy = dy
        }
    }

    /// The XInput2 id of the physical (source) device.
    package let device: UInt8
    /// In the order of the stream.
    package var steps: [Step] = []

    /// A run without a movement.
    package init(of device: UInt8) {
        self.device = device
    }
}
