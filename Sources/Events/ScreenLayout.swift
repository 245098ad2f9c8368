// SPDX-License-Identifier: Apache-2.0

/// A pixel of the whole desktop; the left upper corner is (0, 0).
package struct Pixel: Equatable, Sendable, BitwiseCopyable, Redacted {
    package var x: Int16
    package var y: Int16

    package init(x: Int16, y: Int16) {
        self.x = x
        self.y = y
    }
}

/// The desktop and the monitors that show it.
package struct ScreenLayout: Equatable, Sendable {
    /// The part of the desktop that a monitor shows.
    package struct Monitor: Equatable, Sendable {
        package var x: Int16
        package var y: Int16
        package var width: UInt16
        package var height: UInt16
        /// The size of the glass in millimetres; 0 where nobody knows.
        package var widthMM: UInt16
        package var heightMM: UInt16

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

    package var width: UInt16
    package var height: UInt16
    /// The primary one first; empty where the server does not tell them.
    package var monitors: [Monitor]

    package init(width: UInt16, height: UInt16, monitors: [Monitor] = []) {
        self.width = width
        self.height = height
        self.monitors = monitors
    }
}
