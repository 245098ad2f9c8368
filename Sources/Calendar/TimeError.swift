// SPDX-License-Identifier: Apache-2.0

/// A time or a duration that cannot be understood, in a sentence that shows how to write it.
package struct TimeError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ sentence: String) { description = sentence }
}
