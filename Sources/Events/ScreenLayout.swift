// SPDX-License-Identifier: Apache-2.0

/// A pixel of the whole desktop (the X screen); the upper left corner is (0, 0).
package struct Pixel: Equatable, Sendable, BitwiseCopyable, Redacted {
    /// Pixels from the left edge.
    package var x: Int16
    /// Pixels from the top edge.
    package var y: Int16

    package init(x: Int16, y: Int16) {
        self.x = x
        self.y = y
    }
}

/// The desktop and its monitors.
package struct ScreenLayout: Equatable, Sendable {
    /// The part of the desktop that one monitor shows (a RandR monitor).
    package struct Monitor: Equatable, Sendable {
        /// The left edge, in pixels of the desktop.
        package var x: Int16
        /// The top edge, in pixels of the desktop.
        package var y: Int16
        /// Width in pixels.
        package var width: UInt16
        /// Height in pixels.
        package var height: UInt16
        /// Physical width in millimetres; 0 if unknown.
        package var widthMM: UInt16
        /// Physical height in millimetres; 0 if unknown.
        package var heightMM: UInt16

        /// Creates a monitor; without a physical size it is unknown.
        package init(
            x: Int16,
            y: Int16,
            width: UInt16,
            height: UInt16,
            widthMM: UInt16 = 0,
            heightMM: UInt16 = 0
        ) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
            self.widthMM = widthMM
            self.heightMM = heightMM
        }
    }

    /// Width of the desktop in pixels.
    package var width: UInt16
    /// Height of the desktop in pixels.
    package var height: UInt16
    /// The monitors, the primary one first; empty if the server does not report them.
    package var monitors: [Monitor]

    /// Creates a layout; by default the monitors are unknown.
    package init(width: UInt16, height: UInt16, monitors: [Monitor] = []) {
        self.width = width
        self.height = height
        self.monitors = monitors
    }
}
