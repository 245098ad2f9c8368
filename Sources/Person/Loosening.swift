// SPDX-License-Identifier: Apache-2.0

/// Something by which more is recorded, or kept longer, than by default; or the list of applications
/// that alone are recorded, which looks like it.
package struct Loosening: Codable, Equatable, Sendable {
    /// `key-detail`, `exclusion`, `title`, `retention`, `ring-size`, `free-space` or `only`.
    package var name: String
    /// What is chosen, in the words of the command line.
    package var value: String
    /// One sentence for the person.
    package var words: String
    /// The command that takes it back.
    package var undo: String

    package init(name: String, value: String, words: String, undo: String) {
        (self.name, self.value, self.words, self.undo) = (name, value, words, undo)
    }
}
