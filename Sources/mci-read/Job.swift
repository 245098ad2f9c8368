// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// The command of a run: it reads opened data from a pipe.
final class Job {
    private let child: ChildProcess
    private var hasHead = false
    /// Whether it still reads.
    private var isReading = true

    /// Starts a command, confined by this program itself.
    ///
    /// - Parameters:
    ///   - command: the command and its arguments.
    ///   - folder: the only folder that it can write into.
    ///   - read: what it can also read.
    /// - Throws: a ``Failure`` if it cannot be started.
    init(_ command: [String], writing folder: String, reading read: [String]) throws {
        let own = CurrentProcess.sibling("mci-read") ?? "mci-read"
        var words = [own, "confined", "--out", folder]
        for path in read { words += ["--read", Disk.absolute(path)] }
        words += ["--"] + command
        guard let child = ChildProcess(words) else {
            throw Failure("The command cannot be started.")
        }
        self.child = child
    }

    /// Writes to the command; once it reads no further, nothing more is written.
    func write(_ bytes: [UInt8]) {
        guard isReading else { return }
        isReading = (try? Disk.write(bytes, to: child.input)) != nil
    }

    /// Writes what stands in front of everything, once.
    func writeOnce(_ head: [UInt8]) {
        if !hasHead { write(head) }
        hasHead = true
    }

    /// Ends its input and waits for it.
    ///
    /// - Returns: its exit code; 128 and the signal that ended it.
    func end() -> Int32 {
        close(child.input)
        let status = child.end()
        // What it left running in its session has no more business here.
        child.killGroup()
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
