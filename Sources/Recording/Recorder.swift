// SPDX-License-Identifier: Apache-2.0

package import Capture
import Control
package import Events
package import Gate
package import Logging
package import Person
import Policy
import Sealing
package import Signing
import Storage
import System

/// Connects the stages: capture, gate, packing, sealing, storage.
///
/// Upstream: a source of events and the person's calls. Downstream: the ring. Promise: while the
/// gate is closed the source is disconnected, so no event can arrive. A pause, a withdrawal or an
/// exemption takes effect first, is then written to disk, and is then answered.
///
/// It has no thread, descriptor or clock of its own: the loop (or a test) reports what is ready,
/// and asks when to call again.
package final class Recorder {
    /// What the recorder needs from outside.
    package struct Environment {
        /// Where its files are.
        package var paths: Paths
        /// Reads the clocks.
        package var clock: () -> Moment
        /// The kernel's `boot_id`, 16 bytes.
        package var bootID: [UInt8]
        /// The id of the login session (`XDG_SESSION_ID`); empty if it is unknown.
        package var session = ""
        /// The version of mci, for the status.
        package var version: String
        /// Takes log messages; they never contain recorded content.
        package var log: Logger
        /// The free and total bytes of the disk on which a path lies; nil when unknown.
        package var space: (String) -> (free: Int64, whole: Int64)?
        /// The minute of the week in local time.
        package var weekMinute: (WallTime) -> WeekMinute
        /// Whether the kernel reports the wall clock as synchronised.
        package var isSynchronised: () -> Bool
        /// The daemon's sandbox.
        package var confinement: Confinement

        package init(
            paths: Paths,
            clock: @escaping () -> Moment,
            bootID: [UInt8],
            session: String = "",
            version: String,
            log: Logger,
            space: @escaping (String) -> (free: Int64, whole: Int64)? = Disk.space,
            weekMinute: @escaping (WallTime) -> WeekMinute = SystemClock.weekMinute,
            isSynchronised: @escaping () -> Bool = { false },
            confinement: Confinement = Confinement()
        ) {
            self.paths = paths
            self.clock = clock
            self.bootID = bootID
            self.session = session
            self.version = version
            self.log = log
            self.space = space
            self.weekMinute = weekMinute
            self.isSynchronised = isSynchronised
            self.confinement = confinement
        }
    }

    let environment: Environment
    let source: any EventSource
    /// The highest numbers ever given to files that could be reset to an older copy.
    package let marks: HighWaterKeeper
    let controlsFile: ControlsFile
    let accountsFile: EventCountersFile
    var controls = Controls()
    /// Fingerprint of the controls file when it was last read or written here.
    private var controlsSeen: [Int]?
    /// Controls that could not be written to disk.
    var unwritten: Controls?
    /// When another program last held the lock of the controls, in monotonic milliseconds.
    private var lockedOut: Int64?
    var settings = PersonSettings()
    /// The policy in force, if any.
    var policy: ManagedPolicy?
    /// Fingerprint of the policy's files when they were last read.
    private var policySeen: [Int]?
    /// The limits on what may be recorded, from the person and the policy.
    var restrictions = Restrictions()
    var rules = Rules()
    /// Why controls, settings or recipients are unusable; while it is set, nothing is captured.
    var fault: String?

    /// The demonstration whose end was stored last; its controls may not have been written yet.
    var storedEnd: Demonstration?
    /// What the companion reports of the session.
    var attendance: Attendance
    var pipeline: Pipeline
    var pacer = DrainPacer()
    var isConnected = false
    private var reconnect = Backoff()

    /// When the state in ``status`` began.
    var stateSince: WallTime
    private var noted: (state: Status.State, reason: String?, detail: KeyDetail)?
    /// The source's last notices about what it cannot record.
    private var sourceNotices: [String] = []
    /// Whether monitoring clients must be notified.
    package var statusChanged = false
    /// All events until this moment were read or given up.
    var readUntil: EventTime
    /// The counters of earlier runs.
    var accounts = EventCounters()
    /// What was wrong with the counters file when this run began; nil for nothing.
    var accountsFault: EventCountersFile.Fault?
    /// Fingerprint of the counters file when it was last read or written here.
    var accountsSeen: [Int]?
    /// When the counters were last saved, in monotonic milliseconds.
    var accountsSaved: Int64
    /// CLOCK_BOOTTIME minus CLOCK_MONOTONIC in milliseconds; it grows by the time suspended.
    var suspended: Int64
    /// Milliseconds for which the machine was suspended since the last look at the clocks.
    private var slept: Int64 = 0
    /// When the machine counts as awake, in monotonic milliseconds; nil for now.
    private var awakeFrom: Int64?
    /// When the sandbox was last verified, in monotonic milliseconds.
    var provenAt: Int64
    /// Why the daemon must end; nil while it need not.
    package var failure: Refusal?

    /// Makes a recorder with a closed gate; ``start()`` reads what the person wants.
    ///
    /// - Parameters:
    ///   - source: delivers the events.
    ///   - environment: what the recorder needs from outside.
    package init(_ source: any EventSource, _ environment: Environment) {
        self.source = source
        self.environment = environment
        marks = HighWaterKeeper(environment.paths.highWater)
        controlsFile = ControlsFile(environment.paths, marks)
        accountsFile = EventCountersFile(environment.paths, marks)
        let now = environment.clock()
        attendance = Attendance(
            environment.paths.attended,
            bootID: environment.bootID,
            session: environment.session
        )
        pipeline = Pipeline(environment, marks)
        stateSince = now.wall
        readUntil = now.monotonic
        accountsSaved = now.monotonic.milliseconds
        suspended = now.boottime - now.monotonic.milliseconds
        provenAt = now.monotonic.milliseconds
        if !pipeline.openBatch.isLocked {
            environment.log.warning("The open batch could not be locked into memory")
        }
    }

    // MARK: Life

    /// Reads controls and settings, and starts recording if that is allowed.
    ///
    /// - Throws: a ``Refusal`` when there is no recipient to seal to.
    package func start() throws(Refusal) {
        let now = environment.clock()
        reload()
        if pipeline.openBatch.store.recipients.isEmpty { throw Self.noRecipient }
        readAccounts()
        func monotonic(_ time: WallTime) -> EventTime {
            EventTime(min(time.milliseconds - now.wallOffset, now.monotonic.milliseconds))
        }
        // The newest end is rounded up to the minute, and that of a run to its step. A gap may be
        // reported as longer than it was, but is never missing.
        let rounding = SealedBatch.rounding + TypingRun.step
        let stopped = pipeline.openBatch.store.newest.map { WallTime($0.milliseconds - rounding) }
        pipeline.begin(stopped: stopped.map(monotonic) ?? now.monotonic)
        // A pause that began while nothing ran, or before a crash, counts from its own beginning.
        let paused = controls.pause.flatMap { WallTime($0.since) }.map(monotonic)
        update(at: now, closedSince: paused)
        environment.log.notice("Started", metadata: ["state": "\(status.state.rawValue)"])
    }

    /// Stores everything and disconnects from the X server.
    package func stop() {
        let now = environment.clock()
        if isConnected { drain(now) }
        _ = letGoOfSource(now)
        pipeline.recordClosure(until: now.monotonic)
        pipeline.openBatch.noteLosses()
        pipeline.openBatch.flush(at: now, closing: true)
        pipeline.openBatch.store.close(at: now)
        saveAccounts(now)
        environment.log.notice("Stopped")
    }

    /// Reads controls, settings and recipients again; an unreadable file closes the gate.
    func reload() {
        fault = nil
        noteControls()
        do {
            try readControls()
            settings = try SettingsFile(environment.paths.settings).read()
        } catch {
            fault = error.description
            environment.log.error(
                "Controls or settings cannot be used",
                metadata: ["cause": "\(error.code)"]
            )
        }
        readPolicy()
        keepUnwritten()
        readRules()
        pipeline.openBatch.loadKeys()
        pipeline.openBatch.store.use(settings.within(restrictions))
        if pipeline.openBatch.store.recipients.isEmpty { fault = fault ?? Self.noRecipient.reason }
    }

    /// Applies requests that could not be written, where they are stricter than the file.
    func keepUnwritten() {
        guard let unwritten else { return }
        if unwritten.pause != nil { controls.pause = unwritten.pause }
        if unwritten.consent == nil { controls.consent = nil }
        if unwritten.demonstration?.ended != nil || unwritten.demonstration == nil {
            controls.demonstration = nil
        }
        for record in unwritten.exemptions where !controls.exemptions.contains(record) {
            controls.exemptions.append(record)
        }
    }

    /// Reads the policy; an unusable one closes the gate, and the last usable one stays in force.
    private func readPolicy() {
        let file = environment.paths.policy
        policySeen = file.fingerprint
        do {
            policy = try file.read()
        } catch {
            fault = fault ?? error.description
            environment.log.error("The policy cannot be used")
        }
    }

    /// Reads files again that another process has changed.
    ///
    /// A pause may be written directly while the socket is unreachable, and the policy may be
    /// replaced.
    package func noteChangedFiles() {
        guard
            Disk.fingerprint(controlsFile.path) != controlsSeen
                || environment.paths.policy.fingerprint != policySeen
        else { return }
        reload()
    }

    /// Remembers the current state of the controls file.
    func noteControls() {
        controlsSeen = Disk.fingerprint(controlsFile.path)
    }

    /// Has the controls file read again at the next check.
    func forgetControls() {
        controlsSeen = nil
    }

    static let noRecipient = Refusal(
        "There is no key to seal to, so nothing can be recorded.",
        next: "mcictl consent"
    )

    // MARK: Conditions

    /// Makes gate and source agree with what the person wants at this moment.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - start: when a gate that is closed from the beginning was closed; nil for now.
    func update(at now: Moment, closedSince start: EventTime? = nil) {
        let before = pipeline.gate.conditions
        if let pause = controls.pause, pause.isOver(at: now, bootID: environment.bootID) {
            endPause()
        }
        endExemptions(at: now)
        tendDemonstration(at: now)
        useRules(at: now)
        var conditions = before
        conditions.hasConsent = hasConsent
        conditions.isPaused = controls.pause != nil
        conditions.sessionClosedBy = sessionClosedBy
        source.showMark(settings.mark)
        let usual = settings.keyDetail(at: now.wall)
        let chosen = runningDemonstration?.keyDetail(usual) ?? usual
        conditions.keyDetail = min(chosen, restrictions.keyDetail)
        conditions.leftOutBy = rules.leftOutBy
        conditions.isSound = fault == nil
        conditions.hasSpace = pipeline.openBatch.store.hasSpace
        conditions.isConnected = true
        (conditions.isAwake, conditions.isMarked) = (true, true)
        if conditions.closedBy == nil { conditions.isSound = pipeline.openBatch.store.open() }
        if conditions.closedBy == nil {
            connect(now)
            conditions.isSound = fault == nil
        }
        var time = now.monotonic
        if conditions.closedBy != nil, isConnected { time = letGoOfSource(now) }
        conditions.isConnected = isConnected
        // These do not end the connection, on which the mark is looked for.
        conditions.isAwake = awakeFrom == nil
        conditions.isMarked = isConnected && source.mark?.isSeen ?? true
        pipeline.openBatch.use(conditions.keyDetail)
        if conditions.closedBy == .paused, let start { time = start }
        pipeline.openBatch.mayStore = conditions.hasConsent
        pipeline.set(conditions, at: time)
        // A source that was connected all the time has said already what is in front.
        if before.closedBy != nil, conditions.closedBy == nil { source.repeatContexts() }
        noteState(now)
    }

    /// Whether there is a consent of this person, for this host, this notice and this recorder's
    /// key.
    var hasConsent: Bool {
        let store = pipeline.openBatch.store
        // Sealing to other keys than the receipt names was not consented to.
        return controls.consent?.recipients == store.recipients
            && Consent.isValid(controls.consent, deviceKey: store.deviceKeyText, under: policy)
    }

    /// Notifies the log and monitoring clients if the state has changed.
    func noteState(_ now: Moment) {
        let (state, reason) = stateAndReason
        let detail = pipeline.gate.conditions.keyDetail
        guard noted?.state != state || noted?.reason != reason || noted?.detail != detail else {
            return
        }
        if noted?.state != state || noted?.reason != reason { stateSince = now.wall }
        noted = (state, reason, detail)
        statusChanged = true
        environment.log.notice(
            "State changed",
            metadata: [
                "state": "\(state.rawValue)",
                "reason": "\(pipeline.gate.conditions.closedBy?.name ?? "none")",
                "key-detail": "\(detail.rawValue)",
            ]
        )
    }

    /// Removes an expired pause from disk; if that fails, the pause goes on.
    private func endPause() {
        var new = controls
        new.pause = nil
        guard save(new) else {
            environment.log.error(
                "The end of the pause could not be written, so the pause continues"
            )
            return
        }
    }

    /// Milliseconds that the loop, and thus everything else, waits for the lock of the controls.
    enum LockPatience {
        /// When the person waits for an answer.
        static let asked: Int64 = 1000
        /// When it is retried anyway.
        static let unasked: Int64 = 50
    }

    /// Replaces the controls on disk and here; on failure returns false and changes nothing.
    func save(_ new: Controls) -> Bool {
        let now = environment.clock().monotonic.milliseconds
        if let lockedOut, now - lockedOut < LockPatience.asked { return false }
        lockedOut = nil
        do throws(SettingsError) {
            let lock = try controlsFile.lock(patience: LockPatience.unasked)
            controls = try controlsFile.write(new)
            noteControls()
            _ = consume lock
            return true
        } catch {
            if error.code == .locked { lockedOut = now }
            return false
        }
    }

    /// Disconnects from the X server; unread events are never read.
    ///
    /// - Returns: the moment up to which everything was read.
    func letGoOfSource(_ now: Moment) -> EventTime {
        source.disconnect()
        defer { pacer.stop() }
        guard isConnected else { return now.monotonic }
        isConnected = false
        return pacer.due == nil ? now.monotonic : readUntil
    }

    private func connect(_ now: Moment) {
        guard !isConnected, reconnect.isDue(now.monotonic.milliseconds) else { return }
        do {
            try source.connect()
            isConnected = true
            awakeFrom = awakeFrom.map { _ in now.monotonic.milliseconds + Self.waking }
            reconnect = Backoff()
            readUntil = now.monotonic
            pacer.connected(at: now.monotonic.milliseconds)
        } catch {
            if reconnect.due == nil {
                environment.log.warning(
                    "X server could not be reached",
                    metadata: ["cause": "\(error.code)"]
                )
            }
            reconnect.failed(at: now.monotonic.milliseconds)
            if !error.isTransient { fault = error.description }
        }
    }

    // MARK: The loop's calls

    /// The descriptors to watch now: not all of them while a read is already due.
    package var descriptors: [Int32] {
        switch pacer.watch {
        case .all: source.descriptors
        case .prompt: source.promptDescriptors
        case .urgent: source.urgentDescriptors
        }
    }

    /// Notes that the source has events to read.
    ///
    /// - Parameter descriptors: the readable ones, as far as they are known.
    package func sourceBecameReadable(at descriptors: [Int32] = []) {
        let now = environment.clock().monotonic
        if pacer.due == nil { readUntil = now }
        let urgent = source.urgentDescriptors
        pacer.becameReadable(
            at: now.milliseconds,
            isUrgent: descriptors.contains { urgent.contains($0) }
        )
    }

    /// Does everything that is due: reads the source, ends pauses, stores batches, retries.
    package func tick() {
        let now = environment.clock()
        endLeases(at: now)
        noteSleep(now)
        if pipeline.openBatch.isSet(now.wallOffset) {
            // Earlier events have the times of the earlier clock.
            pipeline.openBatch.isBehind = true
            drain(now)
            pipeline.openBatch.isBehind = false
        }
        noteClocks(now)
        let isReadingDue = readingDue.map { $0 <= now.monotonic.milliseconds } ?? false
        if isReadingDue { drain(now) }
        update(at: now)
        let monotonic = now.monotonic.milliseconds
        let mustClose = pipeline.openBatch.closeDue.map { $0 <= monotonic } ?? false
        if pipeline.openBatch.store.isDue(monotonic) || mustClose {
            // The contents of a batch must not depend on the last read: keys trigger reads.
            if !isReadingDue { drain(now) }
            pipeline.openBatch.flush(at: now, closing: false)
        }
        pipeline.openBatch.store.tend(at: monotonic)
        pipeline.openBatch.noteLosses()
        if let due = pipeline.openBatch.store.expiryDue, due <= now.boottime {
            pipeline.openBatch.store.expire(at: now)
        }
        if pipeline.openBatch.store.hasSpace != pipeline.gate.conditions.hasSpace {
            update(at: now)
        }
        if accountsSaved + Self.accountsInterval <= monotonic, isConnected { saveAccounts(now) }
    }

    /// When ``tick()`` must be called at the latest, in monotonic milliseconds; nil for never.
    package var deadline: Int64? {
        let wantsConnection = pipeline.gate.conditions.closedBy == .disconnected
        let connection = wantsConnection ? reconnect.due : nil
        let openBatch = [pipeline.openBatch.store.due, pipeline.openBatch.closeDue]
        return ([readingDue, connection, attendance.due] + openBatch).compactMap(\.self).min()
    }

    /// When to read the source next; nil while nothing requires it.
    private var readingDue: Int64? {
        let isWaking = isConnected && awakeFrom != nil
        let waking = isWaking ? readUntil.milliseconds + Self.wakingLook : nil
        return [pacer.due, source.lookDue, waking].compactMap(\.self).min()
    }

    /// When a pause, an exemption, full key detail or a batch's retention ends, in CLOCK_BOOTTIME
    /// milliseconds.
    package var longDeadline: Int64? {
        let now = environment.clock()
        var left: [Int64] = []
        if let pause = controls.pause?.timeLeft(at: now, bootID: environment.bootID) {
            // 0 means that its end could not be written: retry every second.
            left.append(pause > 0 ? pause : 1000)
        }
        if let demonstration = controls.demonstration {
            // One whose end could not be written is tried again every second.
            left.append(runningDemonstration == nil ? 1000 : demonstration.timeLeft(at: now))
        }
        if let expiry = controls.timeToExpiry(at: now, bootID: environment.bootID) {
            left.append(expiry > 0 ? expiry : 1000)
        }
        if settings.keyDetail(at: now.wall).revealsText,
            let until = settings.keyDetailUntil.flatMap({ WallTime($0) })
        {
            left.append(until.milliseconds - now.wall.milliseconds)
        }
        if let due = pipeline.openBatch.store.expiryDue { left.append(due - now.boottime) }
        return left.min().map { now.boottime + max($0, 1) }
    }

    /// When something is due on the wall clock: rules that apply at certain hours.
    package var wallDeadline: WallTime? {
        rulesDue
    }

    /// Reads what has happened, unless the person's wishes have changed meanwhile.
    func drain(_ now: Moment) {
        // These changes come before the next event. So does the end of a pause or of full key
        // detail.
        noteChangedFiles()
        endLeases(at: now)
        update(at: now)
        guard isConnected, isConfined(now) else { return }
        do {
            let count = try Self.drain(source, now.monotonic, into: &pipeline)
            readUntil = now.monotonic
            noteMark(now)
            if source.notices != sourceNotices {
                sourceNotices = source.notices
                statusChanged = true
            }
            pacer.drained(
                count: count,
                at: now.monotonic.milliseconds,
                mayWait: !source.isDragging
            )
        } catch {
            environment.log.warning("X server lost")
            let time = letGoOfSource(now)
            var conditions = pipeline.gate.conditions
            conditions.isConnected = false
            pipeline.set(conditions, at: time)
        }
    }

    /// Closes the gate for as long as the mark could not be seen, and has the mark say what is
    /// recorded.
    private func noteMark(_ now: Moment) {
        let changes = source.takeMarkChanges()
        let wasAsleep = awakeFrom != nil
        for change in changes {
            if !change.isSeen, awakeFrom != nil { stayAsleep(at: now) }
            var conditions = pipeline.gate.conditions
            conditions.isMarked = change.isSeen
            pipeline.set(conditions, at: change.time)
            source.repeatContexts()
        }
        if let awakeFrom, now.monotonic.milliseconds >= awakeFrom, source.mark?.isSeen ?? true {
            self.awakeFrom = nil
        }
        if wasAsleep || !changes.isEmpty { update(at: now) }
        source.markFront(
            isLeftOut: pipeline.gate.isFrontLeftOut,
            isDemonstration: runningDemonstration != nil
        )
    }

    /// Keeps the gate closed until the mark was seen for some time after the machine woke.
    private func stayAsleep(at now: Moment) {
        awakeFrom = now.monotonic.milliseconds + Self.waking
    }

    /// Milliseconds of good looks at the mark after which the machine counts as awake.
    private static let waking: Int64 = 2000

    /// Milliseconds between two looks meanwhile.
    private static let wakingLook: Int64 = 500

    /// Reads the source into the pipeline, which is borrowed once for all events.
    private static func drain(
        _ source: any EventSource,
        _ now: EventTime,
        into pipeline: inout Pipeline
    ) throws(CaptureError) -> Int {
        try source.drain(now: now, into: &pipeline)
    }

    /// Closes the gate when the machine has slept, before anything is read.
    private func noteSleep(_ now: Moment) {
        let apart = now.boottime - now.monotonic.milliseconds
        slept = max(0, apart - suspended)
        suspended = apart
        guard slept >= 1000 else { return }
        stayAsleep(at: now)
        update(at: now)
    }

    /// Handles a suspension or a changed wall clock: times before and after go into different
    /// batches.
    private func noteClocks(_ now: Moment) {
        let slept = slept
        self.slept = 0
        let isSet = pipeline.openBatch.noteOffset(now.wallOffset)
        pipeline.openBatch.store.look(at: now, isSet: isSet)
        guard slept >= 1000 else { return }
        pipeline.openBatch.flush(at: now, closing: true)
        pipeline.beginRunsAnew()
        let from = EventTime(now.monotonic.milliseconds - slept)
        pipeline.openBatch.take(.gap(Gap(reason: .suspended, from: from, to: now.monotonic)))
    }
}

/// Waits longer after each failure, at most 1.6 seconds.
struct Backoff {
    private var pause: Int64 = 50
    private(set) var due: Int64?

    func isDue(_ now: Int64) -> Bool { due.map { $0 <= now } ?? true }

    mutating func failed(at now: Int64) {
        due = now + pause
        pause = min(pause * 2, 1600)
    }
}

extension Recorder.Environment {
    /// The clocks by which the ages of stored batches are counted.
    func reading(_ now: Moment) -> AgeClock.Reading {
        AgeClock.Reading(
            wall: now.wall.milliseconds,
            boottime: now.boottime,
            monotonic: now.monotonic.milliseconds,
            bootID: bootID,
            isSynchronised: isSynchronised()
        )
    }
}
