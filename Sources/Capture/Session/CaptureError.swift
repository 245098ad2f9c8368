// SPDX-License-Identifier: Apache-2.0

/// Why input cannot be captured.
package struct CaptureError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// `DISPLAY` is not set.
        case noDisplay
        /// The display is set but no server answers, or it refuses.
        case unreachable
        /// The session is Wayland: X would show only a part of the input.
        case wayland
        /// The server lacks XInput2 or XKB, or negotiates another version than is needed.
        case unsuitable
        /// The server went away.
        case connectionLost
    }

    package let code: Code

    /// Whether trying again later can help.
    package var isTransient: Bool { code == .unreachable || code == .connectionLost }

    package init(_ code: Code) {
        self.code = code
    }

    package var description: String {
        switch code {
        case .noDisplay:
            "There is no X display to record: DISPLAY is not set. Next, in the graphical session: systemctl --user import-environment DISPLAY XAUTHORITY XDG_SESSION_TYPE"
        case .unreachable:
            "The X server named by DISPLAY does not answer or refuses the connection."
        case .wayland:
            "This is a Wayland session: X11 would show mcid only a part of the input, so it records nothing. Log in to an X11 session."
        case .unsuitable:
            "The X server does not offer XInput 2.2 and XKB as mcid needs them, so it records nothing."
        case .connectionLost:
            "The connection to the X server was lost."
        }
    }
}
