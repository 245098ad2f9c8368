// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Another program that reads what this program writes.
package struct ChildProcess {
    /// The end of a pipe to its standard input.
    package let input: Int32
    private let id: pid_t

    /// Starts a program; nil if it cannot be started.
    ///
    /// - Parameters:
    ///   - command: the program, looked for in PATH, and its arguments.
    ///   - output: becomes its standard output; nil for the one of this program.
    ///   - errors: becomes its standard error; nil for the one of this program.
    package init?(_ command: [String], output: Int32? = nil, errors: Int32? = nil) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        if let output { unsafe posix_spawn_file_actions_adddup2(&actions, output, 1) }
        if let errors { unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2) }
        let words = unsafe command.map { unsafe strdup($0) }
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var id: pid_t = 0
        let result = unsafe posix_spawnp(&id, command[0], &actions, nil, words + [nil], environ)
        close(ends[0])
        guard result == 0 else {
            close(ends[1])
            return nil
        }
        // A program that ends early must not end this one.
        signal(SIGPIPE, SIG_IGN)
        (input, self.id) = (ends[1], id)
    }

    /// Starts a program that may go on by itself, without this program's streams.
    ///
    /// - Parameters:
    ///   - command: the program, looked for in PATH, and its arguments.
    ///   - patience: milliseconds within which it would have failed.
    /// - Returns: whether it runs, or has succeeded.
    package static func start(_ command: [String], patience: Int64) -> Bool {
        let null = unsafe open("/dev/null", O_WRONLY)
        defer { close(null) }
        guard null >= 0, let child = ChildProcess(command, output: null, errors: null) else {
            return false
        }
        close(child.input)
        let end = KernelClock.monotonic.milliseconds + patience
        var status: Int32 = 0
        while KernelClock.monotonic.milliseconds < end {
            let ended = unsafe waitpid(child.id, &status, WNOHANG)
            if ended != 0 { return ended > 0 && status == 0 }
            CurrentProcess.sleep(milliseconds: 20)
        }
        return true
    }

    /// Ends all processes of its group at once; it must have begun one, as a session does.
    package func killGroup() { Glibc.kill(-id, SIGKILL) }

    /// Ends it at once.
    package func kill() { Glibc.kill(id, SIGKILL) }

    /// Waits for its end.
    ///
    /// - Returns: its status, as `waitpid` has it; 0 when it succeeded.
    @discardableResult
    package func end() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
