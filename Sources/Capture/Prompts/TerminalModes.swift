// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The settings of a terminal that decide how it treats input (termios(3)).
struct TerminalModes: Equatable {
    /// Whether it delivers whole lines, which the person can edit (ICANON).
    var readsLines: Bool
    /// Whether it shows what is typed (ECHO).
    var shows: Bool
    /// Whether ECHOK is on: a shell that edits its lines leaves it on; `read -e -s` of bash turns
    /// it off.
    var showsKill: Bool
    /// Whether Return arrives as a line feed and a line feed unchanged (ICRNL without INLCR).
    ///
    /// A shell that edits its lines changes one of the two; `read -s -n` and `read -s -k` do not.
    var translatesReturn: Bool

    /// Creates modes from termios settings.
    ///
    /// - Parameter settings: Settings from `tcgetattr(3)`.
    init(_ settings: termios) {
        func has(_ flags: tcflag_t, _ flag: Int32) -> Bool { flags & tcflag_t(flag) != 0 }
        readsLines = has(settings.c_lflag, ICANON)
        shows = has(settings.c_lflag, ECHO)
        showsKill = has(settings.c_lflag, ECHOK)
        translatesReturn = has(settings.c_iflag, ICRNL) && !has(settings.c_iflag, INLCR)
    }

    /// Reads the modes of a terminal.
    ///
    /// Reading opens and closes the terminal, which the other side takes for a hang-up if nobody
    /// else has it open. So only terminals with a running program are examined.
    ///
    /// - Parameter path: The terminal's path; the result is nil if it cannot be opened.
    init?(_ path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var settings = termios()
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
        self.init(settings)
    }
}
