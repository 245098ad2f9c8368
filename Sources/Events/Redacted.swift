// SPDX-License-Identifier: Apache-2.0

/// Recorded content: it prints as `<redacted>` wherever Swift would print it.
///
/// A key, a title or an application name has no way into a log line, an error or a crash message
/// through `print`, string interpolation, `dump` or reflection.
package protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{}

extension Redacted {
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
