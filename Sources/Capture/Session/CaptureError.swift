// SPDX-License-Identifier: Apache-2.0

/// The reason why input cannot be captured.
package struct CaptureError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// `DISPLAY` is not set.
        case noDisplay
        /// The display is set, but no server answers or it refuses the connection.
        case unreachable
        /// The session is Wayland, where X would show only part of the input.
        case wayland
        /// The server lacks XInput2 or XKB, or negotiates a version other than the required one.
        case unsuitable
        /// The connection to the server ended.
        case connectionLost
    }

    /// The kind of failure.
    package let code: Code

    /// Whether a later attempt may succeed.
    package var isTransient: Bool { code == .unreachable || code == .connectionLost }

    package init(_ code: Code) {
        self.code = code
    }

    /// One or two sentences for the person, with the next step if there is one.
    package var description: String {
        switch code {
        case .noDisplay:
            "There is no X display to record: DISPLAY is not set. Next, in the graphical session: systemctl --user import-environment DISPLAY XAUTHORITY XDG_SESSION_TYPE"
        case .unreachable:
            "The X server named by DISPLAY does not answer or refuses the connection."
        case .wayland:
            "This is a Wayland session: X11 would show mcid only part of the input, so it records nothing. Log in to an X11 session."
        case .unsuitable:
            "The X server does not offer the XInput 2.2 and XKB that mcid needs, so it records nothing."
        case .connectionLost:
            "The connection to the X server was lost."
        }
    }
}
