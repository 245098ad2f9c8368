// SPDX-License-Identifier: Apache-2.0

import Capture
import Events
import Gate
import Packing
import Signing

/// The stages behind the gate: the open batch, and the queue that takes it when it is sealed.
///
/// Upstream: the gate. Downstream: the ring. Promise: a batch spans at most a minute and has one
/// clock and one key detail, and its plaintext lives no longer than that. Where a typing run stands
/// among other items, and where it is cut, depends on whole steps alone.
struct OpenBatch: ~Copyable, GateSink {
    /// Maximum span of one batch in milliseconds, a whole number of steps.
    static let maxSpan = BatchLayout.maxSpan / TypingRun.step * TypingRun.step

    private let clock: () -> Moment
    private let flags: UInt8
    var builder = BatchBuilder()
    var store: SealedQueue
    /// Whether there is a consent: without one, not even a gap is stored.
    var mayStore = false
    private(set) var keyDetail = KeyDetail.shortcuts
    /// The latest time of a stored event; for a typing run, the step of its last key.
    private(set) var lastEvent: EventTime?
    /// Wall clock minus monotonic clock in the open batch, in milliseconds; nil while it is empty.
    private var batchOffset: Int64?
    /// Wall clock minus monotonic clock at the last reading of the clocks, in milliseconds.
    private var observedOffset: Int64?
    /// Whether the events being read are from before the wall clock was set.
    var isBehind = false
    /// Wall clock minus monotonic clock in the last batch header, in milliseconds.
    private var publishedOffset: Int64?
    /// The application in front at the end of the open batch; empty when unknown.
    private var app = ""
    /// When the open batch must end, in monotonic milliseconds; nil while it is empty.
    private(set) var closeDue: Int64?
    /// The number of stored key events and typing runs; rejected keys are not counted anywhere.
    private(set) var keyItems = 0
    /// How many of these are typing runs of injected keys.
    private(set) var injectedRuns = 0

    init(_ environment: Recorder.Environment, _ marks: HighWaterKeeper) {
        clock = environment.clock
        flags = environment.confinement.isWaived ? BatchHeader.unconfined : 0
        store = SealedQueue(environment, marks)
    }

    /// Whether the kernel keeps the open batch out of swap.
    var isLocked: Bool { builder.isLocked }

    /// Wall clock minus monotonic clock, of the open batch or else of now, in milliseconds.
    var wallOffset: Int64 { batchOffset ?? clock().wallOffset }

    mutating func take(_ output: GateOutput) {
        guard mayStore else { return }
        switch output {
        case .event(let event): return take(event)
        case .focus(let focus):
            prepare(for: focus.time, ending: .all)
            builder.append(output)
            app = focus.app
            appended(at: focus.time)
        case .gap(let gap):
            // A gap in the pointer's stream does not interrupt the text.
            prepare(for: gap.to, ending: gap.stream == .pointer ? nil : .all)
            builder.append(output)
            if gap.stream == nil { app = "" }
            appended(at: gap.to)
        case .device, .screen:
            // Remains of a full batch keep the descriptions of that batch.
            if !builder.admits(output) { closeAll() }
            builder.append(output)
        }
    }

    mutating func take(_ event: AdmittedEvent) {
        guard mayStore else { return }
        prepare(for: event.time, ending: event.endsRuns ? .own : nil)
        noteEvent(at: event.time)
        switch event.payload {
        case .typing(let key):
            let isNew = builder.type(
                event.device,
                event.time,
                continues: key.continues,
                isInjected: key.isInjected
            )
            if isNew {
                keyItems += 1
                if key.isInjected { injectedRuns += 1 }
            }
        case .key:
            keyItems += 1
            builder.append(event)
        default: builder.append(event)
        }
        appended(at: event.time)
    }

    mutating func take(_ motions: AdmittedMotions) {
        guard mayStore else { return }
        var rest = motions.steps.indices
        while let first = rest.first {
            let time = motions.steps[first].time
            prepare(for: time, ending: nil)
            let end = min(closeDue ?? 0, builder.tailDue?.milliseconds ?? .max)
            rest = builder.append(motions, rest, before: EventTime(end))
            appended(at: time)
        }
        if let time = motions.steps.last?.time { noteEvent(at: time) }
    }

    /// Remembers the latest event, which is not always the last one read: keys are read before
    /// movements.
    private mutating func noteEvent(at time: EventTime) {
        lastEvent = max(lastEvent ?? time, time)
    }

    /// Prepares the open batch for an item.
    ///
    /// - Parameters:
    ///   - time: of the item.
    ///   - ending: the open runs that precede the item, whatever its time.
    private mutating func prepare(for time: EventTime, ending: BatchBuilder.Tails?) {
        if store.hasLost { takeLosses() }
        if let due = closeDue, time.milliseconds >= due { closeDueBatch(due) }
        if closeDue == nil { begin(at: time) }
        while builder.hasTails,
            builder.commitTail(.due(time)) || ending.map({ builder.commitTail($0) }) == true
        {
            appended(at: time)
            if closeDue == nil { begin(at: time) }
        }
    }

    private mutating func appended(at time: EventTime) {
        store.becameDirty(at: time.milliseconds)
        if builder.isFull { closeFull() }
    }

    /// Stores losses as gaps, even when nothing else happens.
    mutating func noteLosses() {
        if mayStore, store.hasLost { takeLosses() }
    }

    /// Stores what the ring has lost as gaps.
    private mutating func takeLosses() {
        for stretch in store.takeLostStretches() {
            let batchOffset = wallOffset
            let from = EventTime(stretch.lowerBound - batchOffset)
            take(
                .gap(
                    Gap(reason: .lost, from: from, to: EventTime(stretch.upperBound - batchOffset))
                )
            )
        }
    }

    /// Stores the open batch.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - closing: whether the next item begins a new batch. A batch that stays open is stored
    ///     again in the same slot when it has grown.
    mutating func flush(at now: Moment, closing: Bool) {
        guard let closeDue else { return }
        if closing { return closeAll() }
        if now.monotonic.milliseconds >= closeDue { return closeDueBatch(closeDue) }
        guard store.isDirty else { return }
        if let batch = builder.pack() { store.put(batch) }
        store.flushed()
        if builder.isFull { advance() }
    }

    /// Forgets the time of the last event, because that event was erased.
    mutating func forgetLastEvent() {
        lastEvent = nil
    }

    /// Begins a new batch if the key detail differs.
    mutating func use(_ detail: KeyDetail) {
        guard detail != keyDetail else { return }
        closeAll()
        keyDetail = detail
    }

    /// The demonstration to which the batches belong; nil for none.
    private var demonstration: Demonstration?

    /// Begins a new batch if another demonstration goes on, or none any more.
    ///
    /// The begin of one is stored even if no input follows.
    mutating func use(_ new: Demonstration?, at time: EventTime) {
        guard new != demonstration else { return }
        closeAll()
        demonstration = new
        builder.use(new)
        guard new != nil, mayStore else { return }
        begin(at: time)
        store.becameDirty(at: time.milliseconds)
    }

    /// Stores the end of a demonstration in a batch of its own, which always has room for it.
    mutating func end(_ ended: Demonstration, at time: EventTime) {
        closeAll()
        if mayStore {
            builder.use(ended)
            begin(at: time)
            store.becameDirty(at: time.milliseconds)
            closeFull()
        }
        demonstration = nil
        builder.use(nil)
    }

    /// Reads the keys again; another number of recipients needs batches of another size.
    mutating func loadKeys() {
        closeAll()
        store.loadKeys()
        if !store.recipients.isEmpty { builder.use(recipients: store.recipients.count) }
    }

    /// Whether the wall clock was set, or the machine slept, since the last reading of the clocks.
    func isSet(_ batchOffset: Int64) -> Bool {
        observedOffset.map { abs($0 - batchOffset) >= 100 } ?? false
    }

    /// Begins a new batch if the wall clock was set.
    ///
    /// - Returns: whether it was.
    mutating func noteOffset(_ new: Int64) -> Bool {
        defer { observedOffset = new }
        guard isSet(new) else { return false }
        closeAll()
        return true
    }

    private mutating func begin(at time: EventTime) {
        // Starts at a step: whether a movement or a key came first must not show.
        let base = TypingRun.begin(of: time)
        builder.begin(header(store.nextSequence(), base: base))
        closeDue = Self.due(of: base)
    }

    /// When a batch must end that begins at a moment: at a step, so that no typing run crosses its
    /// end.
    private static func due(of begin: EventTime) -> Int64 {
        TypingRun.begin(of: begin).milliseconds + maxSpan
    }

    /// Stores everything, including what does not fit into the open batch.
    private mutating func closeAll() {
        while closeDue != nil {
            guard store.isDirty else { return discard() }
            while !builder.isFull, builder.hasTails { _ = builder.commitTail() }
            closeFull()
        }
    }

    /// Stores the open batch because its time is over.
    ///
    /// A typing run that continues past its end is cut there.
    private mutating func closeDueBatch(_ due: Int64) {
        let edge = EventTime(due)
        guard store.isDirty || builder.hasTail(behind: edge) else { return discard() }
        while !builder.isFull, builder.commitTail(.before(edge)) {}
        closeFull()
    }

    /// Stores the open batch; what does not fit begins the next one.
    private mutating func closeFull() {
        if let batch = builder.pack(withTails: false) { store.put(batch) }
        advance()
    }

    /// Discards an open batch that is already stored in its current state.
    private mutating func discard() {
        builder.discard(header(0, base: clock().monotonic))
        closeDue = nil
        batchOffset = nil
    }

    /// Ends the batch that was packed; what did not fit begins the next one.
    private mutating func advance() {
        let number = builder.hasRest || builder.hasTails ? store.nextSequence() : 0
        builder.advance(header(number, base: clock().monotonic))
        store.flushed()
        closeDue = nil
        batchOffset = builder.isEmpty ? nil : batchOffset
        guard !builder.isEmpty else { return }
        let begin = min(builder.base, builder.firstTail ?? builder.base)
        closeDue = Self.due(of: begin)
        store.becameDirty(at: begin.milliseconds)
    }

    private mutating func header(_ number: UInt64, base: EventTime) -> BatchHeader {
        let fresh = isBehind ? observedOffset ?? clock().wallOffset : clock().wallOffset
        // Both clocks are read in whole milliseconds, so their difference varies by one. The
        // published offset changes only with a real change, so that times do not go back between
        // batches.
        let steady = publishedOffset.map { abs($0 - fresh) <= 2 ? $0 : fresh } ?? fresh
        publishedOffset = steady
        batchOffset = steady
        return BatchHeader(
            sequence: number,
            bootID: store.bootID,
            wallOffset: steady,
            keyDetail: keyDetail.code,
            flags: flags,
            base: base,
            app: app
        )
    }
}

/// Gate and open batch together: the path of an event after capture.
struct Pipeline: ~Copyable, CaptureSink {
    private(set) var gate: Gate
    var openBatch: OpenBatch
    /// Pointer events that the source delivered.
    private var pointerSeen = 0
    private var pointerAdmitted = 0
    private(set) var suppressed = 0

    /// The number of pointer events, key events and typing runs.
    var seen: Int { pointerSeen + openBatch.keyItems }
    /// The number of these that were admitted.
    var admitted: Int { pointerAdmitted + openBatch.keyItems }

    init(_ environment: Recorder.Environment, _ marks: HighWaterKeeper) {
        gate = Gate(stopped: environment.clock().monotonic)
        openBatch = OpenBatch(environment, marks)
    }

    /// Starts the gate's first gap at the moment when the daemon last ran.
    mutating func begin(stopped: EventTime) {
        gate = Gate(stopped: stopped)
    }

    mutating func take(_ run: MotionRun) {
        guard let motions = gate.admitRun(run) else { return takeOneByOne(run) }
        pointerSeen += run.steps.count
        pointerAdmitted += run.steps.count
        openBatch.take(motions)
    }

    mutating func take(_ event: CaptureEvent) {
        let isAdmitted = gate.take(event, into: &openBatch)
        // For keys, only stored items count: how many there were would reveal what was typed.
        guard case .input(_, .pointer) = event else { return }
        pointerSeen += 1
        if isAdmitted == true { pointerAdmitted += 1 } else { suppressed += 1 }
    }

    mutating func set(_ conditions: Gate.Conditions, at time: EventTime) {
        gate.set(conditions, at: time, into: &openBatch)
    }

    mutating func use(_ restrictions: Restrictions, at minute: WeekMinute, from time: EventTime) {
        gate.use(restrictions, at: minute, from: time, into: &openBatch)
    }

    mutating func beginRunsAnew() { gate.beginRunsAnew() }

    mutating func recordClosure(until time: EventTime) {
        gate.recordClosure(until: time, into: &openBatch)
    }
}
