// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Gate
import Logging
import Person

/// The daemon's sandbox, and how it is verified repeatedly.
package struct Confinement {
    /// Milliseconds that a verification is valid; input is read later only after another one.
    package static let validity: Int64 = 60_000

    /// The names of the active layers, for the status.
    package var layers: [String]
    /// Whether the person waived the sandbox; every batch is then flagged.
    package var isWaived: Bool
    /// Returns the paths that are unreachable because they were replaced since the start.
    package var replaced: () -> [String]
    /// Path of the X server's cookie file; nil for none.
    ///
    /// Its replacement matters only when the server rejects the cookies that mcid has.
    package var authority: String?
    /// Attempts forbidden actions; returns a sentence when one succeeds.
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

    /// A sentence for the person when a path that is needed now is unreachable; nil otherwise.
    ///
    /// - Parameter needsAuthority: whether the X server rejects the cookies that mcid has.
    /// - Returns: one English sentence.
    func outOfReach(needsAuthority: Bool) -> String? {
        let paths = replaced().filter { $0 != authority || needsAuthority }
        guard !paths.isEmpty else { return nil }
        let verb = paths.count == 1 ? "was" : "were"
        let it = paths.count == 1 ? "it" : "them"
        return paths.joined(separator: ", ")
            + " \(verb) replaced after mcid started. mcid cannot use "
            + "\(it) until it is started again."
    }
}

extension Recorder {
    /// What mcid needs now and can reach only after a restart; nil for nothing.
    var outOfReach: String? {
        environment.confinement.outOfReach(needsAuthority: stateAndReason.0 == .reconnecting)
    }

    /// Whether pending events may be read: the sandbox was verified within
    /// ``Confinement/validity``.
    ///
    /// It is called before each read, so an idle daemon is not woken for it. Before the first event
    /// after a quiet hour comes the verification, then the read. When the sandbox does not hold,
    /// the source is disconnected unread, and ``failure`` says why.
    func isConfined(_ now: Moment) -> Bool {
        let monotonic = now.monotonic.milliseconds
        guard monotonic - provenAt >= Confinement.validity else { return true }
        guard let sentence = environment.confinement.attest() else {
            provenAt = monotonic
            return true
        }
        environment.log.critical("The sandbox does not hold, so mcid exits")
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
