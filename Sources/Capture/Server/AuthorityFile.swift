// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file of the X server's cookies, held open so that it stays readable when another one takes its
/// place.
///
/// The sandbox names files by what they are and not by their path, and every login with `ssh -X`
/// replaces this one. The cookie of a server that goes on running is in the old file too. A server that
/// was started again has another cookie, which can be read only after another start.
package final class AuthorityFile {
    /// The path in the person's environment.
    package let path: String
    private let file: Int32

    /// Opens the file, before the sandbox is entered; nil where there is none: then none is needed, or
    /// none can be read.
    ///
    /// - Parameter environment: where it is named.
    package init?(environment: [String: String]) {
        let home = environment["HOME"] ?? ""
        path = environment["XAUTHORITY"] ?? home + "/.Xauthority"
        // A pipe must not keep it waiting.
        file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 { return nil }
    }

    deinit { close(file) }

    /// Has Xlib, and all who read the environment of this process, look where it can be read now.
    func use() {
        let now = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if now >= 0 { close(now) }
        let source = now >= 0 ? path : "/proc/self/fd/\(file)"
        unsafe setenv("XAUTHORITY", source, 1)
    }
}
