// SPDX-License-Identifier: Apache-2.0

package import Glibc

/// A clock of the kernel (`clock_gettime(2)`).
package enum KernelClock: Sendable {
    /// CLOCK_MONOTONIC, on which the X server stamps its events; it stands still in sleep.
    case monotonic
    /// CLOCK_BOOTTIME: the same, and sleep counts.
    case boottime
    /// CLOCK_REALTIME, since 1970; it can be set.
    case realtime

    /// What the clock shows, in milliseconds.
    package var milliseconds: Int64 { Self.milliseconds(time) }

    /// What the clock shows, in nanoseconds.
    package var nanoseconds: Int64 {
        let time = time
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// A time of the kernel in milliseconds.
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
