// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// What the kernel reports about a process to any user (`/proc/PID/stat`, proc(5)).
struct ProcessFacts: Equatable {
    var number: Int32
    /// The process name, at most 15 bytes.
    var name: String
    var parent: Int32
    var group: Int32
    var session: Int32
    /// The number of its controlling pseudo-terminal; nil if it has none.
    var terminal: UInt32?
    /// The foreground process group of that terminal.
    var foreground: Int32
    var threads: Int

    /// Parses the file.
    ///
    /// - Parameter line: The contents; the result is nil if they are malformed.
    init?(_ line: [UInt8]) {
        guard let begin = line.firstIndex(of: UInt8(ascii: "(")),
            let end = line.lastIndex(of: UInt8(ascii: ")")), begin < end,
            let number = Int32(String(decoding: line[..<begin].dropLast(), as: UTF8.self))
        else { return nil }
        // From field 3 on: state, parent, group, session, terminal, foreground group, … threads.
        let fields = line[(end + 1)...].split(separator: UInt8(ascii: " "))
            .map { Int64(String(decoding: $0, as: UTF8.self)) }
        guard fields.count > 17, let parent = fields[1], let group = fields[2],
            let session = fields[3], let device = fields[4], let foreground = fields[5],
            let threads = fields[17]
        else { return nil }
        self.number = number
        name = String(decoding: line[(begin + 1)..<end], as: UTF8.self)
        self.parent = Int32(truncatingIfNeeded: parent)
        self.group = Int32(truncatingIfNeeded: group)
        self.session = Int32(truncatingIfNeeded: session)
        self.foreground = Int32(truncatingIfNeeded: foreground)
        self.threads = Int(threads)
        let bits = UInt32(truncatingIfNeeded: device)
        let isPseudo = (bits >> 8) & 0xFFF == Self.pseudoTerminals
        terminal = isPseudo ? bits & 0xFF | (bits >> 12) & 0xF_FF00 : nil
    }

    /// The kernel's major number of pseudo-terminal slaves (UNIX98_PTY_SLAVE_MAJOR).
    private static let pseudoTerminals: UInt32 = 136
}

/// The processes of this host during one look, each read once in some ten microseconds.
///
/// The kernel lists children per thread of a process. For a process with many threads, and if the
/// kernel does not list children, all processes are read instead.
final class ProcessTree {
    private var known: [Int32: ProcessFacts?] = [:]
    private var families: [Int32: [ProcessFacts]]?

    private static let maxThreads = 16

    /// Begins a new look; everything is read again.
    func forget() {
        known.removeAll(keepingCapacity: true)
        families = nil
    }

    /// The facts of a process; nil if there is none.
    func facts(of process: Int32) -> ProcessFacts? {
        if let facts = known[process] { return facts }
        let facts = Proc.contents(of: "/proc/\(process)/stat").flatMap { ProcessFacts($0) }
        known[process] = facts
        return facts
    }

    /// The living children of a process.
    ///
    /// - Parameters:
    ///   - process: The parent.
    ///   - left: Ids of children that are omitted and not read.
    /// - Returns: The other children.
    func children(of process: ProcessFacts, but left: Set<Int32> = []) -> [ProcessFacts] {
        if families == nil, process.threads <= Self.maxThreads,
            let numbers = childNumbers(of: process.number)
        {
            return numbers.lazy.filter { !left.contains($0) }.compactMap { self.facts(of: $0) }
        }
        return families(by: process.number).filter { !left.contains($0.number) }
    }

    private func childNumbers(of process: Int32) -> [Int32]? {
        let path = "/proc/\(process)/task"
        var numbers: [Int32] = []
        for thread in Proc.numbers(in: path, as: Int32.self) ?? [] {
            guard let text = Proc.contents(of: "\(path)/\(thread)/children") else {
                // The thread has ended, or the kernel does not list children.
                guard Disk.names(in: "\(path)/\(thread)") == nil else { return nil }
                continue
            }
            numbers += text.split(separator: UInt8(ascii: " "))
                .compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }
        return numbers
    }

    private func families(by parent: Int32) -> [ProcessFacts] {
        if families == nil { families = Dictionary(grouping: all, by: \.parent) }
        return families?[parent] ?? []
    }

    /// All processes of this host.
    var all: [ProcessFacts] {
        (Proc.numbers(in: "/proc", as: Int32.self) ?? []).compactMap { facts(of: $0) }
    }

    /// Whether a process has a real or effective user other than this one.
    static func isOfAnotherUser(_ process: Int32) -> Bool {
        var facts = stat()
        let user = getuid()
        guard unsafe lstat("/proc/\(process)", &facts) == 0 else { return false }
        if facts.st_uid == user { return false }
        // For a process that may not be inspected, root owns its files in /proc.
        guard let text = Proc.contents(of: "/proc/\(process)/status") else { return true }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("Uid:") }) else { return true }
        // The real and the effective user id.
        return line.split(separator: "\t").dropFirst().prefix(2).contains { UInt32($0) != user }
    }

    /// Whether a process runs in a sandbox (Flatpak, Snap), in which it may show terminals of
    /// programs outside.
    static func isBoxed(_ process: Int32) -> Bool {
        let text = String(
            decoding: Proc.contents(of: "/proc/\(process)/cgroup") ?? [],
            as: UTF8.self
        )
        return text.contains("app-flatpak-") || text.contains("/snap.")
    }

    /// The name under which a process was started; empty if unknown.
    static func command(of process: Int32) -> String {
        let name = file(arguments(of: process).first ?? "")
        // A login shell has a leading dash.
        return name.hasPrefix("-") ? String(name.dropFirst()) : name
    }

    /// The name of the script that an interpreter runs; nil for another program.
    ///
    /// A process has the name of its script only if the kernel itself started the interpreter, and
    /// not if env(1) or a version manager's wrapper did.
    static func script(of process: Int32) -> String? {
        let words = arguments(of: process)
        guard let first = words.first, TerminalPrograms.isInterpreter(file(first)) else {
            return nil
        }
        for word in words.dropFirst() {
            guard word.hasPrefix("-") else { return file(word) }
            // The next word is the program itself: sh -c, perl -ne.
            if !word.hasPrefix("--"), word.hasSuffix("c") || word.hasSuffix("e") { return nil }
        }
        return nil
    }

    private static func file(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? ""
    }

    /// The arguments with which a process was started.
    static func arguments(of process: Int32) -> [String] {
        (Proc.contents(of: "/proc/\(process)/cmdline") ?? []).split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
