// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a terminal does with what is typed, as the program on it has set it (termios(3)).
struct TerminalModes: Equatable {
    /// It hands over whole lines, which it lets the person edit.
    var readsLines: Bool
    var shows: Bool
    /// A shell that edits its lines itself leaves this on; `read -e -s` of bash turns it off.
    var showsKill: Bool
    /// Return is handed over as a line feed and a line feed as it is: a shell that edits its lines itself
    /// sets another of the two, and `read -s -n` and `read -s -k` do not.
    var translatesReturn: Bool

    /// - Parameter settings: as tcgetattr fills them.
    init(_ settings: termios) {
        func has(_ flags: tcflag_t, _ flag: Int32) -> Bool { flags & tcflag_t(flag) != 0 }
        readsLines = has(settings.c_lflag, ICANON)
        shows = has(settings.c_lflag, ECHO)
        showsKill = has(settings.c_lflag, ECHOK)
        translatesReturn = has(settings.c_iflag, ICRNL) && !has(settings.c_iflag, INLCR)
    }

    /// Looks at a terminal.
    ///
    /// To look is to open a terminal and to close it, which its other side takes for a hang-up where
    /// nobody else has it open. So only terminals on which a program runs are looked at.
    ///
    /// - Parameter path: of the terminal; nil comes back for one that cannot be opened.
    init?(_ path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var settings = termios()
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
        self.init(settings)
    }
}
