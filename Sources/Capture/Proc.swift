// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc

/// What the kernel tells of processes and of the time.
enum Proc {
    /// Whether a process holds the master of a terminal.
    ///
    /// Landlock shows that a process has descriptors and not what they are. Then it is taken to hold
    /// one when a program below it runs on a terminal that is not its own.
    ///
    /// - Returns: false also where the kernel does not say, as of programs with more rights.
    static func holdsTerminal(_ process: Int32) -> Bool {
        let path = "/proc/\(process)/fd"
        var isHidden = false
        for name in names(in: path) ?? [] where UInt32(name) != nil {
            guard let target = link("\(path)/\(name)") else {
                isHidden = true
                continue
            }
            if target == "/dev/ptmx" || target == "/dev/pts/ptmx" { return true }
        }
        return isHidden && hasTerminalBelow(process)
    }

    /// Whether a program that a process started, itself or by others, runs on another terminal.
    static func hasTerminalBelow(_ process: Int32) -> Bool {
        let all = processes()
        let own = all[process]?.terminal
        return all.values.contains { program in
            guard let terminal = program.terminal, terminal != own else { return false }
            var parent = program.parent
            for _ in 0..<64 where parent > 1 {
                if parent == process { return true }
                parent = all[parent]?.parent ?? 0
            }
            return false
        }
    }

    /// The numbers of all terminals on which programs run; some ten microseconds a process.
    static func terminalsInUse() -> Set<UInt32> {
        Set(processes().values.compactMap(\.terminal))
    }

    /// The parent of every process, and the number of the terminal it runs on.
    private static func processes() -> [Int32: (parent: Int32, terminal: UInt32?)] {
        var result: [Int32: (parent: Int32, terminal: UInt32?)] = [:]
        for name in names(in: "/proc") ?? [] {
            guard let number = Int32(name), let text = contents(of: "/proc/\(name)/stat"),
                let end = text.lastIndex(of: UInt8(ascii: ")"))
            else { continue }
            // After the name: state, parent, group, session, terminal.
            let words = text[(end + 1)...].split(separator: UInt8(ascii: " "))
            guard words.count > 4, let parent = Int32(String(decoding: words[1], as: UTF8.self)),
                let device = Int32(String(decoding: words[4], as: UTF8.self))
            else { continue }
            let bits = UInt32(bitPattern: device)
            let isTerminal = (bits >> 8) & 0xFFF == pseudoTerminals
            result[number] = (parent, isTerminal ? bits & 0xFF | (bits >> 12) & 0xF_FF00 : nil)
        }
        return result
    }

    /// The kernel's major number of the slaves of pseudo-terminals.
    private static let pseudoTerminals: UInt32 = 136

    /// What stands in a folder; nil when it cannot be read.
    static func names(in path: String) -> [String]? {
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

    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let length = unsafe read(descriptor, &bytes, bytes.count)
        return length > 0 ? Array(bytes.prefix(length)) : nil
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 32)
        let length = unsafe readlink(path, &target, target.count)
        guard length > 0 else { return nil }
        return String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The clock of the X server's stamps.
    static func now() -> EventTime {
        var clock = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &clock)
        return EventTime(milliseconds(clock))
    }

    static func milliseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
