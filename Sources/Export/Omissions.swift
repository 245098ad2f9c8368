// SPDX-License-Identifier: Apache-2.0

/// Counts of what a format has no words for.
package struct Omissions: Equatable, Sendable {
    /// Keys whose identity was not recorded.
    package var hiddenKeys = 0
    /// Keys without a name in the format.
    package var unnamedKeys = 0
    /// Movements without a known pixel.
    package var motions = 0
    /// Axis values without a code in the format, or of a device that is not described.
    package var axes = 0
    /// Events of fingers.
    package var touches = 0

    /// Typing runs.
    package var runs = 0

    /// Counts nothing yet.
    package init() {}

    /// Adds the omissions of another part of the same document.
    ///
    /// - Parameter other: of a part that is not counted yet.
    package mutating func add(_ other: Omissions) {
        hiddenKeys += other.hiddenKeys
        unnamedKeys += other.unnamedKeys
        motions += other.motions
        axes += other.axes
        touches += other.touches
        runs += other.runs
    }
}
