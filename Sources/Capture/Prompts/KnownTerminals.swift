// SPDX-License-Identifier: Apache-2.0

/// Classes of terminal emulators and of programs that contain terminals.
///
/// They are used for windows whose process does not reveal a terminal: xterm runs with its own
/// group and may not be inspected, and an editor opens its terminal on demand.
enum KnownTerminals {
    /// Whether windows of a class are known to show terminals.
    static func contains(_ app: String) -> Bool { isEmulator(app) || mayHaveOne(app) }

    /// Whether windows of a class are known to show only terminals.
    static func isEmulator(_ app: String) -> Bool {
        let name = app.lowercased()
        return emulators.contains(name) || emulatorParts.contains { name.contains($0) }
    }

    /// Whether windows of a class are known to show a terminal at times, as editors do.
    private static func mayHaveOne(_ app: String) -> Bool {
        let name = app.lowercased()
        return others.contains(name) || otherParts.contains { name.contains($0) }
    }

    /// Common parts of terminal emulators' names.
    private static let emulatorParts = ["term", "konsole", "kitty", "alacritty", "tilix"]

    /// Families of programs that contain terminals.
    private static let otherParts = ["jetbrains-", "emacs", "vscod", "code-oss"]

    private static let emulators: Set<String> = [
        "urxvt", "rxvt", "aterm", "wterm", "st", "st-256color", "tilda", "guake", "yakuake",
        "sakura", "termite", "terminology", "terminator", "tym", "hyper", "tabby", "ghostty",
        "com.mitchellh.ghostty", "contour", "rio", "foot", "warp", "dev.warp.warp", "black box",
        "com.raggesilver.blackbox", "kgx", "org.gnome.console", "gnome-console", "ptyxis",
        "org.gnome.ptyxis", "kmscon", "domterm", "cool-retro-term",
    ]

    private static let others: Set<String> = [
        "code", "code - insiders", "codium", "cursor", "windsurf", "positron", "theia", "atom",
        "pulsar", "zed", "dev.zed.zed", "gvim", "neovide", "nvim-qt", "eclipse", "netbeans",
        "kate", "kdevelop", "dolphin", "geany", "gnome-builder", "org.gnome.builder", "qtcreator",
        "qt creator", "rstudio", "spyder", "jupyterlab", "android-studio",
    ]
}
