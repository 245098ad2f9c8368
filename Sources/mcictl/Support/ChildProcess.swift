// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Another program that reads what this program writes.
struct ChildProcess {
    /// The end of a pipe to its standard input.
    let input: Int32
    private let id: pid_t

    /// Starts a program, whose messages go to standard error; nil if it cannot be started.
    ///
    /// - Parameters:
    ///   - command: the program, looked for in PATH, and its arguments.
    ///   - output: becomes its standard output; nil for the one of this program.
    init?(_ command: [String], output: Int32? = nil) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        if let output { unsafe posix_spawn_file_actions_adddup2(&actions, output, 1) }
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

    /// Ends it at once.
    func kill() { Glibc.kill(id, SIGKILL) }

    /// Waits for its end.
    ///
    /// - Returns: its status, as `waitpid` has it; 0 when it succeeded.
    @discardableResult
    func end() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
