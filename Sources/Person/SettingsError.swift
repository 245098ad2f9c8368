// SPDX-License-Identifier: Apache-2.0

/// Why controls or settings are unusable; unreadable ones close the gate.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The file exists and cannot be read.
        case unreadable
        /// The file exists and is not as this version of mci writes it.
        case damaged
        /// The file cannot be written.
        case unwritable
        /// Another program holds the lock that a writer must hold.
        case locked
    }

    /// The kind of failure.
    package let code: Code
    /// The name of the file: `controls`, `settings` or `accounts`.
    package let file: String
    /// The first line of a damaged file that differs from what it should be, from 1; nil when
    /// unknown.
    package let line: Int?

    init(_ code: Code, _ file: String, line: Int? = nil) {
        self.code = code
        self.file = file
        self.line = line
    }

    /// An English sentence.
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
