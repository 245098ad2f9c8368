// SPDX-License-Identifier: Apache-2.0

/// Programs that are known for what they do on a terminal, by the name of their process; those that ask for
/// secrets are ``SecretAskers``.
enum TerminalPrograms {
    /// Shells, which read secrets themselves (`read -s`).
    static func isShell(_ name: String) -> Bool { shells.contains(name) }

    private static let shells: Set<String> = [
        "sh", "bash", "rbash", "dash", "ash", "busybox", "zsh", "ksh", "ksh93", "mksh", "lksh",
        "oksh",
        "yash", "posh", "fish", "tcsh", "csh", "elvish", "nu", "xonsh",
    ]

    /// Whether a process is an Emacs, whose terminals stand at a line without echo all the time.
    static func isEmacs(_ name: String) -> Bool { name.hasPrefix("emacs") }

    /// The name that both sides of a multiplexer of terminals share; nil for another program.
    ///
    /// A client shows, in its own terminal, those that its server holds.
    static func multiplexer(_ name: String) -> String? {
        // tmux calls its processes "tmux: client" and "tmux: server".
        let first = name.prefix { $0 != ":" }.lowercased()
        return multiplexers.contains(first) ? first : nil
    }

    private static let multiplexers: Set<String> = [
        "tmux", "screen", "dtach", "abduco", "zellij", "mtm", "shpool", "tmate",
    ]
}
