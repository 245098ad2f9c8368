// SPDX-License-Identifier: Apache-2.0

/// Why a query gives no result.
package struct QueryError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The text is not SQL, or names what there is not.
        case wrong
        /// The statement does something else than read.
        case notReading
        /// The text is no statement or more than one.
        case notOne
        /// The reading failed.
        case failed
        /// It took more time than it may.
        case tooLong
        /// It took more memory than it may.
        case tooLarge
    }

    package let code: Code
    /// SQLite's message, or a sentence.
    package let description: String
}
