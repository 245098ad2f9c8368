// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc

/// Looks at this host's terminals for programs that ask for a secret.
///
/// With `ICANON` on and `ECHO` off a program reads a line that is not to be seen: getpass, sudo,
/// ssh, `read -s`. Which terminal stands in which window cannot be told (tabs, tmux, screen), so
/// one such terminal of the person counts for all windows. Costs a few microseconds a terminal.
///
/// To look is to open a terminal and to close it, which its other side takes for a hang-up where
/// nobody else has it open. So only terminals on which a program runs are opened.
final class TerminalPrompts {
    /// A terminal this young, in milliseconds, is not looked at: its program may still be on its
    /// way.
    private static let youth: Int64 = 200
    /// How long a terminal without a program is taken for one, in milliseconds.
    private static let idleness: Int64 = 1000

    /// Those on which programs ran when they were last counted.
    private var used: Set<UInt32> = []
    /// Those without.
    private var idle: Set<UInt32> = []
    private var counted = EventTime(.min)

    /// Looks at all terminals of this user.
    func look() -> PromptGuard.Look {
        let begin = Proc.now()
        let isClear = !mayPrompt(begin)
        return PromptGuard.Look(isClear: isClear, begin: begin, end: Proc.now())
    }

    private func mayPrompt(_ now: EventTime) -> Bool {
        guard let names = Proc.names(in: "/dev/pts") else { return true }
        let numbers = names.compactMap { UInt32($0) }
        used.formIntersection(numbers)
        if counted < EventTime(now.milliseconds - Self.idleness) { idle = [] }
        return numbers.contains { mayPrompt($0, now) }
    }

    private func mayPrompt(_ number: UInt32, _ now: EventTime) -> Bool {
        let path = "/dev/pts/\(number)"
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
        let age = Proc.milliseconds(clock) - Proc.milliseconds(facts.st_ctim)
        if abs(age) < Self.youth {
            used.remove(number)
            idle.remove(number)
            return true
        }
        if !used.contains(number), !idle.contains(number) {
            used = Proc.terminalsInUse()
            counted = now
        }
        guard used.contains(number) else {
            idle.insert(number)
            return false
        }
        let descriptor = unsafe open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return unsafe lstat(path, &facts) == 0 }
        defer { close(descriptor) }
        var settings = termios()
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return true }
        let modes = settings.c_lflag
        return modes & tcflag_t(ICANON) != 0 && modes & tcflag_t(ECHO) == 0
    }
}

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
            let holdsOne = program.process.map { Proc.holdsTerminal($0) } ?? false
            self = holdsOne ? .local : .none
        }
    }
}
