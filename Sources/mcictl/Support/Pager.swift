// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The person's pager, between this program and their terminal.
struct Pager {
    private let process: ChildProcess

    /// Starts the pager that `MCI_PAGER` or `PAGER` names, else `less`; from now on standard output goes
    /// to it.
    ///
    /// - Returns: nil where standard output is no terminal on which a page can be turned, or there is no
    ///   such program.
    static func start() -> Pager? {
        let command =
            Terminal.variable("MCI_PAGER") ?? Terminal.variable("PAGER") ?? "less"
        guard isatty(1) == 1, Terminal.variable("TERM") ?? "dumb" != "dumb", command != "cat",
            exists(command)
        else { return nil }
        // Colours go through, what fits stays on the screen, and nobody finds later what was searched.
        if Terminal.variable("LESS") == nil { unsafe setenv("LESS", "FRX", 1) }
        unsafe setenv("LESSHISTFILE", "-", 1)
        guard let process = ChildProcess(["sh", "-c", command]) else { return nil }
        // An interrupt is the pager's; leaving the pager ends this program.
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

    /// Nothing more comes; waits until the person has read it.
    func end() {
        close(1)
        process.end()
    }
}
