// SPDX-License-Identifier: Apache-2.0

/// Why a request was refused; it is sent as the varlink error `io.mci.Control.Refused`.
package struct Refusal: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    /// An English sentence.
    package var reason: String
    /// The command to run next; empty when there is none.
    package var next: String

    /// Makes a refusal.
    ///
    /// - Parameters:
    ///   - reason: an English sentence.
    ///   - next: the command to run next; empty when there is none.
    package init(_ reason: String, next: String = "") {
        self.reason = reason
        self.next = next
    }

    /// The reason alone.
    package var description: String { reason }
}
