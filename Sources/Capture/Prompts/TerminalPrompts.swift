// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import System

/// Looks at the terminals that can be on the screen of the window in front, for programs that ask for a
/// secret.
///
/// A window's program shows the terminals that it holds: those of the sessions below it. A program in the
/// foreground of one of them may hold others, which it shows there (sudo, script, a nested Emacs), or may
/// be the client of a multiplexer, whose server holds them. All windows and tabs of a program decide
/// together, for nobody can tell which is on top. Where nobody can tell which terminals a window shows,
/// all do.
///
/// A program asks when its terminal reads a line without showing it (getpass, ssh, `read -s`); when it is
/// known to ask and reads keys without showing them; when it runs as another user; and when it is a shell
/// that reads keys in another way than its own editor does. Where the person removed the default exclusion,
/// only the programs that the person or the policy names are looked for.
///
/// A look reads the processes on the window's terminals and no others, so that what runs elsewhere costs
/// nothing.
final class TerminalPrompts {
    /// A terminal of a window.
    private struct Terminal: Hashable {
        var number: UInt32
        /// The process that leads the session on it.
        var leader: Int32
        /// The name of the program that shows it.
        var holder: String
    }

    /// A terminal this young, in milliseconds, may be of any window: its program is on its way.
    private static let youth: Int64 = 200
    /// One that is older than this and of no program, in milliseconds, is nobody's.
    private static let patience: Int64 = 1000
    /// How deep terminals are looked for within one another.
    private static let deepest = 8

    /// The program that asks, by the last look; nil where none does.
    private(set) var asking: AskingProgram?

    /// What counts as asking.
    var askers = SecretAskers()

    private let tree = ProcessTree()
    private let watch = TerminalWatch()
    private var programs: [WindowSnapshot.Program] = []
    /// The terminals that the window's programs hold.
    private var held: [Terminal] = []
    private var isHeldKnown = false
    /// Nobody can tell which terminals the window shows.
    private var showsAny = false
    /// What was found when the window was entered.
    private var window = TerminalWindow.none
    /// Terminals that have come and of which nobody knows yet whose they are.
    private var newcomers: Set<UInt32> = []
    /// Processes without children in the background of a terminal, by the group in its foreground: they stay
    /// there, and are not read again.
    private var background: [UInt32: (foreground: Int32, processes: Set<Int32>)] = [:]
    /// The servers of multiplexers, by the client that asked for them.
    private var servers: [Int32: [Int32]] = [:]

    // MARK: Windows

    /// Finds out which terminals a window can show.
    ///
    /// - Parameter programs: whose window it is, and what is embedded in it.
    /// - Returns: whether programs may ask for secrets there.
    func enter(_ programs: [WindowSnapshot.Program]) -> TerminalWindow {
        noteNewcomers()
        // The same window, as after a change of its title: terminals come with a sign.
        if isHeldKnown, newcomers.isEmpty, programs == self.programs { return window }
        self.programs = programs
        asking = nil
        tree.forget()
        findHeld()
        window = kind()
        return window
    }

    private func kind() -> TerminalWindow {
        if programs.contains(where: { $0.isRemote && $0.isKnownTerminal }) { return .remote }
        showsAny =
            held.isEmpty
            && programs.contains { program in
                guard program.isKnownTerminal, !program.isRemote else { return false }
                guard program.mayHaveNone, let process = program.process else { return true }
                return ProcessTree.isBoxed(process)
            }
        return held.isEmpty && !showsAny ? .none : .local
    }

    /// Whether a terminal came or went since the last look, so that a window without one may have one now.
    func haveTerminalsChanged() -> Bool {
        noteNewcomers()
        forgetOldNewcomers()
        return !isHeldKnown || !newcomers.isEmpty
    }

    private func noteNewcomers() {
        guard let new = watch.changes() else { return }
        isHeldKnown = false
        servers = [:]
        newcomers.formUnion(new)
    }

    private func findHeld() {
        isHeldKnown = true
        held = []
        for case let process? in Set(programs.filter { !$0.isRemote }.map(\.process)) {
            guard let facts = tree.facts(of: process) else { continue }
            held += terminals(heldBy: facts, shownBy: facts)
        }
    }

    /// The terminals that a process or one below it holds: those of the sessions that these lead.
    ///
    /// - Parameters:
    ///   - process: where to begin.
    ///   - program: that shows them.
    ///   - background: where it is in the foreground of another terminal, what is known to run in the
    ///     background of that one: that shows nothing there.
    ///   - depth: how far below it this is.
    /// - Returns: the terminals.
    private func terminals(
        heldBy process: ProcessFacts,
        shownBy program: ProcessFacts,
        background: Set<Int32>? = nil,
        depth: Int = 0
    ) -> [Terminal] {
        guard depth < 32 else { return [] }
        let children = tree.children(of: process, but: background ?? [])
        return children.flatMap { child -> [Terminal] in
            if background != nil, child.session == program.session, child.group != program.group {
                return []
            }
            if let number = child.terminal, number != process.terminal {
                return [Terminal(number: number, leader: child.session, holder: program.name)]
            }
            // Another program with windows of its own, as one that a file manager started.
            if child.name != program.name, KnownTerminals.contains(child.name) { return [] }
            return terminals(
                heldBy: child,
                shownBy: program,
                background: background,
                depth: depth + 1
            )
        }
    }

    // MARK: Looks

    /// Looks at the terminals of the window.
    func look() -> PromptGuard.Look {
        let begin = Proc.now()
        tree.forget()
        noteNewcomers()
        if !isHeldKnown { findHeld() }
        let found = prompt()
        note(found, begin)
        return PromptGuard.Look(isClear: found == nil, begin: begin, end: Proc.now())
    }

    private typealias Prompt = (terminal: UInt32, program: String)

    private func note(_ found: Prompt?, _ now: EventTime) {
        guard let found else { return asking = nil }
        let since = asking.flatMap { $0.terminal == found.terminal ? $0.since : nil } ?? now
        asking = AskingProgram(terminal: found.terminal, program: found.program, since: since)
    }

    /// A terminal of the window on which a program may ask for a secret; nil where there is none.
    private func prompt() -> Prompt? {
        var waiting = showsAny && held.isEmpty ? everyTerminal() : held
        var seen: Set<UInt32> = []
        for _ in 0..<Self.deepest where !waiting.isEmpty {
            var inner: [Terminal] = []
            for terminal in waiting where seen.insert(terminal.number).inserted {
                if let program = asker(on: terminal, &inner) { return (terminal.number, program) }
            }
            waiting = inner
        }
        return newcomers.isEmpty ? nil : newcomerInDoubt(seen)
    }

    /// All terminals on which programs run.
    private func everyTerminal() -> [Terminal] {
        tree.all.compactMap { process in
            guard process.number == process.session, let number = process.terminal else {
                return nil
            }
            let holder = tree.facts(of: process.parent)?.name ?? ""
            return Terminal(number: number, leader: process.number, holder: holder)
        }
    }

    /// The program that may ask for a secret on a terminal; nil where none does.
    ///
    /// - Parameters:
    ///   - terminal: the terminal.
    ///   - inner: takes the terminals that programs in the foreground show there.
    /// - Returns: its name.
    private func asker(on terminal: Terminal, _ inner: inout [Terminal]) -> String? {
        guard let leader = tree.facts(of: terminal.leader), leader.terminal == terminal.number
        else {
            // The session is over, and its terminal with it; the next look finds what is left.
            isHeldKnown = false
            return nil
        }
        let path = "\(TerminalWatch.folder)/\(terminal.number)"
        var file = stat()
        guard unsafe lstat(path, &file) == 0 else {
            isHeldKnown = false
            return nil
        }
        let job = foreground(of: leader, on: terminal)
        if askers.includesDefaults,
            let other = job.first(where: { ProcessTree.isOfAnotherUser($0.number) })
        {
            return other.name
        }
        guard file.st_uid == getuid(), let modes = TerminalModes(path) else {
            guard askers.includesDefaults else {
                return job.first { askers.contains($0.name) }?.name
            }
            return job.first?.name ?? leader.name
        }
        if !modes.shows, let asker = job.first(where: { asks($0, leader, terminal, modes) }) {
            return asker.name
        }
        // Nobody is known to read: what is typed now is for whoever reads next.
        if !modes.shows, job.isEmpty { return leader.name }
        let rest = background[terminal.number]?.processes ?? []
        for process in job { inner += terminals(shownBy: process, background: rest) }
        return nil
    }

    /// Whether a program in the foreground of a terminal that does not show what is typed asks for a
    /// secret.
    private func asks(
        _ process: ProcessFacts,
        _ leader: ProcessFacts,
        _ terminal: Terminal,
        _ modes: TerminalModes
    ) -> Bool {
        if askers.contains(process.name) { return true }
        guard askers.includesDefaults else { return false }
        if modes.readsLines {
            // Emacs shows the lines of a shell of its own itself.
            return !(TerminalPrograms.isEmacs(terminal.holder) && process.group == leader.group)
        }
        let isShell =
            TerminalPrograms.isShell(process.name)
            || TerminalPrograms.isShell(ProcessTree.command(of: process.number))
        return isShell && (modes.translatesReturn || !modes.showsKill)
    }

    /// The processes that read from a terminal.
    private func foreground(of leader: ProcessFacts, on terminal: Terminal) -> [ProcessFacts] {
        let group = leader.foreground
        var still =
            background[terminal.number].flatMap { $0.foreground == group ? $0.processes : nil }
            ?? []
        var found: [ProcessFacts] = []
        var waiting = [leader]
        while let process = waiting.popLast() {
            if process.group == group { found.append(process) }
            let children = tree.children(of: process, but: still)
                .filter { $0.session == leader.session }
            waiting += children
            for child in children
            where child.group != group && child.group != process.group
                && tree.children(of: child).isEmpty
            {
                still.insert(child.number)
            }
        }
        background[terminal.number] = (group, still)
        return found
    }

    /// The terminals that a program in the foreground shows in its own.
    private func terminals(
        shownBy process: ProcessFacts,
        background: Set<Int32>
    ) -> [Terminal] {
        var result = terminals(heldBy: process, shownBy: process, background: background)
        if let name = TerminalPrograms.multiplexer(process.name) {
            for server in servers(of: process, name) {
                guard let facts = tree.facts(of: server) else { continue }
                result += terminals(heldBy: facts, shownBy: facts)
            }
        }
        return result
    }

    /// The servers that a client of a multiplexer may be connected to.
    private func servers(of client: ProcessFacts, _ name: String) -> [Int32] {
        if let known = servers[client.number] { return known }
        let socket = Self.socket(of: client.number)
        let found = tree.all.filter { process in
            process.terminal == nil && TerminalPrograms.multiplexer(process.name) == name
                && !ProcessTree.isOfAnotherUser(process.number)
                && (name != "tmux" || Self.socket(of: process.number) == socket)
        }
        servers[client.number] = found.map(\.number)
        return found.map(\.number)
    }

    /// The name of the socket that tmux was told to use, by its name or by its path, or of the usual one.
    private static func socket(of process: Int32) -> Substring {
        let words = ProcessTree.arguments(of: process)
        for (index, word) in words.enumerated().dropFirst() {
            guard word.hasPrefix("-L") || word.hasPrefix("-S") else { continue }
            let next = index + 1 < words.count ? words[index + 1] : ""
            let path = word.count > 2 ? word.dropFirst(2) : next[...]
            return path.split(separator: "/").last ?? ""
        }
        return "default"
    }

    // MARK: New terminals

    /// A terminal that has just come and may be one of the window's: no program has it yet.
    private func newcomerInDoubt(_ seen: Set<UInt32>) -> Prompt? {
        newcomers.subtract(seen)
        guard !newcomers.isEmpty else { return nil }
        // A program of the window may have taken one since.
        isHeldKnown = false
        let taken = Set(tree.all.compactMap(\.terminal))
        newcomers.subtract(taken.subtracting(held.map(\.number)))
        forgetOldNewcomers()
        return newcomers.first { isYounger($0, than: Self.youth) }.map { ($0, "") }
    }

    private func forgetOldNewcomers() {
        newcomers = newcomers.filter { isYounger($0, than: Self.patience) }
    }

    /// Whether a terminal is there and not as old as so many milliseconds.
    private func isYounger(_ number: UInt32, than age: Int64) -> Bool {
        Self.age(of: number).map { $0 < age } ?? false
    }

    /// How old a terminal is, in milliseconds; nil for one that is gone.
    private static func age(of number: UInt32) -> Int64? {
        var file = stat()
        guard unsafe lstat("\(TerminalWatch.folder)/\(number)", &file) == 0 else { return nil }
        return abs(KernelClock.realtime.milliseconds - KernelClock.milliseconds(file.st_ctim))
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
}
