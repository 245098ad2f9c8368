// SPDX-License-Identifier: Apache-2.0

/// Why a query fails.
package struct QueryError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The text is not SQL, or names something that does not exist.
        case wrong
        /// The statement does not only read.
        case notReading
        /// The text has no statement, or more than one.
        case notOne
        /// Reading failed.
        case failed
        /// The query exceeded its time.
        case tooLong
        /// The query exceeded its memory.
        case tooLarge
    }

    /// The kind of failure.
    package let code: Code
    /// SQLite's message, or an English sentence.
    package let description: String
}
