// SPDX-License-Identifier: Apache-2.0

/// A program that may be asking for a secret on a terminal of the window in front.
///
/// No key is recorded meanwhile.
package struct AskingProgram: Equatable, Sendable, Redacted {
    /// The terminal's number: n in /dev/pts/n.
    package var terminal: UInt32
    /// The process name; empty if the terminal is so new that its process is not known yet.
    package var program: String
    /// The time at which the program was first seen asking.
    package var since: EventTime

    package init(terminal: UInt32, program: String, since: EventTime) {
        self.terminal = terminal
        self.program = program
        self.since = since
    }
}
