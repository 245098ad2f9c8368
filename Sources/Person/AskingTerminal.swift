// SPDX-License-Identifier: Apache-2.0

/// A program that may be asking for a secret on a terminal of the window in front.
package struct AskingTerminal: Codable, Equatable, Sendable {
    /// Path of the terminal, such as `/dev/pts/3`.
    package var terminal: String
    /// The name of its process; empty when the terminal is too new to have one.
    package var program: String
    /// Since when it may be asking, in RFC 3339.
    package var since: String

    package init(terminal: String, program: String, since: String) {
        (self.terminal, self.program, self.since) = (terminal, program, since)
    }
}
