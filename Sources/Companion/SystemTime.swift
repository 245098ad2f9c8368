// SPDX-License-Identifier: Apache-2.0

import Events
import System

/// The clocks of this machine.
enum SystemTime {
    /// The wall clock.
    static var now: WallTime { WallTime(KernelClock.realtime.milliseconds) }

    /// CLOCK_MONOTONIC in milliseconds.
    static var monotonic: Int64 { KernelClock.monotonic.milliseconds }
}
