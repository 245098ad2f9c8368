// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Signals that arrive at a descriptor instead of interrupting the program (signalfd).
///
/// They stay blocked as long as the process lives.
package final class SignalQueue {
    /// The descriptor, which is readable while a signal waits.
    package let descriptor: Int32

    /// Blocks signals and collects them.
    ///
    /// - Parameter signals: Their numbers.
    package init(_ signals: [Int32]) {
        descriptor = unsafe clinux_signal_descriptor(signals, signals.count)
    }

    deinit { close(descriptor) }

    /// Whether a signal has arrived; it is not taken.
    package var isPending: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) > 0
    }

    /// Takes a signal that has arrived; nil if there is none.
    ///
    /// The descriptor must be readable.
    package func next() -> Int32? {
        let number = clinux_read_signal(descriptor)
        return number == 0 ? nil : number
    }
}
