// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// Takes every right away from this process that a recorder does not need, for good.
///
/// Two mechanisms of the kernel that need no privilege and no service manager: Landlock for files,
/// and a filter of system calls. Where one is missing nothing is said here: what counts is what an
/// ``Attestation`` then finds.
package struct Sandbox {
    /// The folders and files that stay within reach.
    package struct AllowedPaths: Equatable, Sendable {
        /// Folders whose files are read, written, replaced and removed.
        package var written: [String]
        /// Single files of this user's that are read and written in place; one that does not exist at
        /// the start, or is a link, is passed over.
        package var writtenFiles: [String]
        /// A folder in which sockets are made.
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

    /// What libraries and the C library's tables need.
    private static let system = ["/etc", "/usr", "/lib", "/lib64", "/proc"]

    /// A path that stays within reach, and the file or folder that was there at the start.
    private struct Kept {
        var path: String
        var inode: UInt64?

        init(_ path: String) {
            self.path = path
            inode = Disk.inode(path)
        }
    }

    /// The version of Landlock in force; 0 without it.
    package let landlock: Int
    /// Whether the filter of system calls was accepted.
    package let hasFilter: Bool
    private let kept: [Kept]

    /// Enters the sandbox, from which there is no way back.
    ///
    /// - Parameter places: what stays within reach. A rule holds for the folder that is there now:
    ///   one that replaces it later is out of reach until the next start.
    /// - Returns: which of the mechanisms the kernel took.
    package static func enter(_ places: AllowedPaths) -> Sandbox {
        _ = clinux_forbid_privileges()
        let kept = (places.written + [places.sockets] + places.read).map { Kept($0) }
        let landlock = confineFiles(places)
        return Sandbox(
            landlock: landlock,
            hasFilter: clinux_forbid_calls() == 0,
            kept: landlock > 0 ? kept : []
        )
    }

    /// The paths at which there is now something else than at the start, and which are therefore out of
    /// reach until the next start.
    ///
    /// What has only gone is not among them, for it may come back; nor is a file that is written in
    /// place, of which another copy is kept.
    package var replaced: [String] {
        kept.filter { kept in
            Disk.inode(kept.path).map { $0 != kept.inode } ?? false
        }
        .map(\.path)
    }

    private static func confineFiles(_ places: AllowedPaths) -> Int {
        let version = clinux_landlock_version()
        guard version > 0 else { return 0 }
        let rules = clinux_landlock_rules(version)
        guard rules >= 0 else { return 0 }
        let reading = CLINUX_READ_FILE | CLINUX_READ_FOLDER
        let writing =
            reading | CLINUX_WRITE_FILE | CLINUX_REMOVE_FILE | CLINUX_MAKE_FILE | CLINUX_TRUNCATE
        let inPlace = CLINUX_READ_FILE | CLINUX_WRITE_FILE | CLINUX_TRUNCATE
        let socket = CLINUX_READ_FOLDER | CLINUX_REMOVE_FILE | CLINUX_MAKE_SOCKET
        var allowed = places.written.map { ($0, writing) }
        // A link would give away what it leads to.
        allowed += places.writtenFiles.filter { OwnPath.fault($0, .file) == nil }
            .map { ($0, inPlace) }
        allowed.append((places.sockets, socket))
        allowed += (places.read + system).map { ($0, reading) }
        // A terminal's mode is asked for through the terminal itself.
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
