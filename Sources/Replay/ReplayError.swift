// SPDX-License-Identifier: Apache-2.0

/// Why a file cannot be played into a display.
package struct ReplayError: Error, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: Equatable, Sendable {
        /// The name does not denote a display of this machine.
        case badDisplay
        /// It is the display of the current session.
        case ownDisplay
        /// An mcid is connected to it.
        case recorded
        /// The mcid of this home is connected to it.
        case recordedHere
        /// A person may be sitting there: the display has real input devices.
        case inhabited
        /// No server answers, or it rejects the connection.
        case unreachable
        /// The server lacks a required extension.
        case unsuitable
        /// The server disconnected, or sent an invalid reply.
        case lost
        /// The file cannot be read, or is not an export.
        case badFile
    }

    /// The kind of failure.
    package let code: Code
    /// The display, device, extension or position in the file; it never has recorded content.
    package let detail: String

    init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    /// An English sentence.
    package var description: String {
        switch code {
        case .badDisplay:
            "“\(detail)” is not a display of this machine; write it like :7."
        case .ownDisplay:
            "\(detail) is the display of this session: nothing is played where a person works."
        case .recorded:
            "mcid records \(detail) and would mistake the replay for a person's work."
        case .recordedHere: "Your own mcid records \(detail)."
        case .inhabited:
            "A person may be using that display: it has the device “\(detail)” and is not an Xvfb."
        case .unreachable: "The display \(detail) cannot be reached."
        case .unsuitable:
            "The display lacks the extension \(detail), which replay needs."
        case .lost: "The X server went away during the replay."
        case .badFile: detail
        }
    }
}
