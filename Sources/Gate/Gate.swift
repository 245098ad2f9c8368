// SPDX-License-Identifier: Apache-2.0

package import Events

/// Decides what may be stored: closed unless provably open.
///
/// Upstream: capture. Downstream: packing. Promise: an event leaves only while every condition
/// holds, cut down to the key detail; what is left out becomes a gap with a reason and no count.
///
/// A pure state machine: no clock, no file, no C. The order of checks is consent, pause, session,
/// exemption of everything, space, connection, context, exemptions, exclusions, lists of what is
/// allowed, then key detail, which for keys of injected devices may be less.
package struct Gate: Sendable {
    /// What the gate is told from outside; it starts with everything closed.
    package struct Conditions: Equatable, Sendable {
        /// A valid consent of this person, for this host and notice.
        package var hasConsent = false
        package var isPaused = false
        package var isLocked = false
        /// Why rules leave out all input now, whatever its window; nil where none does.
        package var leftOutBy: GapReason?
        /// Controls, settings and ring can be used.
        package var isSound = false
        /// The disk has room to spare.
        package var hasSpace = false
        /// The X server is connected.
        package var isConnected = false
        package var keyDetail = KeyDetail.shortcuts

        package init() {}

        /// Why nothing may be recorded, the first reason in the order of checks; nil when it may.
        package var closedBy: GapReason? {
            if !isSound { return .fault }
            if !hasConsent { return .noConsent }
            if isPaused { return .paused }
            if isLocked { return .sessionLocked }
            if let leftOutBy { return leftOutBy }
            if !hasSpace { return .diskFull }
            if !isConnected { return .disconnected }
            return nil
        }
    }

    package private(set) var conditions = Conditions()
    private var closure: Gap?
    private var keyboard = StreamState(.keyboard)
    private var pointer = StreamState(.pointer)
    private var heldKeys = HeldKeys()
    private var typing = Typing()
    /// The keys of injected devices, where only runs are told of them.
    ///
    /// They have runs of their own, which neither end nor move anything else: what hands type and click
    /// keeps its time, and tells nothing of when a program typed.
    private var injectedTyping = Typing()
    private var announcedFocus: AdmittedFocus?
    private var announcements = Announcements()
    private var book = RuleBook()
    /// The rules of before, each for the events from before its change.
    private var earlier: [(book: RuleBook, until: EventTime)] = []

    /// Milliseconds after which no event from before a change of the rules can still come.
    private static let lateness: Int64 = 60_000

    /// A closed gate.
    ///
    /// - Parameter stopped: when the daemon last ran, or now; the gap up to the first conditions is
    ///   one of not running.
    package init(stopped: EventTime) {
        closure = Gap(reason: .notRunning, from: stopped, to: stopped)
    }

    /// Changes the conditions.
    ///
    /// - Parameters:
    ///   - new: the conditions from `time` on.
    ///   - time: for a closing gate the moment up to which input was read.
    ///   - sink: takes what must be stored because of the change: releases of held keys, the gap
    ///     that has ended.
    package mutating func set(
        _ new: Conditions,
        at time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        let before = conditions.closedBy
        if new.keyDetail != conditions.keyDetail {
            releaseAll(at: time, &sink)
            dropRuns()
        }
        conditions = new
        guard new.closedBy != before || closure?.reason == .notRunning else { return }
        close(at: time, &sink)
        endClosure(at: time, &sink)
        closure = new.closedBy.map { Gap(reason: $0, from: time, to: time) }
    }

    /// Changes the rules, or the minute at which they are looked at.
    ///
    /// What is stricter holds for every event not yet taken; what is looser for events from `time`
    /// on, so that nothing from before is let through by being late.
    ///
    /// - Parameters:
    ///   - restrictions: what holds from now on.
    ///   - minute: of the week, by the local clock.
    ///   - time: the moment.
    ///   - sink: takes what must be stored because of the change.
    package mutating func use(
        _ restrictions: Restrictions,
        at minute: WeekMinute,
        from time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        earlier.removeAll { $0.until.milliseconds + Self.lateness <= time.milliseconds }
        earlier.append((book, time))
        if restrictions.recordsSyntheticKeys != book.recordsSyntheticKeys {
            releaseAll(at: time, &sink)
            dropRuns()
        }
        book.use(restrictions, at: minute)
        for stream in InputStream.allCases {
            enter(state(of: stream).context, stream, at: time, &sink)
        }
    }

    /// Where a stream's input goes now.
    package func context(of stream: InputStream) -> AppContext { state(of: stream).context }

    /// What is written from now on is a run of its own, also within the step of one before: that one is
    /// erased, or lies on the other side of a sleep.
    package mutating func beginRunsAnew() { dropRuns() }

    /// Puts the gap of a closed gate on record up to `time`, as before a stop; it goes on after.
    package mutating func recordClosure(
        until time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        guard let reason = closure?.reason else { return close(at: time, &sink) }
        endClosure(at: time, &sink)
        closure = Gap(reason: reason, from: time, to: time)
    }

    /// Lets movements through where nothing speaks against any of them and nothing is to be told
    /// before them, as is so of most.
    ///
    /// - Parameter run: what comes next on the pointer's stream.
    /// - Returns: nil where ``take(_:into:)`` must decide on each.
    package func admitRun(_ run: MotionRun) -> AdmittedMotions? {
        guard isOpen, let from = pointer.admitsAllSince, announcements.isAnnounced(run.device),
            run.steps.allSatisfy({ $0.time.milliseconds >= from.milliseconds })
        else { return nil }
        return AdmittedMotions(run)
    }

    /// Takes the next event of a stream.
    ///
    /// - Parameters:
    ///   - event: the event, in the order of its stream.
    ///   - sink: takes what may be stored, in order.
    /// - Returns: whether an input event was admitted; nil for an event that is no input.
    package mutating func take(
        _ event: CaptureEvent,
        into sink: inout some GateSink & ~Copyable
    ) -> Bool? {
        switch event {
        case .context(let context, let stream, let time):
            enter(context, stream, at: time, &sink)
            return nil
        case .screen(let screen):
            announcements.use(screen)
            return nil
        case .devices(let devices):
            announcements.use(devices)
            let names = devices.mapValues(\.name)
            book.use(devices: names)
            for index in earlier.indices { earlier[index].book.use(devices: names) }
            for stream in InputStream.allCases {
                enter(state(of: stream).context, stream, at: state(of: stream).since, &sink)
            }
            return nil
        case .input(let raw, let stream):
            guard isOpen else { return false }
            let drop = stream == .keyboard ? keyboard.rejection(raw) : pointer.rejection(raw)
            switch drop {
            case nil: return admit(raw, &sink)
            case .because(let reason): leaveOut(reason, stream, at: raw.time, &sink)
            case .device: update(stream) { $0.noteDroppedDevice() }
            case .earlier: break
            }
            return false
        }
    }

    // MARK: Admission

    /// Whether the conditions let anything through.
    private var isOpen: Bool { conditions.closedBy == nil }

    private mutating func admit(_ raw: RawEvent, _ sink: inout some GateSink & ~Copyable) -> Bool {
        let payload: AdmittedEvent.Payload
        var time = raw.time
        switch raw.payload {
        case .motion(let dx, let dy): payload = .motion(dx: dx, dy: dy)
        case .axes(let values): payload = .axes(values)
        case .scroll(let dx, let dy):
            payload = .scroll(dx: dx, dy: dy)
            let isChord = typing.servesWheel || heldKeys.hasModifier
            if isChord, conditions.keyDetail.hasRuns { time = endRun(for: raw.time, &sink) }
        case .touch(let touch):
            payload = .touch(touch)
            if touch.phase == .down { typing.end() }
        case .button(let number, let isDown):
            payload = .button(number: number, isDown: isDown)
            if conditions.keyDetail.hasRuns { time = endRun(for: raw.time, &sink) }
        case .key(let key):
            if isHeldBack(raw) { return admitInjected(key, raw, &sink) }
            if conditions.keyDetail.hasRuns { return admitToRuns(key, raw, &sink) }
            // A release may have been withheld: a new press implies it.
            let release = heldKeys.release(key.keycode, device: raw.device, at: raw.time)
            if let release { sink.take(release) }
            guard key.isDown else { return release != nil }
            guard let admitted = conditions.keyDetail.admit(key) else { return false }
            heldKeys.press(key.keycode, device: raw.device, admitted)
            payload = .key(admitted)
        }
        put(payload, of: raw.device, at: time, raw.pixel, &sink)
        return true
    }

    /// Stores something of a device, which is described first where that is new.
    private mutating func put(
        _ payload: AdmittedEvent.Payload,
        of device: UInt8,
        at time: EventTime,
        _ pixel: Pixel?,
        _ sink: inout some GateSink & ~Copyable
    ) {
        if !announcements.isAnnounced(device) { announcements.announce(device, &sink) }
        sink.take(AdmittedEvent(time: time, device: device, payload: payload, pixel: pixel))
    }

    // MARK: Injected keys

    /// Whether of a key no more is told than that there was one.
    private func isHeldBack(_ raw: RawEvent) -> Bool {
        guard announcements.mayBeInjected(raw.device) else { return false }
        return !book.recordsSyntheticKeys
            || earlier.contains { raw.time < $0.until && !$0.book.recordsSyntheticKeys }
    }

    /// A key of an injected device, as at `activity`.
    private mutating func admitInjected(
        _ key: RawEvent.Key,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        // What is held or waits is of a device that had this number before.
        let rest = heldKeys.releaseAll(of: raw.device, at: TypingRun.end(of: raw.time))
        for release in rest { sink.take(release) }
        typing.forget(raw.device)
        guard key.isDown, min(conditions.keyDetail, .activity) != .off,
            let typed = injectedTyping.type(at: raw.time)
        else { return false }
        let payload = AdmittedEvent.Payload.typing(continues: typed.continues, isInjected: true)
        put(payload, of: raw.device, at: typed.step, nil, &sink)
        return true
    }

    // MARK: Runs of text

    /// A key where text is told as runs.
    private mutating func admitToRuns(
        _ key: RawEvent.Key,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        guard key.isDown else { return release(key.keycode, raw, &sink) }
        func press(_ admitted: AdmittedEvent.Key, at time: EventTime) -> Typing.Press {
            Typing.Press(keycode: key.keycode, device: raw.device, key: admitted, time: time)
        }
        switch conditions.keyDetail.role(of: key) {
        case .text: return type(raw, &sink)
        case .editing where typing.isOpen(at: raw.time): return type(raw, &sink)
        case .modifier(let admitted):
            // One that is stored is down already: its release was withheld.
            _ = release(key.keycode, raw, &sink)
            typing.wait(press(admitted, at: raw.time))
            return false
        case .editing(let admitted), .named(let admitted):
            put(press(admitted, at: endRun(for: raw.time, &sink)), &sink)
            return true
        }
    }

    /// A key of a run: nothing is down any more, so that no release falls into it.
    private mutating func type(_ raw: RawEvent, _ sink: inout some GateSink & ~Copyable) -> Bool {
        for release in heldKeys.releaseAll(at: typing.served) { sink.take(release) }
        guard let typed = typing.type(at: raw.time) else { return false }
        let payload = AdmittedEvent.Payload.typing(continues: typed.continues, isInjected: false)
        put(payload, of: raw.device, at: typed.step, nil, &sink)
        return true
    }

    /// A key, a button or a turn of a wheel that is stored by itself ends the run, and is served by the
    /// modifiers that are down.
    ///
    /// - Returns: the time at which it is stored.
    private mutating func endRun(
        for time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) -> EventTime {
        typing.end()
        let stored = typing.stored(time)
        for modifier in typing.serve(at: stored) { put(modifier, &sink) }
        return stored
    }

    /// A key that goes down, whose release was withheld if it is down already.
    private mutating func put(
        _ press: Typing.Press,
        _ sink: inout some GateSink & ~Copyable
    ) {
        let (keycode, device) = (press.keycode, press.device)
        let release = heldKeys.release(keycode, device: device, at: press.time)
        if let release { sink.take(release) }
        heldKeys.press(keycode, device: device, press.key)
        put(.key(press.key), of: device, at: press.time, nil, &sink)
    }

    /// A key goes up where text is told as runs.
    ///
    /// - Returns: whether something is stored of it.
    private mutating func release(
        _ keycode: UInt8,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        let alone = typing.release(keycode, device: raw.device)
        if let alone { put(alone, &sink) }
        let time = typing.stored(raw.time)
        // A modifier that served goes up with what it served last.
        let hasServed = alone == nil && heldKeys.isModifier(keycode, device: raw.device)
        let release = heldKeys.release(
            keycode,
            device: raw.device,
            at: hasServed ? typing.served : time
        )
        guard let release else { return false }
        if !hasServed { typing.noteServed(time) }
        sink.take(release)
        return true
    }

    // MARK: Contexts and gaps

    private mutating func enter(
        _ context: AppContext,
        _ stream: InputStream,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        // What was in front while nothing was watched says nothing about later.
        guard isOpen else { return }
        var verdict = Verdict()
        var before: [(verdict: Verdict, until: EventTime)] = []
        if case .window(let window) = context {
            verdict = book.verdict(on: window)
            before = earlier.map { ($0.book.verdict(on: window), $0.until) }
        }
        if stream == .keyboard, isAnother(context) || verdict.refusal != nil { dropRuns() }
        var ended: [Gap] = []
        update(stream) { ended = $0.enter(context, verdict, earlier: before, at: time) }
        if stream == .keyboard, state(of: stream).refusal != nil { releaseAll(at: time, &sink) }
        put(ended, &sink)
        switch context {
        case .unknown: break
        case .grabbed:
            // The server withholds the keys, so no drop would mark the gap.
            if stream == .keyboard { leaveOut(.keyboardGrabbed, stream, at: time, &sink) }
        case .window(let window):
            guard stream == .keyboard else { return }
            // What is left out has no name; nor is what was in front before it in front still.
            if verdict.refusal != nil, announcedFocus == nil { return }
            announce(verdict.refusal == nil ? window : WindowFacts(app: ""), at: time, &sink)
        }
    }

    /// Whether the keyboard's context is another one to whoever reads the recording.
    ///
    /// A title that is not stored may change with each key: a run that ends then would tell.
    private func isAnother(_ context: AppContext) -> Bool {
        guard case .window(let new) = context, case .window(let old) = keyboard.context else {
            return context != keyboard.context
        }
        return new.app != old.app || new.instance != old.instance
            || (book.storesTitles && new.title != old.title)
    }

    /// Stores which application came to the front, where that is another than before.
    private mutating func announce(
        _ window: WindowFacts,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        let focus = AdmittedFocus(
            time: time,
            app: window.app,
            title: book.storesTitles ? window.title : nil
        )
        guard focus.app != announcedFocus?.app || focus.title != announcedFocus?.title else {
            return
        }
        announcedFocus = focus
        sink.take(.focus(focus))
    }

    private mutating func leaveOut(
        _ reason: GapReason,
        _ stream: InputStream,
        at time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) {
        if stream == .keyboard {
            dropRuns()
            releaseAll(at: time, &sink)
        }
        var ended: [Gap] = []
        update(stream) { ended = $0.begin(reason, at: time) }
        put(ended, &sink)
    }

    private func state(of stream: InputStream) -> StreamState {
        stream == .keyboard ? keyboard : pointer
    }

    private mutating func update(_ stream: InputStream, _ change: (inout StreamState) -> Void) {
        if stream == .keyboard { change(&keyboard) } else { change(&pointer) }
    }

    private mutating func releaseAll(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        for release in heldKeys.releaseAll(at: time) { sink.take(release) }
    }

    private mutating func close(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        var ended: [Gap] = []
        for stream in InputStream.allCases { update(stream) { ended += $0.close(at: time) } }
        put(ended, &sink)
        releaseAll(at: time, &sink)
        dropRuns()
        announcedFocus = nil
    }

    private mutating func dropRuns() {
        typing.drop()
        injectedTyping.drop()
    }

    /// Stores gaps; those of the keyboard in whole steps, for keys begin and end them: how long a
    /// password took is nobody's.
    private mutating func put(_ gaps: [Gap], _ sink: inout some GateSink & ~Copyable) {
        for var gap in gaps {
            if gap.stream == .keyboard {
                gap.from = TypingRun.begin(of: gap.from)
                gap.to = TypingRun.end(of: gap.to)
            }
            sink.take(.gap(gap))
        }
    }

    private mutating func endClosure(at time: EventTime, _ sink: inout some GateSink & ~Copyable) {
        guard var gap = closure else { return }
        gap.to = max(gap.from, time)
        if gap.to > gap.from { sink.take(.gap(gap)) }
    }
}
