// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// Takes all rights from this process that a recorder does not need, permanently.
///
/// It uses two mechanisms of the kernel that need no privilege and no service manager: Landlock for
/// files, and a seccomp filter of system calls. A missing mechanism is not an error here, because
/// only the result of ``Attestation`` counts.
package struct Sandbox {
    /// The folders and files that stay accessible.
    package struct AllowedPaths: Equatable, Sendable {
        /// Folders whose files are read, written, replaced and removed.
        package var written: [String]
        /// Files of this user that are read and written in place.
        ///
        /// A file that does not exist at the start, or is a link, is skipped.
        package var writtenFiles: [String]
        /// A folder in which sockets and files are created.
        package var sockets: String
        /// Files and folders that are only read.
        package var read: [String]

        package init(
            written: [String],
            writtenFiles: [String] = [],
            sockets: String,
            read: [String]
        ) {
            self.written = written
            self.writtenFiles = writtenFiles
            self.sockets = sockets
            self.read = read
        }
    }

    /// Folders that libraries and the C library read.
    private static let system = ["/etc", "/usr", "/lib", "/lib64", "/proc"]

    /// An accessible path, and the inode that was there at the start.
    private struct Kept {
        var path: String
        var inode: UInt64?

        init(_ path: String) {
            self.path = path
            inode = Disk.inode(path)
        }
    }

    /// The ABI version of Landlock in force; 0 without Landlock.
    package let landlock: Int
    /// Whether the kernel accepted the seccomp filter.
    package let hasFilter: Bool
    private let kept: [Kept]

    /// Enters the sandbox, which the process cannot leave.
    ///
    /// - Parameter paths: the paths that stay accessible. A rule applies to the current folder:
    ///   another one that replaces it later is inaccessible until the next start.
    /// - Returns: which of the mechanisms are in force.
    package static func enter(_ paths: AllowedPaths) -> Sandbox {
        _ = clinux_forbid_privileges()
        let kept = (paths.written + [paths.sockets] + paths.read).map { Kept($0) }
        let landlock = confineFiles(paths)
        return Sandbox(
            landlock: landlock,
            hasFilter: clinux_forbid_calls() == 0,
            kept: landlock > 0 ? kept : []
        )
    }

    /// Paths that were replaced since the start and are therefore inaccessible until the next
    /// start.
    ///
    /// Missing paths are not among them, because they may come back. Files written in place are not
    /// either, because another copy of them exists.
    package var replaced: [String] {
        kept.filter { kept in
            Disk.inode(kept.path).map { $0 != kept.inode } ?? false
        }
        .map(\.path)
    }

    private static func confineFiles(_ paths: AllowedPaths) -> Int {
        let version = clinux_landlock_version()
        guard version > 0 else { return 0 }
        let rules = clinux_landlock_rules(version)
        guard rules >= 0 else { return 0 }
        let reading = CLINUX_READ_FILE | CLINUX_READ_FOLDER
        let writing =
            reading | CLINUX_WRITE_FILE | CLINUX_REMOVE_FILE | CLINUX_MAKE_FILE | CLINUX_TRUNCATE
        let inPlace = CLINUX_READ_FILE | CLINUX_WRITE_FILE | CLINUX_TRUNCATE
        let socket = writing | CLINUX_MAKE_SOCKET
        var allowed = paths.written.map { ($0, writing) }
        // A link would allow access to its target.
        allowed += paths.writtenFiles.filter { OwnPath.fault($0, .file) == nil }
            .map { ($0, inPlace) }
        allowed.append((paths.sockets, socket))
        allowed += (paths.read + system).map { ($0, reading) }
        // A terminal's mode is queried on the terminal itself.
        allowed.append(("/dev/pts", reading | CLINUX_CONTROL_DEVICE))
        allowed.append(("/dev/null", reading | CLINUX_WRITE_FILE))
        allowed.append(("/dev/urandom", reading))
        for (path, rights) in allowed
        where unsafe clinux_landlock_allow(rules, version, path, rights) != 0 {
            close(rules)
            return 0
        }
        return clinux_landlock_enforce(rules) == 0 ? Int(version) : 0
    }
}
