// SPDX-License-Identifier: Apache-2.0

/// A program that may be asking for a secret on a terminal of the window in front, where no key is
/// recorded meanwhile.
package struct AskingProgram: Equatable, Sendable, Redacted {
    /// The number of the terminal below /dev/pts.
    package var terminal: UInt32
    /// The name of its process; empty where the terminal is so new that none is known.
    package var program: String
    /// When it was first seen to ask, by the monotonic clock.
    package var since: EventTime

    package init(terminal: UInt32, program: String, since: EventTime) {
        self.terminal = terminal
        self.program = program
        self.since = since
    }
}
