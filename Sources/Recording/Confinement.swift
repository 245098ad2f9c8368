// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Gate
import Logging
import Person

/// What confines the daemon, and how that is found out again and again.
package struct Confinement {
    /// Milliseconds that a proof holds: what arrives later is read only after another one.
    package static let validity: Int64 = 60_000

    /// The names of the layers, for the status.
    package var layers: [String]
    /// Whether there is none by the person's own choice; it stands in every batch.
    package var isWaived: Bool
    /// The paths that are out of reach because something else is there now than at the start.
    package var replaced: () -> [String]
    /// The file of the X server's cookies: another one there matters only where the server cannot be
    /// reached with what the first one held.
    package var authority: String?
    /// Tries what must be impossible; a sentence where it is not.
    package var attest: () -> String?

    package init(
        layers: [String] = [],
        isWaived: Bool = false,
        attest: @escaping () -> String? = { nil },
        replaced: @escaping () -> [String] = { [] },
        authority: String? = nil
    ) {
        self.layers = layers
        self.isWaived = isWaived
        self.replaced = replaced
        self.authority = authority
        self.attest = attest
    }

    /// The sentence for the person where a path that is needed now is out of reach; nil where all is well.
    ///
    /// - Parameter needsAuthority: whether the X server does not let mcid in with the cookies it has.
    /// - Returns: one sentence.
    func outOfReach(needsAuthority: Bool) -> String? {
        let paths = replaced().filter { $0 != authority || needsAuthority }
        guard !paths.isEmpty else { return nil }
        let verb = paths.count == 1 ? "was" : "were"
        let it = paths.count == 1 ? "it" : "them"
        return paths.joined(separator: ", ")
            + " \(verb) replaced after mcid started, which cannot use "
            + "\(it) until it is started again."
    }
}

extension Recorder {
    /// What mcid needs now and can reach only after another start; nil where there is none.
    var outOfReach: String? {
        environment.confinement.outOfReach(needsAuthority: stateAndReason.0 == .reconnecting)
    }

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
        var conditions = pipeline.gate.conditions
        conditions.isConnected = false
        conditions.isSound = false
        pipeline.set(conditions, at: time)
        return false
    }
}
