// SPDX-License-Identifier: Apache-2.0

/// A time or duration that cannot be parsed.
///
/// The description shows how to write it.
package struct TimeError: Error, Equatable, CustomStringConvertible {
    /// One sentence for the person.
    package let description: String

    init(_ sentence: String) { description = sentence }
}
