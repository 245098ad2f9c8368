// SPDX-License-Identifier: Apache-2.0

/// Why a batch cannot be read; it names no content.
package struct PackingError: Error, Equatable, CustomStringConvertible {
    /// The kinds of damage.
    package enum Code: String, Sendable {
        /// Not the size of a batch, or not zero behind the columns.
        case badFrame
        /// The columns do not decompress.
        case badCompression
        /// Columns are missing, cut, or disagree.
        case badColumns
        /// Written by a version this program does not know.
        case unknownVersion
    }

    package let code: Code

    package init(_ code: Code) {
        self.code = code
    }

    package var description: String {
        switch code {
        case .badFrame, .badCompression, .badColumns: "The batch is damaged (\(code.rawValue))."
        case .unknownVersion: "The batch was written by a newer version of mci."
        }
    }
}
