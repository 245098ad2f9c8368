// SPDX-License-Identifier: Apache-2.0

/// Which of the two ordered streams of the X server an event came on.
///
/// Order is exact within a stream only, so each stream carries its own focus changes.
package enum InputStream: UInt8, CaseIterable, Sendable {
    case keyboard
    case pointer

    /// The word in exports.
    package var name: String { self == .keyboard ? "keyboard" : "pointer" }
}
