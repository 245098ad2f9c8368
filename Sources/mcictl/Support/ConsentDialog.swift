// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// The notice in a window, with a box that must be ticked; not to record is what a mere Enter does.
enum ConsentDialog {
    /// Shows the notice and waits for the person.
    ///
    /// - Parameter notice: the text.
    /// - Returns: whether the person ticked the box and chose to record; nil if no window can ask.
    static func ask(_ notice: String) -> Bool? {
        let command = [
            "zenity", "--text-info", "--title=mci: may your work be recorded?",
            "--checkbox=I have read this, and I consent", "--ok-label=Record",
            "--cancel-label=Do not record", "--width=900", "--height=640", "--font=monospace 10",
        ]
        guard CurrentProcess.environment()["DISPLAY"] != nil, let child = ChildProcess(command)
        else { return nil }
        try? Disk.write(Array(notice.utf8), to: child.input)
        close(child.input)
        // A dialog that a signal ended has not asked.
        switch child.end() {
        case 0: return true
        case 1 << 8: return false
        default: return nil
        }
    }

    /// Opens a terminal that asks; false if none can be started.
    static func openTerminal() -> Bool {
        run(["x-terminal-emulator", "-e", "mcictl", "consent"])
    }

    /// Starts the recorder where it is a service; by hand it is started as `status` says.
    static func startService() {
        _ = run(["systemctl", "--user", "--no-block", "start", "mcid"])
    }

    /// Runs a program that reads nothing; false if it cannot be started or fails.
    private static func run(_ command: [String]) -> Bool {
        guard CurrentProcess.environment()["DISPLAY"] != nil, let child = ChildProcess(command)
        else { return false }
        close(child.input)
        return child.end() == 0
    }
}
