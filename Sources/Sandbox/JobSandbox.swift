// SPDX-License-Identifier: Apache-2.0

import CLinux
import System

/// Confines a job that reads opened data: no network, no other process, one folder to write into.
///
/// What the job starts inherits it. Root on the machine is not confined by it.
package enum JobSandbox {
    /// Folders that programs and their libraries lie in.
    private static let system = [
        "/bin", "/sbin", "/usr", "/lib", "/lib64", "/etc", "/proc", "/opt",
    ]

    /// Enters the sandbox, which the process cannot leave.
    ///
    /// - Parameters:
    ///   - folder: the only place that can be written.
    ///   - read: more files and folders that can be read, such as those of the training code.
    /// - Returns: why it does not hold, as a sentence; nil when it holds.
    package static func enter(writing folder: String, reading read: [String]) -> String? {
        guard clinux_leave_terminal() == 0 else {
            return "Its terminal and descriptors cannot be taken from it."
        }
        guard clinux_forbid_privileges() == 0 else { return "New privileges cannot be forbidden." }
        let version = clinux_landlock_version()
        // Version 2 confines moving files, version 3 truncating them.
        guard version >= 3 else { return "The kernel has no Landlock, or an old one." }
        let rules = clinux_landlock_rules(version)
        guard rules >= 0 else { return "The kernel refused Landlock." }
        let reading = CLINUX_READ_FILE | CLINUX_READ_FOLDER | CLINUX_EXECUTE
        let writing =
            reading | CLINUX_WRITE_FILE | CLINUX_REMOVE_FILE | CLINUX_MAKE_FILE | CLINUX_TRUNCATE
            | CLINUX_MAKE_FOLDER | CLINUX_REMOVE_FOLDER
        var allowed = (system + read).map { ($0, reading) }
        allowed.append((folder, writing))
        for device in ["/dev/null", "/dev/zero"] {
            allowed.append((device, reading | CLINUX_WRITE_FILE))
        }
        for device in ["/dev/urandom", "/dev/random"] {
            allowed.append((device, reading))
        }
        for (path, rights) in allowed
        where unsafe clinux_landlock_allow(rules, version, path, rights) != 0 {
            return "The kernel refused a rule of Landlock."
        }
        guard clinux_landlock_enforce(rules) == 0 else { return "The kernel refused Landlock." }
        guard clinux_forbid_sockets() == 0 else { return "The kernel refused the filter of calls." }
        guard clinux_try_network() != 0 else { return "A network socket could be opened." }
        let trial = Disk.folder(of: folder) + "/.mci-read-tries-what-it-must-not"
        guard unsafe clinux_try_create(trial) != 0 else {
            return "A file beside the folder could be created."
        }
        return nil
    }
}
