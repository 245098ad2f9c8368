// SPDX-License-Identifier: Apache-2.0

/// Why a file is not played into a display.
package struct ReplayError: Error, Equatable, CustomStringConvertible {
    /// What stood in the way.
    package enum Code: Equatable, Sendable {
        /// The name is none of a display of this machine.
        case badDisplay
        /// It is the display of this session.
        case ownDisplay
        /// An mcid is connected to it.
        case recorded
        /// The mcid of this home is connected to it.
        case recordedHere
        /// A person may sit there.
        case inhabited
        /// No server answers, or it lets nobody in.
        case unreachable
        /// The server lacks an extension that is needed.
        case unsuitable
        /// The server went away, or answers what nobody can read.
        case lost
        /// The file cannot be read, or is no export.
        case badFile
    }

    package let code: Code
    /// What exactly: a display, a device, an extension, a place in the file; never recorded content.
    package let detail: String

    init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    package var description: String {
        switch code {
        case .badDisplay:
            "“\(detail)” is not a display of this machine; displays are written :7."
        case .ownDisplay:
            "\(detail) is the display of this session: nothing is played where a person works."
        case .recorded:
            "mcid records \(detail), and would take what is played for a person's work."
        case .recordedHere: "Your own mcid records \(detail)."
        case .inhabited:
            "A person may sit at that display: it has the device “\(detail)”, and is no Xvfb."
        case .unreachable: "The display \(detail) cannot be reached."
        case .unsuitable:
            "The display lacks the extension \(detail), without which nothing is played."
        case .lost: "The X server went away while the file was played."
        case .badFile: detail
        }
    }
}
