// SPDX-License-Identifier: Apache-2.0

/// Why a message bus cannot be used, or a message of it cannot be read.
package struct BusError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// No address leads to a bus.
        case unreachable
        /// The bus refused this user or does not speak the protocol.
        case refused
        /// A message is not as the specification has it.
        case malformed
        /// A message is longer than ``BusMessage/maxSize``.
        case tooLong
    }

    /// The kind of failure.
    package let code: Code

    init(_ code: Code) {
        self.code = code
    }

    /// A sentence without contents of a message.
    package var description: String {
        switch code {
        case .unreachable: "No message bus answers at its address."
        case .refused: "The message bus refused the connection."
        case .malformed: "A message of the bus is malformed."
        case .tooLong: "A message of the bus is longer than mci reads."
        }
    }
}
