// SPDX-License-Identifier: Apache-2.0

import Capture
package import Control
import Events
import Gate
import Logging
package import Person
import Policy
import Storage
import System

extension Recorder {
    /// Carries out a request of the person.
    ///
    /// - Parameters:
    ///   - call: as it came over the socket.
    ///   - client: the number of its connection.
    /// - Returns: the answer; what it says is in force and on disk.
    /// - Throws: a ``Refusal`` with a sentence and, where there is one, the next command.
    package func handle(_ call: ControlCall, from client: Int = 0) throws(Refusal) -> ControlReply {
        switch call {
        case .getStatus, .monitor:
            // The time of the last read may reveal when keys were pressed.
            catchUp(environment.clock())
            _ = source.lookForPrompts()
        case .attend(let call): try attend(call, from: client)
        case .leave:
            attendance.leave()
            applySession()
            statusChanged = true
        case .pause(let call): return try pause(call)
        case .resume:
            attendance.overrule()
            try change { $0.pause = nil }
        case .consent(let receipt):
            pipeline.openBatch.flush(at: environment.clock(), closing: true)
            pipeline.openBatch.loadKeys()
            let key = pipeline.openBatch.store.deviceKeyText
            noteChangedFiles()
            guard Consent.isValid(receipt, deviceKey: key, under: policy) else {
                throw Refusal(
                    "The receipt is for another user, host, notice, policy or recorder.",
                    next: "mcictl consent"
                )
            }
            // A batch may be sealed only to the keys that the receipt names.
            guard pipeline.openBatch.store.recipients == receipt.recipients else {
                throw Refusal(
                    "The keys in the receipt differ from those in the recipients file.",
                    next: "mcictl consent"
                )
            }
            try change { $0.consent(receipt) }
        case .withdraw:
            closeNow { $0.hasConsent = false }
            // Store before the answer: nothing is written after it.
            pipeline.openBatch.flush(at: environment.clock(), closing: true)
            pipeline.openBatch.store.dropWaiting()
            try change { $0.withdraw(at: environment.clock().wall) }
        case .forget(let call): return try forget(call)
        case .exempt(let call): return try exempt(call)
        case .listExemptions:
            noteChangedFiles()
            update(at: environment.clock())
            var reply = ControlReply()
            reply.exemptions = controls.exemptions
            return reply
        case .answerExemption(let call): return try answer(call)
        case .decideExemption(let decision): return try decide(decision)
        case .exclude(let call): return try exclude(call)
        case .explain: return explain()
        case .demonstrate(let call): return try demonstrate(call)
        case .endDemonstration(let outcome): return try endDemonstration(outcome)
        case .reload:
            // What has already happened falls under the old settings.
            if isConnected { drain(environment.clock()) }
            reload()
            update(at: environment.clock())
        case .flush:
            let now = environment.clock()
            if isConnected { drain(now) }
            pipeline.openBatch.flush(at: now, closing: false)
            pipeline.openBatch.store.checkFiles()
            pipeline.openBatch.store.finishRebuilding()
        }
        return ControlReply(status: status)
    }

    /// Reads everything up to now, before an answer describes it.
    func catchUp(_ now: Moment) {
        guard !isConnected else { return drain(now) }
        noteChangedFiles()
        update(at: now)
    }

    /// The daemon's status as the control interface returns it.
    package var status: Status {
        let (state, reason) = stateAndReason
        let detail = pipeline.gate.conditions.keyDetail
        var status = Status(
            state: state,
            since: stateSince.text,
            keyDetail: detail.rawValue,
            version: environment.version
        )
        status.reason = reason
        status.until = controls.pause?.until
        if detail.revealsText { status.keyDetailUntil = settings.keyDetailUntil }
        // The end of a typing run is stored at its rounded end, which may be in the future.
        status.lastStored = pipeline.openBatch.lastEvent
            .map { min($0, environment.clock().monotonic) }
            .map { WallTime($0.milliseconds + pipeline.openBatch.wallOffset).text }
        status.pendingErasure = pipeline.openBatch.store.hasPendingErasure
        if let contents = pipeline.openBatch.store.ring?.contents {
            status.ring.bytes = contents.bytes
            status.ring.cap = contents.cap
            status.ring.batches = contents.batches
            status.ring.oldest = contents.oldest.map { WallTime($0).text }
            status.ring.newest = contents.newest.map { WallTime($0).text }
        } else {
            status.ring.cap = pipeline.openBatch.store.cap
        }
        status.ring.retention = settings.within(restrictions).retentionTime / 1000
        status.loosened = Loosening.all(controls, settings, policy, at: environment.clock().wall)
        status.recipients = pipeline.openBatch.store.recipients
        status.exemptions = controls.exemptions.count {
            Exemption.State(rawValue: $0.state) != .ended
        }
        status.questions = controls.exemptions.filter {
            [.denied, .expired].contains(Exemption.State(rawValue: $0.state))
        }
        .map(\.id)
        status.policy = policy?.hash
        status.sandbox = environment.confinement.layers
        status.isSandboxWaived = environment.confinement.isWaived
        status.events = events
        status.total = accounts.events + events
        status.totalSince = accounts.since
        var keys = Status.Keys()
        keys.stored = pipeline.openBatch.keyItems
        keys.syntheticRuns = pipeline.openBatch.injectedRuns
        status.keys = keys
        let alerts =
            [controls.putBack?.description, accountsFault?.description].compactMap(\.self)
            + pipeline.openBatch.store.alerts
        status.alerts = alerts
        status.notices =
            alerts
            + [
                outOfReach.map { $0 + " Next: systemctl --user restart mcid" },
                pipeline.openBatch.isLocked ? nil : Self.unlocked,
                pipeline.openBatch.store.clockNotice,
            ]
            .compactMap(\.self) + source.notices
        status.asking = asking
        status.mark = mark
        status.session = session
        status.demonstration = demonstration
        return status
    }

    /// The mark on the screen; nil while there is none.
    private var mark: Status.Mark? {
        guard let report = source.mark else { return nil }
        let now = environment.clock()
        let age = max(0, now.monotonic.milliseconds - report.since.milliseconds)
        return Status.Mark(
            isSeen: report.isSeen,
            since: WallTime(now.wall.milliseconds - age).text,
            monitors: report.monitors,
            corner: settings.mark.corner.rawValue,
            isExact: settings.mark.isExact,
            hiddenBy: report.cause?.rawValue
        )
    }

    /// The program whose prompt keeps the keys of the terminal in front out of the recording; nil
    /// for none.
    var asking: AskingTerminal? {
        guard let asking = source.asking,
            restrictions.exclusions.contains(where: \.isForPrompts)
        else { return nil }
        let now = environment.clock()
        let age = max(0, now.monotonic.milliseconds - asking.since.milliseconds)
        return AskingTerminal(
            terminal: "/dev/pts/\(asking.terminal)",
            program: asking.program,
            since: WallTime(now.wall.milliseconds - age).text
        )
    }

    /// A missing safeguard: the kernel did not lock the memory of the open batch.
    private static let unlocked =
        "The memory of the open batch could not be locked, so unsealed data may be written to swap."
        + " Next: raise the limit (LimitMEMLOCK=1M in the unit, or ulimit -l), then restart mcid."

    /// The counts of this run: seen = admitted + suppressed + lost.
    private var events: EventCounts {
        // Releases that the gate adds are stored without having been seen.
        let lost = min(pipeline.openBatch.store.lost, pipeline.admitted)
        var events = EventCounts()
        events.seen = pipeline.seen
        events.admitted = pipeline.admitted - lost
        events.suppressed = pipeline.suppressed
        events.lost = lost
        return events
    }

    /// Milliseconds between two saves of the counters.
    ///
    /// They are rare on purpose: two of them would reveal how much was typed in between.
    static let accountsInterval: Int64 = 3_600_000

    /// Writes the sum of the counts of all runs.
    func saveAccounts(_ now: Moment) {
        accountsSaved = now.monotonic.milliseconds
        var all = accounts
        if all.since.isEmpty { all.since = stateSince.text }
        all.events = all.events + events
        guard all.events != accounts.events else { return }
        noteChangedAccounts()
        accountsFile.write(all)
        accountsSeen = Disk.fingerprint(environment.paths.accounts)
    }

    /// Reports that the counters file was changed during this run; counting continues.
    private func noteChangedAccounts() {
        let path = environment.paths.accounts
        guard accountsSeen != Disk.fingerprint(path) else { return }
        accountsFault = accountsFile.find().fault ?? (Disk.exists(path) ? .damaged : .missing)
        environment.log.warning("The accounts file is not the one last written")
    }

    /// The state, and the reason when it is closed.
    var stateAndReason: (Status.State, String?) {
        switch pipeline.gate.conditions.closedBy {
        case nil: (.recording, nil)
        case .paused: (.paused, nil)
        case .noConsent where controls.putBack != nil && fault == nil:
            (.closed, controls.putBack?.description)
        case .noConsent where controls.consent != nil && fault == nil:
            (.closed, Status.outdatedConsent)
        case .disconnected: (.reconnecting, nil)
        case let reason: (.closed, fault ?? pipeline.openBatch.store.failure ?? reason?.name)
        }
    }

    /// Whether nothing but a consent is missing; one that is outdated or was put back is not meant.
    package var lacksConsent: Bool { stateAndReason.1 == GapReason.noConsent.name }

    // MARK: Pause

    private func pause(_ call: ControlCall.PauseCall) throws(Refusal) -> ControlReply {
        // It takes effect first; unread events are never read.
        let before = controls.pause
        let now = environment.clock()
        let asked = try Self.length(call, now)
        let length = policy.map { $0.capped(pause: asked) } ?? asked
        closeNow { $0.isPaused = true }
        var pause = TimeLimit(from: now, length: length, bootID: environment.bootID)
        if let before { pause.since = before.since }
        controls.pause = pause
        try change { $0.pause = pause }
        var reply = ControlReply()
        if let seconds = call.forgetSeconds, seconds > 0 {
            let since = now.wall.milliseconds - Int64(seconds) * 1000
            readEverything()
            let found = pipeline.openBatch.store.find(
                touching: since...max(since, now.wall.milliseconds)
            )
            guard let found else { throw Self.unreadableRing }
            erase(found)
            reply.erased = found.count
            reply.pending = pipeline.openBatch.store.hasPendingErasure
        }
        reply.status = status
        reply.wasPaused = before != nil
        reply.previousUntil = before?.until
        return reply
    }

    /// The length of a pause in milliseconds; nil for one without end.
    private static func length(
        _ call: ControlCall.PauseCall,
        _ now: Moment
    ) throws(Refusal) -> Int64? {
        if let forget = call.forgetSeconds, !(0...maxPause).contains(forget) {
            throw Refusal("A pause cannot erase that much.")
        }
        guard call.seconds == nil || call.until == nil else {
            throw Refusal("A pause has a length or an end, not both.")
        }
        if let seconds = call.seconds {
            guard (1...maxPause).contains(seconds) else {
                throw Refusal("A pause lasts from one second to one year, or until you resume.")
            }
            return Int64(seconds) * 1000
        }
        guard let until = call.until else { return nil }
        guard let end = WallTime(until), end > now.wall,
            end.milliseconds - now.wall.milliseconds <= Int64(maxPause) * 1000
        else { throw Refusal("The end of the pause is not a time within the next year.") }
        return end.milliseconds - now.wall.milliseconds
    }

    private static let maxPause = 366 * 86_400

    // MARK: Changes of the controls

    /// Closes the gate before anything else: the source is disconnected unread.
    func closeNow(_ close: (inout Gate.Conditions) -> Void) {
        let wasOpen = pipeline.gate.conditions.closedBy == nil
        let cut = letGoOfSource(environment.clock())
        var conditions = pipeline.gate.conditions
        conditions.isConnected = false
        close(&conditions)
        pipeline.set(conditions, at: cut)
        if wasOpen { pipeline.openBatch.store.flushSoon() }
    }

    /// Changes the rules of what is recorded; they are in force and on disk when this returns.
    func changeRules(_ edit: (inout Controls) throws(Refusal) -> Void) throws(Refusal) {
        // Edit the newest controls, whoever wrote them.
        noteChangedFiles()
        var new = controls
        try edit(&new)
        try change { $0 = new }
    }

    /// Writes changed controls, and then applies them.
    private func change(_ change: (inout Controls) -> Void) throws(Refusal) {
        noteChangedFiles()
        var new = controls
        change(&new)
        do throws(SettingsError) {
            let lock = try controlsFile.lock(patience: LockPatience.asked)
            if fault != nil, (try? controlsFile.read()) == nil { controlsFile.setAside() }
            new = try controlsFile.write(new)
            noteControls()
            _ = consume lock
        } catch {
            // A stricter change is in force anyway; a looser one is not.
            unwritten = new
            keepUnwritten()
            useControls()
            throw Refusal(
                "\(error.description) The change is not on disk and will not survive a restart.",
                next: "mcictl status"
            )
        }
        controls = new
        statusChanged = true
        unwritten = nil
        if fault != nil { reload() }
        useControls()
    }

    /// Applies the controls.
    private func useControls() {
        readRules()
        update(at: environment.clock())
    }

    // MARK: Forget

    private func forget(_ call: ControlCall.ForgetCall) throws(Refusal) -> ControlReply {
        func bound(_ text: String?, _ open: Int64) throws(Refusal) -> Int64 {
            guard let text else { return open }
            guard let time = WallTime(text) else {
                throw Refusal("“since” or “until” is not a time.")
            }
            return time.milliseconds
        }
        guard call.batches == nil || (call.since == nil && call.until == nil) else {
            throw Refusal(
                "Give “since” and “until”, or “batches”, not both."
            )
        }
        let since = try bound(call.since, 0)
        let until = try bound(call.until, Int64.max / 2)
        guard since <= until else { throw Refusal("“until” is earlier than “since”.") }
        var reply = ControlReply()
        readEverything()
        let selected =
            if let named = call.batches {
                pipeline.openBatch.store.find(named.compactMap { UInt64(exactly: $0) })
            } else {
                pipeline.openBatch.store.find(touching: since...until)
            }
        guard let found = selected else { throw Self.unreadableRing }
        reply.batches = found.count
        if !call.dryRun { erase(found) }
        reply.pending = pipeline.openBatch.store.hasPendingErasure
        return reply
    }

    /// Stores everything up to now, so that it is counted and erased like the rest.
    private func readEverything() {
        let now = environment.clock()
        if isConnected { drain(now) }
        pipeline.openBatch.store.checkFiles()
        pipeline.openBatch.flush(at: now, closing: true)
        pipeline.openBatch.store.finishRebuilding()
    }

    private static let unreadableRing = Refusal(
        "The ring cannot be read now. Nothing was erased.",
        next: "mcictl status"
    )

    private func erase(_ selection: SealedQueue.Selection) {
        pipeline.openBatch.store.erase(selection)
        environment.paths.removeReport()
        pipeline.openBatch.forgetLastEvent()
        pipeline.beginRunsAnew()
    }
}
