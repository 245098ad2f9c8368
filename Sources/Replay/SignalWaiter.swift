// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// Waits that end early when somebody asks this program to stop.
///
/// The signals are held back for good, so that one that comes between a press and its release does
/// not leave a key held.
package final class SignalWaiter {
    private let descriptor: Int32
    /// The signal that came, once one has come.
    package private(set) var signal: Int32?

    package init() {
        let wanted = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
        descriptor = unsafe clinux_signal_descriptor(wanted, wanted.count)
    }

    deinit { close(descriptor) }

    /// Nanoseconds of a clock that does not jump.
    static var now: Int64 { KernelClock.monotonic.nanoseconds }

    /// Waits until a moment of ``now``.
    ///
    /// - Returns: whether nobody asked to stop.
    func wait(until moment: Int64) -> Bool {
        while signal == nil {
            let rest = moment - Self.now
            var input = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            unsafe poll(&input, 1, Int32(clamping: max(rest, 0) / 1_000_000))
            if input.revents != 0 {
                let number = clinux_read_signal(descriptor)
                if number != 0 { signal = number }
            } else if rest < 1_000_000 {
                if rest > 0 { usleep(UInt32(rest / 1000)) }
                return true
            }
        }
        return false
    }
}
