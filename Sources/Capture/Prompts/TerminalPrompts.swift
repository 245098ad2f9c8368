// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import System

/// Looks for programs that ask for a secret on terminals that the window in front may show.
///
/// A window's program shows the terminals that it holds: those of the sessions below it. A program
/// in the foreground of one of them may hold others, which it shows there (sudo, script, a nested
/// Emacs). It may also be a client of a multiplexer, whose server holds them. All windows and tabs
/// of a program are judged together, because it is unknown which is on top. If it is unknown which
/// terminals a window shows, all terminals are judged.
///
/// A program asks if its terminal reads a line without echo (getpass, ssh, `read -s`). It also asks
/// if it is known to ask and reads keys without echo, or if it runs as another user. A shell asks
/// if it reads keys differently from its own editor. If the person removed the default exclusion,
/// only the programs that the person or the policy names are looked for.
///
/// A look reads only the processes on the window's terminals, so that programs elsewhere cost
/// nothing.
final class TerminalPrompts {
    /// A terminal of a window.
    private struct Terminal: Hashable {
        var number: UInt32
        /// The leader of the session on it.
        var leader: Int32
        /// The name of the process that shows it.
        var holder: String
    }

    /// Milliseconds during which a new terminal may belong to any window: its program is about to
    /// start.
    private static let youth: Int64 = 200
    /// Milliseconds after which a terminal without a program belongs to nobody.
    private static let patience: Int64 = 1000
    /// Maximum nesting of terminals within one another.
    private static let maxDepth = 8

    /// The program that asks, as of the last look; nil if there is none.
    private(set) var asking: AskingProgram?

    /// The programs treated as asking for a secret.
    var askers = SecretAskers()

    private let tree = ProcessTree()
    private let watch = TerminalWatch()
    private var programs: [WindowSnapshot.Program] = []
    /// The terminals that the window's programs hold.
    private var held: [Terminal] = []
    private var isHeldKnown = false
    /// Whether it is unknown which terminals the window shows.
    private var showsAny = false
    /// The result when the window was entered.
    private var window = TerminalWindow.none
    /// New terminals whose owner is not known yet.
    private var newcomers: Set<UInt32> = []
    /// Childless background processes of a terminal, by its foreground group.
    ///
    /// They stay in the background, so they are not read again.
    private var background: [UInt32: (foreground: Int32, processes: Set<Int32>)] = [:]
    /// The servers of multiplexers, by the client for which they were found.
    private var servers: [Int32: [Int32]] = [:]

    // MARK: Windows

    /// Finds the terminals that a window may show.
    ///
    /// - Parameter programs: The window's program and embedded ones.
    /// - Returns: Whether programs may ask for secrets there.
    func enter(_ programs: [WindowSnapshot.Program]) -> TerminalWindow {
        noteNewcomers()
        // The same window, as after a change of its title: new terminals are noticed by inotify.
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

    /// Whether a terminal came or went since the last look, so that a window without one may have
    /// one now.
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

    /// The terminals that a process or a process below it holds: those of the sessions they lead.
    ///
    /// - Parameters:
    ///   - process: The process to begin with.
    ///   - program: The program that shows them.
    ///   - background: The known background processes if it is in the foreground of another
    ///     terminal; they show nothing there.
    ///   - depth: The number of levels below the first process.
    /// - Returns: The terminals.
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
            // Another program with its own windows, such as one started by a file manager.
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

    /// A prompt on a terminal of the window; nil if there is none.
    private func prompt() -> Prompt? {
        var waiting = showsAny && held.isEmpty ? everyTerminal() : held
        var seen: Set<UInt32> = []
        for _ in 0..<Self.maxDepth where !waiting.isEmpty {
            var inner: [Terminal] = []
            for terminal in waiting where seen.insert(terminal.number).inserted {
                if let program = asker(on: terminal, &inner) { return (terminal.number, program) }
            }
            waiting = inner
        }
        return newcomers.isEmpty ? nil : newcomerInDoubt(seen)
    }

    /// All terminals with running programs.
    private func everyTerminal() -> [Terminal] {
        tree.all.compactMap { process in
            guard process.number == process.session, let number = process.terminal else {
                return nil
            }
            let holder = tree.facts(of: process.parent)?.name ?? ""
            return Terminal(number: number, leader: process.number, holder: holder)
        }
    }

    /// The program that may ask for a secret on a terminal; nil if there is none.
    ///
    /// - Parameters:
    ///   - terminal: The terminal.
    ///   - inner: Receives the terminals that foreground programs show in it.
    /// - Returns: The program's name.
    private func asker(on terminal: Terminal, _ inner: inout [Terminal]) -> String? {
        guard let leader = tree.facts(of: terminal.leader), leader.terminal == terminal.number
        else {
            // The session and its terminal have ended; the next look finds what is left.
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
                return job.lazy.compactMap { self.knownAsker($0) }.first
            }
            return job.first?.name ?? leader.name
        }
        if !modes.shows {
            for process in job {
                if let asker = knownAsker(process) { return asker }
                if asks(process, leader, terminal, modes) { return process.name }
            }
        }
        // No reader is known: typed text is for whoever reads next.
        if !modes.shows, job.isEmpty { return leader.name }
        let rest = background[terminal.number]?.processes ?? []
        for process in job { inner += terminals(shownBy: process, background: rest) }
        return nil
    }

    /// The name under which a program is known to ask for secrets: its own, or that of the script
    /// that it runs; nil if it is not known.
    private func knownAsker(_ process: ProcessFacts) -> String? {
        if askers.contains(process.name) { return process.name }
        guard let script = ProcessTree.script(of: process.number) else { return nil }
        return askers.contains(SecretAsker.kept(script)) ? script : nil
    }

    /// Whether a foreground program of a terminal without echo, which is not known to ask for a
    /// secret, asks for one.
    private func asks(
        _ process: ProcessFacts,
        _ leader: ProcessFacts,
        _ terminal: Terminal,
        _ modes: TerminalModes
    ) -> Bool {
        guard askers.includesDefaults else { return false }
        if modes.readsLines {
            // Emacs itself shows the lines of its own shell.
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

    /// The terminals that a foreground program shows in its own.
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

    /// The servers to which a client of a multiplexer may be connected.
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

    /// The last path component of the socket that tmux was told to use, or `default`.
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

    /// A new terminal that may belong to the window and has no program yet.
    private func newcomerInDoubt(_ seen: Set<UInt32>) -> Prompt? {
        newcomers.subtract(seen)
        guard !newcomers.isEmpty else { return nil }
        // A program of the window may have taken one meanwhile.
        isHeldKnown = false
        let taken = Set(tree.all.compactMap(\.terminal))
        newcomers.subtract(taken.subtracting(held.map(\.number)))
        forgetOldNewcomers()
        return newcomers.first { isYounger($0, than: Self.youth) }.map { ($0, "") }
    }

    private func forgetOldNewcomers() {
        newcomers = newcomers.filter { isYounger($0, than: Self.patience) }
    }

    /// Whether a terminal exists and is younger than `age` milliseconds.
    private func isYounger(_ number: UInt32, than age: Int64) -> Bool {
        Self.age(of: number).map { $0 < age } ?? false
    }

    /// The age of a terminal in milliseconds; nil if it is gone.
    private static func age(of number: UInt32) -> Int64? {
        var file = stat()
        guard unsafe lstat("\(TerminalWatch.folder)/\(number)", &file) == 0 else { return nil }
        return abs(KernelClock.realtime.milliseconds - KernelClock.milliseconds(file.st_ctim))
    }
}

/// Whether programs may ask for secrets on a terminal in a window.
enum TerminalWindow {
    /// The window shows no terminal.
    case none
    /// Its terminals are on this host and can be examined.
    case local
    /// Its terminals are on another host.
    case remote
}
