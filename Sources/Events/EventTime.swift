// SPDX-License-Identifier: Apache-2.0

/// A moment on the CLOCK_MONOTONIC of this boot, in whole milliseconds.
///
/// The X server stamps its events with the same clock, truncated to 32 bits. A moment before the
/// boot is negative, so that a gap can begin before it.
package struct EventTime: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Milliseconds since boot; negative before it.
    package var milliseconds: Int64

    /// A moment before everything.
    package static let distantPast = EventTime(Int64.min)

    /// Creates the moment `milliseconds` after boot.
    package init(_ milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The X server's timestamp for this moment: the low 32 bits.
    package var server: UInt32 { UInt32(truncatingIfNeeded: milliseconds) }

    /// Whether one moment is earlier than another.
    package static func < (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}
