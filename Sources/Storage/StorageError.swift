// SPDX-License-Identifier: Apache-2.0

/// Why the ring cannot do what was asked.
package struct StorageError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The file is missing or cannot be opened.
        case cannotOpen
        /// The file is not a ring, or its pages are damaged.
        case damaged
        /// Another version of mci made the ring.
        case unknownVersion
        /// A reader holds the write-ahead log; a retry helps.
        case busy
        /// The disk is full or its quota is used up.
        case full
        /// The file at the path is no longer the one that was opened.
        case moved
        /// Any other failure of SQLite or of the disk.
        case failed
    }

    /// The kind of failure.
    package let code: Code
    /// SQLite's extended result code; 0 when SQLite did not fail.
    package let result: Int32

    /// Makes an error of a kind.
    ///
    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - result: SQLite's extended result code; 0 when SQLite did not fail.
    package init(_ code: Code, result: Int32 = 0) {
        self.code = code
        self.result = result
    }

    /// An English sentence, with SQLite's code in parentheses.
    package var description: String {
        let sentence =
            switch code {
            case .cannotOpen: "The ring cannot be opened."
            case .damaged: "The ring is damaged."
            case .unknownVersion: "The ring was made by another version of mci."
            case .busy: "A reader keeps the ring busy."
            case .full: "The disk is full."
            case .moved: "The ring's file was removed or replaced."
            case .failed: "The ring could not be read or written."
            }
        return result == 0 ? sentence : "\(sentence) (SQLite \(result))"
    }
}
