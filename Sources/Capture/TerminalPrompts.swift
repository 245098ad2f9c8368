// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc

/// Whether programs may ask for secrets on a terminal in a window.
enum TerminalWindow {
    /// It shows no terminal.
    case none
    /// Its terminals are this host's and can be looked at.
    case local
    /// Its terminals are another host's.
    case remote

    /// Finds out whether the program holds the master of a terminal now, or is known to.
    init(_ program: WindowPage.Program) {
        if program.isElsewhere {
            self = program.isKnownTerminal ? .remote : .none
        } else if program.isKnownTerminal {
            self = .local
        } else {
            let holdsOne = program.process.map { TerminalPrompts.holdsTerminal($0) } ?? false
            self = holdsOne ? .local : .none
        }
    }
}

/// Looks at this host's terminals for programs that ask for a secret.
///
/// With `ICANON` on and `ECHO` off a program reads a line that is not to be seen: getpass, sudo,
/// ssh, `read -s`. Which terminal stands in which window cannot be told (tabs, tmux, screen), so
/// one such terminal of the person counts for all windows. Costs a few microseconds a terminal.
enum TerminalPrompts {
    private static let folder = "/dev/pts"
    /// A terminal this young, in milliseconds, is left alone: who made it may not have opened its
    /// other end yet, and would take our closing for a hang-up.
    private static let youth: Int64 = 200

    /// Looks at all terminals of this user.
    static func look() -> PromptGuard.Look {
        let begin = now()
        let isClear = !mayPrompt()
        return PromptGuard.Look(isClear: isClear, begin: begin, end: now())
    }

    /// Whether a process holds the master of a terminal.
    ///
    /// - Returns: true also for a program that may be looked at and whose descriptors may not, as from
    ///   inside the sandbox; false for programs with more rights.
    static func holdsTerminal(_ process: Int32) -> Bool {
        let path = "/proc/\(process)/fd"
        return names(in: path)?.contains { name in
            // Landlock shows that there are descriptors and not what they are: then it may be one.
            guard let target = link("\(path)/\(name)") else { return UInt32(name) != nil }
            return target == "/dev/ptmx" || target == "/dev/pts/ptmx"
        } ?? false
    }

    private static func mayPrompt() -> Bool {
        guard let names = names(in: folder) else { return true }
        return names.contains { name in
            UInt32(name) != nil && mayPrompt("\(folder)/\(name)")
        }
    }

    private static func mayPrompt(_ path: String) -> Bool {
        var facts = stat()
        // One that is gone asks nothing.
        guard unsafe lstat(path, &facts) == 0 else { return false }
        let user = getuid()
        if facts.st_uid != user {
            // sudo runs its program on a terminal of its own, which is root's.
            return facts.st_uid == 0
        }
        var clock = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &clock)
        let age = milliseconds(clock) - milliseconds(facts.st_ctim)
        if abs(age) < youth { return true }
        let descriptor = unsafe open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return unsafe lstat(path, &facts) == 0 }
        defer { close(descriptor) }
        var settings = termios()
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return true }
        let modes = settings.c_lflag
        return modes & tcflag_t(ICANON) != 0 && modes & tcflag_t(ECHO) == 0
    }

    private static func names(in path: String) -> [String]? {
        guard let folder = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 32)
        let length = unsafe readlink(path, &target, target.count)
        guard length > 0 else { return nil }
        return String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The clock of the X server's stamps.
    private static func now() -> EventTime {
        var clock = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &clock)
        return EventTime(milliseconds(clock))
    }

    private static func milliseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
