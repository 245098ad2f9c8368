// SPDX-License-Identifier: Apache-2.0

/// The reason why a batch cannot be read; it contains no recorded content.
package struct PackingError: Error, Equatable, CustomStringConvertible {
    /// The kinds of damage.
    package enum Code: String, Sendable {
        /// Its size is wrong, or the bytes after the columns are not zero.
        case badFrame
        /// The columns do not decompress.
        case badCompression
        /// Columns are missing, truncated, or inconsistent.
        case badColumns
        /// A version that this program does not know wrote it.
        case unknownVersion
    }

    /// The kind of damage.
    package let code: Code

    package init(_ code: Code) {
        self.code = code
    }

    /// One sentence for the person.
    package var description: String {
        switch code {
        case .badFrame, .badCompression, .badColumns: "The batch is damaged (\(code.rawValue))."
        case .unknownVersion: "The batch was written by a newer version of mci."
        }
    }
}
