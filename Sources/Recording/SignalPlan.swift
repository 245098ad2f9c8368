// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What the recorder does at each signal.
///
/// A signal that killed it would take up to ten seconds of events along, which are not sealed yet. So
/// each one that can be caught is in this list, and what is not named is ignored.
package enum SignalPlan {
    /// What a signal does.
    package enum Action: Equatable, Sendable {
        /// The recorder stores what it has and ends.
        case stop
        /// It reads its settings anew.
        case reload
        /// Nothing at all.
        case ignore
        /// What the kernel does of itself.
        case leave
    }

    /// Every signal that Linux has.
    package static let all: ClosedRange<Int32> = 1...64

    /// What happens at a signal.
    package static func action(for signal: Int32) -> Action {
        switch signal {
        // Somebody wants it to end, or it has used up its time.
        case SIGTERM, SIGINT, SIGQUIT, SIGXCPU: .stop
        case SIGHUP: .reload
        // These cannot be caught.
        case SIGKILL, SIGSTOP: .leave
        // A defect of its own: to go on, or to store anything more, would not be safe.
        case SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS: .leave
        // The kernel ignores these of itself, or stops a program and lets it go on.
        case SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU: .leave
        // SIGPIPE and SIGXFSZ: the call then fails, and its error says so. The others, timers and
        // real-time signals among them, mean nothing to it.
        default: .ignore
        }
    }

    /// The signals that the event loop takes from a descriptor.
    static var taken: [Int32] { all.filter { [.stop, .reload].contains(action(for: $0)) } }

    /// Ignores what is to be ignored, from now on.
    package static func enforce() {
        for signal in all where action(for: signal) == .ignore { clinux_ignore_signal(signal) }
    }
}
