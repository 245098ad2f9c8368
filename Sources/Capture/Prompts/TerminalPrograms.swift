// SPDX-License-Identifier: Apache-2.0

/// Programs known for their behaviour on a terminal, by process name; those that ask for secrets
/// are ``SecretAskers``.
enum TerminalPrograms {
    /// Whether a process is a shell, which reads secrets itself (`read -s`).
    static func isShell(_ name: String) -> Bool { shells.contains(name) }

    private static let shells: Set<String> = [
        "sh", "bash", "rbash", "dash", "ash", "busybox", "zsh", "ksh", "ksh93", "mksh", "lksh",
        "oksh",
        "yash", "posh", "fish", "tcsh", "csh", "elvish", "nu", "xonsh",
    ]

    /// Whether a program, by the name of its file, runs scripts: a shell or a language, whose version
    /// may follow its name.
    static func isInterpreter(_ name: String) -> Bool {
        isShell(name) || interpreters.contains { name.hasPrefix($0) }
    }

    private static let interpreters = [
        "python", "pypy", "perl", "ruby", "node", "deno", "bun", "lua", "tclsh", "wish", "expect",
        "php", "guile", "Rscript", "osh",
    ]

    /// Whether a process is an Emacs, whose terminals always read lines without echo.
    static func isEmacs(_ name: String) -> Bool { name.hasPrefix("emacs") }

    /// The name that client and server of a terminal multiplexer share; nil for another program.
    ///
    /// A client shows the terminals that its server holds in its own terminal.
    static func multiplexer(_ name: String) -> String? {
        // tmux names its processes "tmux: client" and "tmux: server".
        let first = name.prefix { $0 != ":" }.lowercased()
        return multiplexers.contains(first) ? first : nil
    }

    private static let multiplexers: Set<String> = [
        "tmux", "screen", "dtach", "abduco", "zellij", "mtm", "shpool", "tmate",
    ]
}
