// SPDX-License-Identifier: Apache-2.0

import Capture
import Events
import Gate
import Packing
import Signing

/// The part of the path behind the gate: the open batch, and the store that takes it.
///
/// Upstream: the gate. Downstream: the ring. Promise: a batch spans at most a minute and is of one
/// clock and one key detail; its plaintext lives no longer than that.
struct Batching: ~Copyable, GateSink {
    /// The longest time one batch spans, in milliseconds; with the rounding of its end it never
    /// reaches back two minutes.
    static let longest: Int64 = 59_000

    private let clock: () -> Moment
    private let flags: UInt8
    private var builder = BatchBuilder()
    var store: Store
    /// Whether there is a consent: without one not even a gap is stored.
    var mayStore = false
    private(set) var keyDetail = KeyDetail.shortcuts
    private(set) var lastEvent: EventTime?
    private var offset: Int64?
    /// The wall clock minus the monotonic one when they were last looked at.
    private var lastOffset: Int64?
    /// What comes now is from before the clocks were set.
    var isBehind = false
    /// The wall clock minus the monotonic one, as of the last batch.
    private var steadyOffset: Int64?
    /// The application in front at the end of the open batch; empty when not known.
    private var app = ""
    /// When the open batch has to end, in monotonic milliseconds; nil while it is empty.
    private(set) var closeDue: Int64?

    init(_ environment: Recorder.Environment, _ marks: HighWaterKeeper) {
        clock = environment.clock
        flags = environment.confinement.isWaived ? BatchHeader.unconfined : 0
        store = Store(environment, marks)
    }

    /// Whether the kernel keeps the open batch out of swap.
    var isLocked: Bool { builder.isLocked }

    /// The wall clock minus the monotonic one, as of the open batch or of now.
    var wallOffset: Int64 { offset ?? clock().wallOffset }

    mutating func take(_ output: GateOutput) {
        guard mayStore else { return }
        switch output {
        case .event(let event): return take(event)
        case .focus(let focus):
            prepare(for: focus.time)
            builder.append(output)
            app = focus.app
            appended(at: focus.time)
        case .gap(let gap):
            prepare(for: gap.to)
            builder.append(output)
            if gap.stream == nil { app = "" }
            appended(at: gap.to)
        case .device, .screen:
            // What is left over from a full batch is described as the batch was.
            while !builder.admits(output) { close() }
            builder.append(output)
        }
    }

    mutating func take(_ event: AdmittedEvent) {
        guard mayStore else { return }
        prepare(for: event.time)
        lastEvent = event.time
        builder.append(event)
        appended(at: event.time)
    }

    mutating func take(_ motions: AdmittedMotions) {
        guard mayStore else { return }
        var rest = motions.steps.indices
        while let first = rest.first {
            let time = motions.steps[first].time
            prepare(for: time)
            rest = builder.append(motions, rest, before: EventTime(closeDue ?? 0))
            appended(at: time)
        }
        lastEvent = motions.steps.last?.time
    }

    /// Makes the open batch ready for an item.
    private mutating func prepare(for time: EventTime) {
        if store.hasLost { takeLosses() }
        if let due = closeDue, time.milliseconds >= due { close() }
        if closeDue == nil { begin(at: time) }
    }

    private mutating func appended(at time: EventTime) {
        store.becameDirty(at: time.milliseconds)
        if builder.isFull { close() }
    }

    /// Stores what was found lost, as a gap, also where nothing else happens.
    mutating func noteLosses() {
        if mayStore, store.hasLost { takeLosses() }
    }

    /// What the ring has lost since is a gap.
    private mutating func takeLosses() {
        for stretch in store.takeLostStretches() {
            let offset = wallOffset
            let from = EventTime(stretch.lowerBound - offset)
            take(.gap(Gap(reason: .lost, from: from, to: EventTime(stretch.upperBound - offset))))
        }
    }

    /// Stores the open batch.
    ///
    /// - Parameters:
    ///   - now: the moment.
    ///   - closing: whether the next item begins a new batch. A batch that stays open is stored in
    ///     the same slot again when it has grown.
    mutating func flush(at now: Moment, closing: Bool) {
        guard let closeDue else { return }
        if closing { return closeAll() }
        if now.monotonic.milliseconds >= closeDue { return close() }
        guard store.isDirty else { return }
        if let batch = builder.pack() { store.put(batch) }
        store.flushed()
        if builder.isFull { advance() }
    }

    /// Forgets when the last event was, as when it is erased.
    mutating func forgetLastEvent() {
        lastEvent = nil
    }

    /// Begins a new batch when the key detail is another one.
    mutating func use(_ detail: KeyDetail) {
        guard detail != keyDetail else { return }
        closeAll()
        keyDetail = detail
    }

    /// Reads the keys anew; another number of recipients needs batches of another size.
    mutating func loadKeys() {
        closeAll()
        store.loadKeys()
        if !store.recipients.isEmpty { builder.use(recipients: store.recipients.count) }
    }

    /// Whether the wall clock was set, or the machine slept, since the clocks were last looked at.
    func isSet(_ offset: Int64) -> Bool {
        lastOffset.map { abs($0 - offset) >= 100 } ?? false
    }

    /// Begins a new batch when the wall clock was set.
    ///
    /// - Returns: whether it was.
    mutating func noteOffset(_ new: Int64) -> Bool {
        defer { lastOffset = new }
        guard isSet(new) else { return false }
        closeAll()
        return true
    }

    private mutating func begin(at time: EventTime) {
        builder.begin(header(store.nextSequence(), base: time))
        closeDue = time.milliseconds + Self.longest
    }

    /// Stores everything, also what does not fit into the open batch.
    private mutating func closeAll() {
        while closeDue != nil { close() }
    }

    /// Stores the open batch; what does not fit into it begins the next one.
    private mutating func close() {
        guard closeDue != nil else { return }
        if store.isDirty {
            if let batch = builder.pack() { store.put(batch) }
            advance()
        } else {
            builder.discard(header(0, base: clock().monotonic))
            closeDue = nil
            offset = nil
        }
    }

    /// Ends the batch that was packed; what did not fit begins the next one.
    private mutating func advance() {
        let number = builder.hasRest ? store.nextSequence() : 0
        builder.advance(header(number, base: clock().monotonic))
        store.flushed()
        closeDue = builder.isEmpty ? nil : builder.base.milliseconds + Self.longest
        if builder.isEmpty {
            offset = nil
        } else {
            store.becameDirty(at: builder.base.milliseconds)
        }
    }

    private mutating func header(_ number: UInt64, base: EventTime) -> BatchHeader {
        let fresh = isBehind ? lastOffset ?? clock().wallOffset : clock().wallOffset
        // Both clocks are read in whole milliseconds, so that their difference wavers by one. Until
        // it really changes it stays, so that times do not go back from one batch to the next.
        let steady = steadyOffset.map { abs($0 - fresh) <= 2 ? $0 : fresh } ?? fresh
        steadyOffset = steady
        offset = steady
        return BatchHeader(
            sequence: number,
            bootID: store.bootID,
            wallOffset: steady,
            keyDetail: keyDetail.rank,
            flags: flags,
            base: base,
            app: app
        )
    }
}

/// Gate and batching, joined: the path of an event after capture.
struct EventPath: ~Copyable, CaptureSink {
    private(set) var gate: Gate
    var batching: Batching
    /// Input events handed over by the source.
    private(set) var seen = 0
    private(set) var admitted = 0
    private(set) var suppressed = 0

    init(_ environment: Recorder.Environment, _ marks: HighWaterKeeper) {
        gate = Gate(stopped: environment.clock().monotonic)
        batching = Batching(environment, marks)
    }

    /// Lets the gate's first gap begin when the daemon last ran.
    mutating func begin(stopped: EventTime) {
        gate = Gate(stopped: stopped)
    }

    mutating func take(_ run: MotionRun) {
        guard let motions = gate.letThrough(run) else { return takeOneByOne(run) }
        seen += run.steps.count
        admitted += run.steps.count
        batching.take(motions)
    }

    mutating func take(_ event: CaptureEvent) {
        if case .input = event { seen += 1 }
        switch gate.take(event, into: &batching) {
        case true?: admitted += 1
        case false?: suppressed += 1
        case nil: break
        }
    }

    mutating func set(_ conditions: Gate.Conditions, at time: EventTime) {
        gate.set(conditions, at: time, into: &batching)
    }

    mutating func use(_ restrictions: Restrictions, at minute: WeekMinute, from time: EventTime) {
        gate.use(restrictions, at: minute, from: time, into: &batching)
    }

    mutating func recordClosure(until time: EventTime) {
        gate.recordClosure(until: time, into: &batching)
    }
}
