// SPDX-License-Identifier: Apache-2.0

/// A choice by which more is recorded, or kept longer, than by default; or the allowlist.
///
/// The allowlist records less than the default, but looks like a choice to record.
package struct Loosening: Codable, Equatable, Sendable {
    /// `key-detail`, `exclusion`, `title`, `synthetic-keys`, `retention`, `ring-size`, `free-space`
    /// or `only`.
    package var name: String
    /// The chosen value, as on the command line.
    package var value: String
    /// An English sentence for the person.
    package var words: String
    /// The command that reverts the choice.
    package var undo: String

    package init(name: String, value: String, words: String, undo: String) {
        (self.name, self.value, self.words, self.undo) = (name, value, words, undo)
    }
}
