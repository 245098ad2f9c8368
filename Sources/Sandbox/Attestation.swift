// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import System

/// What this process was found to be unable to do, by trying.
///
/// A configuration can silently do nothing; an attempt cannot. Each trial undoes itself where it
/// succeeds, and none of them waits. Cost: some fifteen system calls.
package struct Attestation: Equatable, Sendable {
    /// What must be impossible, all of it, before anything may be recorded.
    package enum Promise: String, CaseIterable, Sendable {
        /// No socket but AF_UNIX.
        case network
        /// No file made in the home, nor beside the identity.
        case home
        /// The identity cannot be read, nor the folder it lies in.
        case identity
        /// No other program.
        case programs
        /// No code but what was loaded before: no memory becomes executable.
        case code
        /// No core dump, and no other program of the person looks inside.
        case dumps
    }

    /// What was tried and was possible, or could not be tried.
    package let broken: [Promise]

    /// Tries everything.
    ///
    /// - Parameters:
    ///   - home: the person's home.
    ///   - identity: the path of the private key, whether or not there is one.
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
            // Without the folder there is no key at all, and mcid has nobody to seal to.
            return !Disk.exists(folder)
                || isRefused(
                    [identity, folder].map { (path: String) in unsafe clinux_try_read(path) }
                )
        case .programs: return clinux_try_execute() != 0
        case .code: return clinux_try_code() != 0
        case .dumps: return clinux_try_dump() != 0
        }
    }

    /// A name that nothing else has; it exists only where a promise is broken, and then briefly.
    private static let trial = "/.mcid-tries-what-it-must-not"

    /// Whether a refusal is what kept each from happening; what is not there proves nothing, so that
    /// at least one must have been refused.
    private static func isRefused(_ results: [Int32]) -> Bool {
        let refusals = [EACCES, EPERM, EROFS]
        return results.contains { refusals.contains($0) }
            && results.allSatisfy { refusals.contains($0) || $0 == ENOENT || $0 == ENOTDIR }
    }

    /// The sentence for the person where something is possible that must not be; nil where all holds.
    package var sentence: String? {
        guard !broken.isEmpty else { return nil }
        let names = broken.map(\.words).joined(separator: ", ")
        return "The sandbox does not hold, so nothing is recorded: mcid could \(names)."
    }
}

extension Attestation.Promise {
    /// What would be possible, in words.
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
