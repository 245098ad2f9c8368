// SPDX-License-Identifier: Apache-2.0

import Events

/// What the server's 32-bit stamps mean in one reading: each is the moment nearest to that of the
/// reading.
///
/// The server's clock wraps every 49.7 days; a stamp is never more than 24.8 days away from the
/// moment it is read.
struct ServerClock {
    /// The moment of the reading.
    let now: EventTime
    private let stamp: UInt32

    init(now: EventTime) {
        self.now = now
        stamp = now.server
    }

    /// The moment of a stamp.
    func time(of stamp: UInt32) -> EventTime {
        var time = now
        time.milliseconds -= Int64(Int32(bitPattern: self.stamp &- stamp))
        return time
    }
}
