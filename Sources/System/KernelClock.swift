// SPDX-License-Identifier: Apache-2.0

package import Glibc

/// A clock of the kernel (`clock_gettime(2)`).
package enum KernelClock: Sendable {
    /// CLOCK_MONOTONIC, the clock of X timestamps; it stops during suspend.
    case monotonic
    /// CLOCK_BOOTTIME, which is like CLOCK_MONOTONIC but continues during suspend.
    case boottime
    /// CLOCK_REALTIME, time since 1970, which can be set.
    case realtime

    /// The current time of the clock in milliseconds.
    package var milliseconds: Int64 { Self.milliseconds(time) }

    /// The current time of the clock in nanoseconds.
    package var nanoseconds: Int64 {
        let time = time
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Converts a kernel time to milliseconds, rounded down.
    package static func milliseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private var time: timespec {
        var time = timespec()
        unsafe clock_gettime(id, &time)
        return time
    }

    private var id: clockid_t {
        switch self {
        case .monotonic: CLOCK_MONOTONIC
        case .boottime: CLOCK_BOOTTIME
        case .realtime: CLOCK_REALTIME
        }
    }
}
