// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What the recorder does on each signal.
///
/// A fatal signal would lose up to ten seconds of events that are not sealed yet. So this list has
/// every signal that can be caught, and ignores those it does not name.
package enum SignalPlan {
    /// The effect of a signal.
    package enum Action: Equatable, Sendable {
        /// The recorder stores what it has and ends.
        case stop
        /// The recorder reads its settings again.
        case reload
        /// Nothing happens.
        case ignore
        /// The kernel's default action happens.
        case leave
    }

    /// All signals of Linux, including the real-time ones (signal(7)).
    package static let all: ClosedRange<Int32> = 1...64

    /// The action for a signal.
    ///
    /// - Parameter signal: its number.
    /// - Returns: the action.
    package static func action(for signal: Int32) -> Action {
        switch signal {
        // A request to end, or its CPU time is used up.
        case SIGTERM, SIGINT, SIGQUIT, SIGXCPU: .stop
        case SIGHUP: .reload
        // These cannot be caught.
        case SIGKILL, SIGSTOP: .leave
        // A defect of the recorder: to continue, or to store anything more, would not be safe.
        case SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS: .leave
        // By default the kernel ignores these, or stops a program and continues it.
        case SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU: .leave
        // SIGPIPE and SIGXFSZ: the system call then fails with an error. The others, including
        // timers and real-time signals, have no meaning for it.
        default: .ignore
        }
    }

    /// The signals that the event loop reads from a descriptor.
    static var taken: [Int32] { all.filter { [.stop, .reload].contains(action(for: $0)) } }

    /// Ignores all signals whose action is ``Action/ignore``, from now on.
    package static func enforce() {
        for signal in all where action(for: signal) == .ignore { clinux_ignore_signal(signal) }
    }
}
