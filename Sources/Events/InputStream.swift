// SPDX-License-Identifier: Apache-2.0

/// The two ordered event streams of the X server.
///
/// Order is exact only within a stream, so each stream carries its own focus changes.
package enum InputStream: UInt8, CaseIterable, Sendable {
    case keyboard
    case pointer

    /// The word for it in exports.
    package var name: String { self == .keyboard ? "keyboard" : "pointer" }
}
