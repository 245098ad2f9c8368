// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Policy
package import Signing
import System

/// The paths of all files, according to the XDG Base Directory Specification.
package struct Paths: Equatable, Sendable {
    /// The folder of the ring, the controls and the recorder's key.
    package var state: String
    /// The folder of the identity, and in `public` of what the daemon reads.
    package var config: String
    /// The folder of the control socket.
    package var runtime: String
    /// The policy: `/etc/mci/policy.json`, or without it the file that `MCI_POLICY` names.
    package var policy: PolicyFile

    /// Determines the folders from the environment.
    ///
    /// Relative values are ignored, as the specification requires.
    ///
    /// - Parameter environment: the process environment.
    package init(environment: [String: String]) {
        func folder(_ name: String, _ fallback: String) -> String {
            let value = environment[name] ?? ""
            return (value.hasPrefix("/") ? value : fallback) + "/mci"
        }
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/nonexistent"
        state = folder("XDG_STATE_HOME", home + "/.local/state")
        config = folder("XDG_CONFIG_HOME", home + "/.config")
        runtime = folder("XDG_RUNTIME_DIR", "/run/user/\(getuid())")
        let own = environment["MCI_POLICY"].flatMap { $0.isEmpty ? nil : $0 }
        policy = PolicyFile("/etc/mci/policy.json", otherwise: own)
    }

    /// The database file of the ring.
    package var ring: String { state + "/ring.db" }
    /// The head of the ring, beside it.
    var ringHead: String { ring + ".head" }
    /// The recorder's own signing key.
    package var deviceKey: String { state + "/device.key" }
    /// The counters file.
    package var accounts: String { state + "/accounts.json" }
    /// The controls file.
    package var controls: String { state + "/controls.json" }
    /// The two copies of the high-water marks.
    package var highWater: HighWaterFiles {
        HighWaterFiles(inState: state + "/marks", inConfig: config + "/public/marks")
    }
    /// The lock file that the recording daemon holds.
    package var daemonLock: String { state + "/mcid.pid" }
    /// The private key; the daemon never opens it.
    package var identity: String { config + "/identity" }
    /// The recipients file, one age public key per line.
    package var recipients: String { config + "/public/recipients" }
    /// Faults of the recording that the person has acknowledged.
    package var acknowledgements: String { state + "/acknowledged" }
    /// The settings file.
    package var settings: String { config + "/public/settings.json" }
    /// The folder of grants: their keys, which sign releases and withdrawals, and their notes.
    package var grants: String { config + "/grants" }
    /// The folder of the purposes that the person imported.
    package var purposes: String { config + "/purposes" }
    /// The folder of drafts, and of what is remembered of releases and their logs.
    package var releases: String { state + "/releases" }
    /// The folder from which anything may fetch what was released; it is ciphertext.
    package var outbox: String { state + "/outbox" }
    /// The folder of the holder, with its file and the folders for requests.
    package var holder: String { state + "/holder" }
    /// What the holder says about openings.
    package var openings: String { holder + "/openings" }
    /// Says that the companion attended in this login.
    package var attended: String { runtime + "/attended" }
    /// Says that the companion had the notice shown in this login.
    package var asked: String { runtime + "/asked" }
    /// The page that `mcictl report` opens; plaintext in memory.
    package var report: String { runtime + "/report.html" }
    /// The control socket.
    package var socket: String { runtime + "/control" }

    /// Removes the page of an earlier `mcictl report`: it shows what is erased.
    package func removeReport() {
        if Disk.exists(report) { Disk.remove(report) }
    }
}
