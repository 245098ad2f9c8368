// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Policy
package import Signing

/// Where things are, by the XDG base directory specification.
package struct Paths: Equatable, Sendable {
    /// Ring and controls.
    package var state: String
    /// Identity, and in `public` what the daemon reads.
    package var config: String
    /// The control socket.
    package var runtime: String
    /// The policy: `/etc/mci/policy.json`, or where there is none what `MCI_POLICY` names.
    package var policy: PolicyFile

    /// Finds the folders from the environment.
    ///
    /// Relative values are ignored, as the specification asks.
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

    package var ring: String { state + "/ring.db" }
    /// What the ring must hold, kept beside it.
    var ringHead: String { ring + ".head" }
    /// The recorder's own signing key.
    package var deviceKey: String { state + "/device.key" }
    /// What was counted in all runs together.
    package var accounts: String { state + "/accounts.json" }
    package var controls: String { state + "/controls.json" }
    /// The two copies of the highest numbers ever given.
    package var highWater: HighWaterFiles {
        HighWaterFiles(inState: state + "/marks", inConfig: config + "/public/marks")
    }
    /// Held by the one daemon that records.
    package var daemonLock: String { state + "/mcid.pid" }
    /// The private key; the daemon never opens it.
    package var identity: String { config + "/identity" }
    package var recipients: String { config + "/public/recipients" }
    /// Faults of the recording of which the person said that they are known.
    package var acknowledgements: String { state + "/acknowledged" }
    package var settings: String { config + "/public/settings.json" }
    package var socket: String { runtime + "/control" }
}
