// SPDX-License-Identifier: Apache-2.0

import Events

/// Converts the server's 32-bit timestamps in one drain to the moments nearest to the drain's time.
///
/// The server's clock wraps every 49.7 days, and a timestamp is at most 24.8 days from the time it
/// is read.
struct ServerClock {
    /// The time of the drain.
    let now: EventTime
    private let stamp: UInt32

    init(now: EventTime) {
        self.now = now
        stamp = now.server
    }

    /// The moment of a timestamp.
    func time(of stamp: UInt32) -> EventTime {
        var time = now
        time.milliseconds -= Int64(Int32(bitPattern: self.stamp &- stamp))
        return time
    }
}
