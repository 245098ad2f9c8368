// SPDX-License-Identifier: Apache-2.0

/// Why the ring cannot do what was asked.
package struct StorageError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The file is missing or cannot be opened.
        case cannotOpen
        /// The file is no ring, or its pages are damaged.
        case damaged
        /// The ring was made by another version.
        case unknownVersion
        /// A reader holds the write-ahead log; trying again helps.
        case busy
        /// The disk is full or its quota used up.
        case full
        /// The file is no longer the one at its path.
        case moved
        /// Any other failure of SQLite or of the disk.
        case failed
    }

    package let code: Code
    /// SQLite's extended result code; 0 where it was not SQLite that failed.
    package let result: Int32

    package init(_ code: Code, result: Int32 = 0) {
        self.code = code
        self.result = result
    }

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
