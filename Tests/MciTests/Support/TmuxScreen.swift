// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A program on the screen of a real terminal (tmux), as its person sees and uses it.
final class TmuxScreen {
    private let socket: String
    private let environment: [String: String]

    /// Starts a program in a window of a size; its terminal may claim other rows and columns, as a
    /// broken one does.
    init(
        _ command: [String],
        environment: [String: String],
        rows: Int,
        columns: Int,
        claims: (rows: Int, columns: Int)? = nil,
        folder: TemporaryFolder
    ) throws {
        socket = "\(folder.path)/tmux-\(UInt16.random(in: 0...(.max)))"
        self.environment = environment.merging(
            ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "TERM": "xterm-256color"],
            uniquingKeysWith: { $1 }
        )
        let words = command.map { "'\($0)'" }.joined(separator: " ")
        // What it leaves on the screen stays to be seen.
        let size = claims.map { "stty rows \($0.rows) cols \($0.columns); " } ?? ""
        let shell = "trap : INT; \(size)\(words); echo \"ended with $?\"; exec cat"
        try tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "\(columns)",
            "-y",
            "\(rows)",
            "sh",
            "-c",
            shell
        )
        try tmux("set-option", "-g", "status", "off")
        if claims == nil { try resize(rows: rows, columns: columns) }
    }

    /// Starts tmux without what its server would keep: open descriptors and blocked signals.
    private static let starting = """
        import os, signal, sys
        os.closerange(3, 1024)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.execvp("tmux", ["tmux"] + sys.argv[1:])
        """

    @discardableResult
    private func tmux(_ arguments: String...) throws -> String {
        let result = try Program.run(
            "/usr/bin/python3",
            ["-c", Self.starting, "-u", "-S", socket] + arguments,
            environment: environment
        )
        #expect(result.code == 0, "\(arguments) \(result.errors)")
        return result.output
    }

    /// The lines that are on the screen.
    var lines: [String] {
        get throws {
            // Each line ends with a line feed, the last one too.
            try tmux("capture-pane", "-p").split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast().map(String.init)
        }
    }

    /// Waits until the screen shows a text.
    func shows(_ text: String) -> Bool {
        eventually { (try? self.lines.contains { $0.contains(text) }) == true }
    }

    /// Types a key.
    func press(_ key: String) throws { try tmux("send-keys", key) }

    func resize(rows: Int, columns: Int) throws {
        try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    deinit {
        _ = try? Program.run("tmux", ["-S", socket, "kill-server"], environment: environment)
    }
}
