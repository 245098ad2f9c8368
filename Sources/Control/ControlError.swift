// SPDX-License-Identifier: Apache-2.0

/// Why client and daemon could not communicate.
package struct ControlError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// Nobody listens at the socket.
        case notRunning
        /// The socket cannot be created or used.
        case socket
        /// The process that listens belongs to another user.
        case foreign
        /// The reply is not a varlink message, is too long, or came too late.
        case badAnswer
    }

    /// The number of a `badAnswer` without any reply: the daemon closed the connection.
    package static let hungUp: Int32 = -1

    /// The kind of failure.
    package let code: Code
    /// The system's error number (errno); 0 for none, ``hungUp`` for a closed connection.
    package let number: Int32

    init(_ code: Code, number: Int32 = 0) {
        self.code = code
        self.number = number
    }

    /// An English sentence.
    package var description: String {
        switch code {
        case .notRunning: "mcid is not running."
        case .socket: "The control socket cannot be used (error \(number))."
        case .foreign: "Another user listens on the control socket; their answers are ignored."
        case .badAnswer: "mcid is running but does not answer as expected."
        }
    }
}
