// SPDX-License-Identifier: Apache-2.0

import Capture
package import Control
import Events
import Gate
import Settings
import Storage

extension Recorder {
    /// Carries out what the person asked for.
    ///
    /// - Parameter call: as it came over the socket.
    /// - Returns: the answer; what it says is in force and on disk.
    /// - Throws: a ``Refusal`` with a sentence and, where there is one, the next command.
    package func handle(_ call: ControlCall) throws(Refusal) -> ControlReply {
        switch call {
        case .getStatus, .monitor: break
        case .pause(let call): return try pause(call)
        case .resume:
            try change { $0.pause = nil }
        case .consent(let receipt):
            guard Consent.isValid(receipt) else {
                throw Refusal(
                    "The receipt is for another user, host or notice.",
                    next: "mcictl consent"
                )
            }
            // A batch is sealed to one key: the one that the receipt names.
            path.batching.flush(at: environment.clock(), closing: true)
            path.batching.store.loadRecipients()
            guard path.batching.store.recipients == receipt.recipients else {
                throw Refusal(
                    "The receipt names other keys than the recipients file.",
                    next: "mcictl consent"
                )
            }
            try change { $0.consent = receipt }
        case .withdraw:
            closeNow { $0.hasConsent = false }
            // Stored before the answer: after it nothing is written.
            path.batching.flush(at: environment.clock(), closing: true)
            path.batching.store.dropWaiting()
            try change { $0.consent = nil }
        case .forget(let call): return try forget(call)
        case .reload:
            // What has happened belongs to the old settings.
            if isConnected { drain(environment.clock()) }
            reload()
            update(at: environment.clock())
        case .flush:
            let now = environment.clock()
            if isConnected { drain(now) }
            path.batching.flush(at: now, closing: false)
        }
        return ControlReply(status: status)
    }

    /// What the daemon says of itself.
    package var status: Status {
        let (state, reason) = stateAndReason
        let detail = path.gate.conditions.keyDetail
        var status = Status(
            state: state,
            since: stateSince.text,
            keyDetail: detail.rawValue,
            version: environment.version
        )
        status.reason = reason
        status.until = controls.pause?.until
        if detail == .full { status.keyDetailUntil = settings.keyDetailUntil }
        status.lastStored = path.batching.lastEvent
            .map { WallTime($0.milliseconds + path.batching.wallOffset).text }
        status.pendingErasure = path.batching.store.hasPendingErasure
        if let contents = path.batching.store.ring?.contents {
            status.ring.bytes = contents.bytes
            status.ring.cap = contents.cap
            status.ring.batches = contents.batches
            status.ring.oldest = contents.oldest.map { WallTime($0).text }
            status.ring.newest = contents.newest.map { WallTime($0).text }
        } else {
            status.ring.cap = environment.ringCap
        }
        // Releases that the gate implied are stored without having been seen.
        let lost = min(path.batching.store.lost, path.admitted)
        status.events.seen = path.seen
        status.events.admitted = path.admitted - lost
        status.events.suppressed = path.suppressed
        status.events.lost = lost
        return status
    }

    /// The state, and why when it is closed.
    var stateAndReason: (Status.State, String?) {
        switch path.gate.conditions.closedBy {
        case nil: (.recording, nil)
        case .paused: (.paused, nil)
        case .disconnected: (.reconnecting, nil)
        case let reason: (.closed, fault ?? path.batching.store.failure ?? reason?.name)
        }
    }

    // MARK: Pause

    private func pause(_ call: ControlCall.PauseCall) throws(Refusal) -> ControlReply {
        // First of all it takes effect; what is still to be read is never read.
        let before = controls.pause
        let now = environment.clock()
        let length = try Self.length(call, now)
        closeNow { $0.isPaused = true }
        var pause = Pause(from: now, length: length, bootID: environment.bootID)
        if let before { pause.since = before.since }
        controls.pause = pause
        try change { $0.pause = pause }
        var reply = ControlReply()
        if let seconds = call.forgetSeconds, seconds > 0 {
            let since = now.wall.milliseconds - Int64(seconds) * 1000
            reply.erased = erase(since...max(since, now.wall.milliseconds))
            reply.pending = path.batching.store.hasPendingErasure
        }
        reply.status = status
        reply.wasPaused = before != nil
        reply.previousUntil = before?.until
        return reply
    }

    /// Milliseconds of a pause; nil for one without end.
    private static func length(
        _ call: ControlCall.PauseCall,
        _ now: Moment
    ) throws(Refusal) -> Int64? {
        if let forget = call.forgetSeconds, !(0...longestPause).contains(forget) {
            throw Refusal("A pause cannot forget that much.")
        }
        if let seconds = call.seconds {
            guard (1...longestPause).contains(seconds) else {
                throw Refusal("A pause lasts from a second to a year, or until it is resumed.")
            }
            return Int64(seconds) * 1000
        }
        guard let until = call.until else { return nil }
        guard let end = WallTime(until), end > now.wall,
            end.milliseconds - now.wall.milliseconds <= Int64(longestPause) * 1000
        else { throw Refusal("The end of the pause is not a time within the next year.") }
        return end.milliseconds - now.wall.milliseconds
    }

    private static let longestPause = 366 * 86_400

    // MARK: Changes of the controls

    /// Closes the gate before anything else is done: the source is let go unread.
    private func closeNow(_ close: (inout Gate.Conditions) -> Void) {
        let wasOpen = path.gate.conditions.closedBy == nil
        let cut = letGoOfSource(environment.clock())
        var conditions = path.gate.conditions
        conditions.isConnected = false
        close(&conditions)
        path.set(conditions, at: cut)
        if wasOpen { path.batching.store.flushSoon() }
    }

    /// Writes changed controls, then lets them take effect.
    private func change(_ change: (inout Controls) -> Void) throws(Refusal) {
        var new = controls
        change(&new)
        do throws(SettingsError) {
            let lock = try controlsFile.lock()
            if fault != nil, (try? controlsFile.read()) == nil { controlsFile.setAside() }
            try controlsFile.write(new)
            noteControls()
            _ = consume lock
        } catch {
            // Stricter is in force all the same; looser is not.
            unwritten = new
            keepUnwritten()
            update(at: environment.clock())
            throw Refusal(
                "\(error.description) What was asked is not on disk and will not outlast a restart.",
                next: "mcictl status"
            )
        }
        controls = new
        unwritten = nil
        if fault != nil { reload() }
        update(at: environment.clock())
    }

    // MARK: Forget

    private func forget(_ call: ControlCall.ForgetCall) throws(Refusal) -> ControlReply {
        func bound(_ text: String?, _ open: Int64) throws(Refusal) -> Int64 {
            guard let text else { return open }
            guard let time = WallTime(text) else {
                throw Refusal("A bound of the stretch is no time.")
            }
            return time.milliseconds
        }
        let since = try bound(call.since, 0)
        let until = try bound(call.until, Int64.max / 2)
        guard since <= until else { throw Refusal("The stretch ends before it begins.") }
        var reply = ControlReply()
        readEverything()
        let batches = path.batching.store.batches(touching: since...until).count
        reply.batches = call.dryRun ? batches : erase(since...until)
        reply.pending = path.batching.store.hasPendingErasure
        return reply
    }

    /// Stores everything that has happened up to now, so that it is counted and erased like the rest.
    private func readEverything() {
        let now = environment.clock()
        if isConnected { drain(now) }
        path.batching.store.openIfThere()
        path.batching.flush(at: now, closing: true)
    }

    /// Erases what touches a stretch of wall time; the number of batches.
    private func erase(_ range: ClosedRange<Int64>) -> Int {
        readEverything()
        let batches = path.batching.store.batches(touching: range)
        path.batching.store.erase(batches)
        path.batching.forgetLastEvent()
        return batches.count
    }
}
