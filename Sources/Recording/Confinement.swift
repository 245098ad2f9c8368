// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Gate
import Logging
import Settings

/// What confines the daemon, and how that is found out again and again.
package struct Confinement {
    /// Milliseconds that a proof holds: what arrives later is read only after another one.
    package static let validity: Int64 = 60_000

    /// The names of the layers, for the status.
    package var layers: [String]
    /// Whether there is none by the person's own choice; it stands in every batch.
    package var isWaived: Bool
    /// Tries what must be impossible; a sentence where it is not.
    package var attest: () -> String?

    package init(
        layers: [String] = [],
        isWaived: Bool = false,
        attest: @escaping () -> String? = { nil }
    ) {
        self.layers = layers
        self.isWaived = isWaived
        self.attest = attest
    }
}

extension Recorder {
    /// Whether what waits may be read: a proof of the sandbox is at most ``Confinement/validity`` old.
    ///
    /// It is asked before each reading, so that an idle daemon is not woken for it: before the first
    /// event after a quiet hour the proof comes first, and the event is read after it. Where the
    /// sandbox does not hold, the source is let go unread and ``failure`` tells why.
    func isConfined(_ now: Moment) -> Bool {
        let monotonic = now.monotonic.milliseconds
        guard monotonic - provenAt >= Confinement.validity else { return true }
        guard let sentence = environment.confinement.attest() else {
            provenAt = monotonic
            return true
        }
        environment.log.critical("The sandbox does not hold, so mcid ends")
        fault = sentence
        failure = Refusal(sentence, next: "mcictl doctor")
        let time = letGoOfSource(now)
        var conditions = path.gate.conditions
        conditions.isConnected = false
        conditions.isSound = false
        path.set(conditions, at: time)
        return false
    }
}
