// SPDX-License-Identifier: Apache-2.0

/// Why daemon and command could not talk.
package struct ControlError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// Nobody listens.
        case notRunning
        /// The socket cannot be made or used.
        case socket
        /// Who listens there is not this user's process.
        case foreign
        /// The answer is no varlink, too long, or too late.
        case badAnswer
    }

    /// The number of a `badAnswer` that is none at all: the daemon ended the connection.
    package static let hungUp: Int32 = -1

    package let code: Code
    /// The system's error number; 0 where none belongs to it.
    package let number: Int32

    init(_ code: Code, number: Int32 = 0) {
        self.code = code
        self.number = number
    }

    package var description: String {
        switch code {
        case .notRunning: "mcid is not running."
        case .socket: "The control socket cannot be used (error \(number))."
        case .foreign: "Somebody else listens at the control socket; what they say is not heard."
        case .badAnswer: "mcid runs but does not answer as expected."
        }
    }
}
