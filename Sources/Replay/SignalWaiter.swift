// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// Waits that end early when a signal asks this program to stop.
///
/// The signals stay blocked, so that a signal between a press and its release leaves no key held.
package final class SignalWaiter {
    private let queue = SignalQueue([SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    /// The number of the signal that arrived; nil before.
    package private(set) var signal: Int32?

    /// Blocks SIGINT, SIGTERM, SIGHUP and SIGQUIT.
    package init() {}

    /// CLOCK_MONOTONIC, in nanoseconds.
    static var now: Int64 { KernelClock.monotonic.nanoseconds }

    /// Waits until a moment, or until a signal arrives.
    ///
    /// - Parameter moment: in nanoseconds of ``now``.
    /// - Returns: false when a signal arrived.
    func wait(until moment: Int64) -> Bool {
        while signal == nil {
            let rest = moment - Self.now
            var input = pollfd(fd: queue.descriptor, events: Int16(POLLIN), revents: 0)
            unsafe poll(&input, 1, Int32(clamping: max(rest, 0) / 1_000_000))
            if input.revents != 0 {
                signal = queue.next()
            } else if rest < 1_000_000 {
                if rest > 0 { usleep(UInt32(rest / 1000)) }
                return true
            }
        }
        return false
    }
}
