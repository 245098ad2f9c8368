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

    /// The moment of a 32-bit server stamp, taken as the one nearest to `now`.
    ///
    /// The server's clock wraps every 49.7 days; a stamp is never more than 24.8 days away from
    /// the moment it is read.
    package init(server stamp: UInt32, near now: EventTime) {
        let age = Int32(bitPattern: now.server &- stamp)
        milliseconds = now.milliseconds - Int64(age)
    }

    /// The server's stamp for it.
    package var server: UInt32 { UInt32(truncatingIfNeeded: milliseconds) }

    package static func >= (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds >= right.milliseconds
    }

    package static func < (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}
