// SPDX-License-Identifier: Apache-2.0

/// A refusal, which travels as the varlink error `io.mci.Control.Refused`.
package struct Refusal: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    /// One sentence.
    package var reason: String
    /// The command to run next; empty when there is none.
    package var next: String

    package init(_ reason: String, next: String = "") {
        self.reason = reason
        self.next = next
    }

    package var description: String { reason }
}
