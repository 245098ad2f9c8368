// SPDX-License-Identifier: Apache-2.0

import Glibc

/// This process: its arguments and environment, its user and its machine.
package enum CurrentProcess {
    /// Whether every argument of this program is UTF-8.
    ///
    /// Swift shows an argument that is not UTF-8 differently from what was written.
    package static var areArgumentsLegible: Bool {
        (0..<Int(CommandLine.argc)).allSatisfy { index in
            let argument = unsafe CommandLine.unsafeArgv[index]
            return unsafe argument.map { unsafe String(validatingCString: $0) != nil } ?? true
        }
    }

    /// The version of mci, the same in daemon and command.
    package static let version = "0.1.0"

    /// The environment variables; an entry without `=` is skipped.
    package static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let line = unsafe String(cString: entry)
            if let sign = line.firstIndex(of: "=") {
                result[String(line[..<sign])] = String(line[line.index(after: sign)...])
            }
            unsafe next += 1
        }
        return result
    }

    /// Blocks the thread for some milliseconds; a signal may end it early (`usleep(3)`).
    package static func sleep(milliseconds: Int64) {
        usleep(UInt32(clamping: milliseconds * 1000))
    }

    /// Blocks the thread until a descriptor can be read, or for some milliseconds; a signal may end
    /// it early.
    ///
    /// - Parameters:
    ///   - descriptors: Without any it waits 20 milliseconds at most.
    ///   - milliseconds: The longest wait.
    package static func wait(for descriptors: [Int32], milliseconds: Int64) {
        if descriptors.isEmpty { return sleep(milliseconds: min(milliseconds, 20)) }
        var watched = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = unsafe poll(&watched, nfds_t(watched.count), Int32(clamping: milliseconds))
    }

    /// The real user id of this process.
    package static var userID: Int { Int(getuid()) }

    /// The host name, at most 255 bytes; empty if it cannot be read.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// The path of a program in the same folder as this one; nil if there is none.
    package static func sibling(_ name: String) -> String? {
        guard let real = unsafe realpath("/proc/self/exe", nil) else { return nil }
        defer { unsafe free(real) }
        let own = unsafe String(cString: real)
        let path = "\(Disk.folder(of: own))/\(name)"
        return Disk.isFile(path) ? path : nil
    }

    /// Becomes another program; returns only if that cannot be started.
    ///
    /// - Parameters:
    ///   - command: The program, looked for in PATH, and its arguments.
    ///   - environment: All of its environment.
    package static func become(_ command: [String], environment: [String: String]) {
        guard let program = command.first else { return }
        let words = unsafe command.map { unsafe strdup($0) } + [nil]
        for name in self.environment().keys { unsafe unsetenv(name) }
        for (name, value) in environment { unsafe setenv(name, value, 1) }
        _ = unsafe execvp(program, words)
    }

    /// The process id.
    package static var id: Int32 { getpid() }
}
