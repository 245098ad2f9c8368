// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// What this process cannot do, as found by trying.
///
/// A configuration can silently have no effect; an attempt cannot. A trial that succeeds undoes
/// itself, and none of them waits. All of them together take some fifteen system calls.
package struct Attestation: Equatable, Sendable {
    /// Actions that must all be impossible before anything may be recorded.
    package enum Promise: String, CaseIterable, Sendable {
        /// Opening a socket other than AF_UNIX.
        case network
        /// Creating a file in the home folder or beside the identity.
        case home
        /// Reading the identity or its folder.
        case identity
        /// Starting another program.
        case programs
        /// Loading more code or making memory executable.
        case code
        /// Dumping core, or letting another program of the person read its memory.
        case dumps
    }

    /// The actions that were possible or could not be tried.
    package let broken: [Promise]

    /// Tries every action.
    ///
    /// - Parameters:
    ///   - home: path of the person's home folder.
    ///   - identity: path of the private key, whether or not it exists.
    /// - Returns: what was found.
    package static func attest(home: String, identity: String) -> Attestation {
        Attestation(broken: Promise.allCases.filter { !holds($0, home, identity) })
    }

    private static func holds(_ promise: Promise, _ home: String, _ identity: String) -> Bool {
        switch promise {
        case .network: return clinux_try_network() != 0
        case .home:
            let keys = Disk.folder(of: identity)
            return isRefused(
                [home, keys].map { (folder: String) in unsafe clinux_try_create(folder + trial) }
            )
        case .identity:
            let folder = Disk.folder(of: identity)
            // Without the folder there is no key at all, and mcid has no recipient to seal to.
            return !Disk.exists(folder)
                || isRefused(
                    [identity, folder].map { (path: String) in unsafe clinux_try_read(path) }
                )
        case .programs: return clinux_try_execute() != 0
        case .code: return clinux_try_code() != 0
        case .dumps: return clinux_try_dump() != 0
        }
    }

    /// A file name that nothing else has; it exists only if a promise is broken, and only briefly.
    private static let trial = "/.mcid-tries-what-it-must-not"

    /// Whether each attempt was refused.
    ///
    /// A missing path proves nothing, so at least one must have been refused.
    private static func isRefused(_ results: [Int32]) -> Bool {
        let refusals = [EACCES, EPERM, EROFS]
        return results.contains { refusals.contains($0) }
            && results.allSatisfy { refusals.contains($0) || $0 == ENOENT || $0 == ENOTDIR }
    }

    /// A sentence for the person that names the possible actions; nil when there are none.
    package var sentence: String? {
        guard !broken.isEmpty else { return nil }
        let names = broken.map(\.words).joined(separator: ", ")
        return "The sandbox does not hold, so nothing is recorded: mcid could \(names)."
    }
}

extension Attestation.Promise {
    /// The action, as an English phrase after "mcid could".
    var words: String {
        switch self {
        case .network: "open a network socket"
        case .home: "write to your home"
        case .identity: "read your identity"
        case .programs: "start programs"
        case .code: "load or write more code"
        case .dumps: "be dumped"
        }
    }
}
