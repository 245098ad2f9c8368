// SPDX-License-Identifier: Apache-2.0

import Events

/// What the server's stamps mean in one reading; as ``EventTime/init(server:near:)``, for many.
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
