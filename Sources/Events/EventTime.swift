// SPDX-License-Identifier: Apache-2.0

/// A moment on this boot's CLOCK_MONOTONIC, in whole milliseconds.
///
/// The X server stamps its events with the same clock, cut to 32 bits. A moment before the boot
/// is negative, so that a gap can begin before it.
package struct EventTime: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Milliseconds since the boot.
    package var milliseconds: Int64

    /// Before all that can have happened.
    package static let distantPast = EventTime(Int64.min)

    /// A moment `milliseconds` after the boot.
    package init(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The server's stamp for it.
    package var server: UInt32 { UInt32(truncatingIfNeeded: milliseconds) }

    package static func < (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}
