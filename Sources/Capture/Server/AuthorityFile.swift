// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The X server's cookie file, held open so that it stays readable after being replaced.
///
/// The sandbox (Landlock) identifies files by inode and not by path, and every login with `ssh -X`
/// replaces this one. The cookie of a server that keeps running is in the old file too. A restarted
/// server has another cookie, which can be read only after a restart of the daemon.
package final class AuthorityFile {
    /// The path from the environment: `XAUTHORITY` or `~/.Xauthority`.
    package let path: String
    private let file: Int32

    /// Opens the file before the sandbox is entered.
    ///
    /// The result is nil if there is no readable file; then none is needed or none can be read.
    ///
    /// - Parameter environment: The variables that locate the file.
    package init?(environment: [String: String]) {
        let home = environment["HOME"] ?? ""
        path = environment["XAUTHORITY"] ?? home + "/.Xauthority"
        // Opening a pipe must not block.
        file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 { return nil }
    }

    deinit { close(file) }

    /// Sets XAUTHORITY so that Xlib, and all that read this process's environment, find a readable
    /// file.
    func use() {
        let now = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if now >= 0 { close(now) }
        let source = now >= 0 ? path : "/proc/self/fd/\(file)"
        unsafe setenv("XAUTHORITY", source, 1)
    }
}
