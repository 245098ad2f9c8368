// SPDX-License-Identifier: Apache-2.0

/// Why controls or settings cannot be used; what cannot be read closes the gate.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The file is there and cannot be read.
        case unreadable
        /// The file is there and is not what this version writes.
        case damaged
        /// The file cannot be written.
        case unwritable
        /// Another program holds the lock under which the file is written.
        case locked
    }

    package let code: Code
    /// What the file holds: `controls` or `settings`.
    package let file: String
    /// The line of a damaged file where it is first another than it should be, from 1; nil where that
    /// cannot be told.
    package let line: Int?

    init(_ code: Code, _ file: String, line: Int? = nil) {
        self.code = code
        self.file = file
        self.line = line
    }

    package var description: String {
        switch code {
        case .unreadable: "The \(file) file cannot be read."
        case .damaged: "The \(file) file is damaged\(line.map { " in line \($0)" } ?? "")."
        case .unwritable: "The \(file) file cannot be written."
        case .locked:
            "Another program holds the lock of the \(file) file, so it cannot be written."
        }
    }
}
