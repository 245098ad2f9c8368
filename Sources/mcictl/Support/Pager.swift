// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// The person's pager, between this program and their terminal.
struct Pager {
    private let process: ChildProcess

    /// Starts the pager named in `MCI_PAGER` or `PAGER`, or else `less`, and sends it standard output.
    ///
    /// - Returns: nil if standard output is not a terminal with paging, or the program does not exist.
    static func start() -> Pager? {
        let command =
            Terminal.variable("MCI_PAGER") ?? Terminal.variable("PAGER") ?? "less"
        guard isatty(1) == 1, Terminal.variable("TERM") ?? "dumb" != "dumb", command != "cat",
            exists(command)
        else { return nil }
        // Keeps colours, leaves a short output on the screen, and keeps no search history.
        if Terminal.variable("LESS") == nil { unsafe setenv("LESS", "FRX", 1) }
        unsafe setenv("LESSHISTFILE", "-", 1)
        guard let process = ChildProcess(["sh", "-c", command]) else { return nil }
        // The pager handles interrupts; leaving the pager ends this program.
        signal(SIGINT, SIG_IGN)
        dup2(process.input, 1)
        close(process.input)
        return Pager(process: process)
    }

    /// Whether the program that a command begins with can be found.
    private static func exists(_ command: String) -> Bool {
        guard let program = command.split(separator: " ").first else { return false }
        if program.contains("/") { return unsafe access(String(program), X_OK) == 0 }
        return (Terminal.variable("PATH") ?? "/usr/bin:/bin").split(separator: ":")
            .contains { unsafe access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Closes the pager's input and waits until the person has left it.
    func end() {
        close(1)
        process.end()
    }
}
