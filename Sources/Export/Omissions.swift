// SPDX-License-Identifier: Apache-2.0

/// What a format had no words for.
package struct Omissions: Equatable, Sendable {
    /// Keys whose identity was not recorded.
    package var hiddenKeys = 0
    /// Keys that the format has no name for.
    package var unnamedKeys = 0
    /// Movements whose pixel is not known.
    package var motions = 0
    /// What axes told that the format has no numbers for, or of a device that is not described.
    package var axes = 0
    /// What fingers did.
    package var touches = 0

    /// Runs of text.
    package var runs = 0

    package init() {}

    /// Adds what another part of the same document left out.
    package mutating func add(_ other: Omissions) {
        hiddenKeys += other.hiddenKeys
        unnamedKeys += other.unnamedKeys
        motions += other.motions
        axes += other.axes
        touches += other.touches
        runs += other.runs
    }
}
