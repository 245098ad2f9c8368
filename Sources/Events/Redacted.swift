// SPDX-License-Identifier: Apache-2.0

/// A type for recorded content, which prints as `<redacted>` wherever Swift would print it.
///
/// Keys, titles and application names therefore cannot reach a log line, an error or a crash
/// message through `print`, string interpolation, `dump` or reflection.
package protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{}

extension Redacted {
    /// Always `<redacted>`.
    package var description: String { "<redacted>" }
    /// Always `<redacted>`.
    package var debugDescription: String { "<redacted>" }
    /// A mirror without children, so that `dump` shows nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
