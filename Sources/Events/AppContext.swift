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

/// To whom the input of a stream goes at this point of the stream.
package enum AppContext: Equatable, Sendable, Redacted {
    /// Nobody can say: nothing may be recorded.
    case unknown
    /// Another client holds a keyboard grab: a locker, a password prompt, a menu.
    case grabbed
    /// The application in front, by the class part of its window's WM_CLASS.
    case app(String)
}
