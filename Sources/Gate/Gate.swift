// SPDX-License-Identifier: Apache-2.0

package import Events

/// Decides what may be stored; it is closed unless it is provably open.
///
/// Upstream: capture. Downstream: packing. Promise: an event is emitted only while every condition
/// holds, and reduced to the key detail. Omitted input becomes a gap with a reason and without a
/// count.
///
/// It is a pure state machine: no clock, no file, no C. The order of checks is: fault, consent,
/// pause, session, rules for everything, disk space, connection, sleep, mark, context,
/// exemptions, exclusions, allowlists, key detail. Keys of injected devices may be reduced further.
package struct Gate: Sendable {
    /// External conditions for recording; initially all of them close the gate.
    package struct Conditions: Equatable, Sendable {
        /// Whether this person gave a valid consent for this host and notice.
        package var hasConsent = false
        /// Whether the person paused recording.
        package var isPaused = false
        /// Why the session is not the person's to record: `sessionLocked`, `asleep`, `away` or
        /// `unattended`; nil if nothing speaks against it.
        package var sessionClosedBy: GapReason?
        /// The reason why rules exclude all input now, whatever its window; nil if none does.
        package var leftOutBy: GapReason?
        /// Whether controls, settings and ring are usable.
        package var isSound = false
        /// Whether the disk has more free space than mci leaves to other programs.
        package var hasSpace = false
        /// Whether the X server is connected.
        package var isConnected = false
        /// Whether the machine has been awake long enough since it slept.
        package var isAwake = false
        /// Whether the mark can be seen on the screen.
        package var isMarked = false
        /// How much of a key is admitted.
        package var keyDetail = KeyDetail.shortcuts

        /// Creates conditions under which the gate is closed.
        package init() {}

        /// The first reason in check order for not recording anything; nil if the gate is open.
        package var closedBy: GapReason? {
            if !isSound { return .fault }
            if !hasConsent { return .noConsent }
            if isPaused { return .paused }
            if let sessionClosedBy { return sessionClosedBy }
            if let leftOutBy { return leftOutBy }
            if !hasSpace { return .diskFull }
            if !isConnected { return .disconnected }
            if !isAwake { return .asleep }
            if !isMarked { return .markHidden }
            return nil
        }
    }

    /// The conditions in force.
    package private(set) var conditions = Conditions()
    private var closure: Gap?
    private var keyboard = StreamState(.keyboard)
    private var pointer = StreamState(.pointer)
    private var heldKeys = HeldKeys()
    private var typing = Typing()
    /// Typing runs of injected devices, whose keys are held back to runs.
    ///
    /// They are separate from the other runs and neither end nor move anything. So real typing and
    /// clicks keep their times, and these reveal nothing about when a program typed.
    private var injectedTyping = Typing()
    private var announcedFocus: AdmittedFocus?
    /// The last window that had the keyboard, and until when; nil means until now.
    private var lastFront: (window: WindowFacts, until: EventTime?)?
    private var announcements = Announcements()
    private var book = RuleBook()
    /// Former rules, each for events from before its replacement.
    private var earlier: [(book: RuleBook, until: EventTime)] = []

    /// Milliseconds after which no event from before a rule change can still arrive.
    private static let lateness: Int64 = 60_000

    /// Creates a closed gate.
    ///
    /// - Parameter stopped: When the daemon last ran, or now. The gap until the first conditions
    ///   has the reason `notRunning`.
    package init(stopped: EventTime) {
        closure = Gap(reason: .notRunning, from: stopped, to: stopped)
    }

    /// Changes the conditions.
    ///
    /// - Parameters:
    ///   - new: The conditions from `time` on.
    ///   - time: The time of the change; for a closing gate, the moment up to which input was read.
    ///   - sink: Receives what must be stored because of the change: releases of held keys and gaps
    ///     that ended.
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

    /// Replaces the rules, or the minute for which they are evaluated.
    ///
    /// Stricter rules apply to every event not yet taken. Looser rules apply only to events from
    /// `time` on, so that a late event from before is not admitted.
    ///
    /// - Parameters:
    ///   - restrictions: The rules from now on.
    ///   - minute: The minute of the week by the local clock.
    ///   - time: The time of the change.
    ///   - sink: Receives what must be stored because of the change.
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

    /// The destination of a stream's input now.
    package func context(of stream: InputStream) -> AppContext { state(of: stream).context }

    /// The window that has the keyboard, or had it before a menu or another grab took the keys.
    ///
    /// - Parameters:
    ///   - time: The moment.
    ///   - patience: Maximum milliseconds since it had the keyboard.
    /// - Returns: The window; nil if it is not known.
    package func front(at time: EventTime, patience: Int64) -> WindowFacts? {
        guard let lastFront else { return nil }
        let until = lastFront.until ?? time
        return time.milliseconds - until.milliseconds <= patience ? lastFront.window : nil
    }

    /// Whether rules leave out all input of the window in front.
    package var isFrontLeftOut: Bool { keyboard.refusal != nil }

    /// Makes the next key begin a new typing run, even within the step of the previous one.
    ///
    /// The previous run was erased, or lies before a suspend.
    package mutating func beginRunsAnew() { dropRuns() }

    /// Stores the gap of a closed gate up to `time`, as before a stop; the gap continues
    /// afterwards.
    ///
    /// For an open gate it ends the gaps of the streams and releases held keys instead.
    package mutating func recordClosure(
        until time: EventTime,
        into sink: inout some GateSink & ~Copyable
    ) {
        guard let reason = closure?.reason else { return close(at: time, &sink) }
        endClosure(at: time, &sink)
        closure = Gap(reason: reason, from: time, to: time)
    }

    /// Fast path: admits a run if every motion is admitted and no description is pending.
    ///
    /// - Parameter run: The next motions of the pointer stream.
    /// - Returns: The admitted run; nil if ``take(_:into:)`` must decide about each motion.
    package func admitRun(_ run: MotionRun) -> AdmittedMotions? {
        guard isOpen, let from = pointer.admitsAllSince, announcements.isAnnounced(run.device),
            run.steps.allSatisfy({ $0.time.milliseconds >= from.milliseconds })
        else { return nil }
        return AdmittedMotions(run)
    }

    /// Takes the next event of a stream.
    ///
    /// - Parameters:
    ///   - event: The event, in the order of its stream.
    ///   - sink: Receives what may be stored, in order.
    /// - Returns: Whether an input event was admitted; nil for an event that is not input.
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

    /// Whether the conditions admit anything.
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
        case .key(let key): return admit(key, raw, &sink)
        }
        put(payload, of: raw.device, at: time, raw.pixel, &sink)
        return true
    }

    private mutating func admit(
        _ key: RawEvent.Key,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        if isHeldBack(raw) { return admitInjected(key, raw, &sink) }
        if conditions.keyDetail.hasRuns { return admitToRuns(key, raw, &sink) }
        // The release may have been withheld; a new press implies it.
        let release = heldKeys.release(key.keycode, device: raw.device, at: raw.time)
        if let release { sink.take(release) }
        guard key.isDown else { return release != nil }
        guard let admitted = conditions.keyDetail.admit(key) else { return false }
        heldKeys.press(key.keycode, device: raw.device, admitted)
        put(.key(admitted), of: raw.device, at: raw.time, raw.pixel, &sink)
        return true
    }

    /// Emits an event and before it the device's description, if that is new.
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

    /// Whether a key is reduced to a typing run because its device may be injected.
    private func isHeldBack(_ raw: RawEvent) -> Bool {
        guard announcements.mayBeInjected(raw.device) else { return false }
        return !book.recordsSyntheticKeys
            || earlier.contains { raw.time < $0.until && !$0.book.recordsSyntheticKeys }
    }

    /// Handles a key of an injected device as at `activity`.
    private mutating func admitInjected(
        _ key: RawEvent.Key,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        // Held and waiting keys belong to an earlier device with the same id.
        let rest = heldKeys.releaseAll(of: raw.device, at: TypingRun.end(of: raw.time))
        for release in rest { sink.take(release) }
        typing.forget(raw.device)
        guard key.isDown, min(conditions.keyDetail, .activity) != .off,
            let typed = injectedTyping.type(at: raw.time)
        else { return false }
        let part = AdmittedEvent.TypedKey(continues: typed.continues, isInjected: true)
        put(.typing(part), of: raw.device, at: typed.step, nil, &sink)
        return true
    }

    // MARK: Runs of text

    /// Handles a key at a detail that stores text as runs.
    private mutating func admitToRuns(
        _ key: RawEvent.Key,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        guard key.isDown else { return release(key.keycode, raw, &sink) }
        func press(_ admitted: StoredKey, at time: EventTime) -> Typing.Press {
            Typing.Press(keycode: key.keycode, device: raw.device, key: admitted, time: time)
        }
        switch conditions.keyDetail.role(of: key) {
        case .text: return type(raw, &sink)
        case .editing where typing.isOpen(at: raw.time): return type(raw, &sink)
        case .modifier(let admitted):
            // If it is stored as pressed, its release was withheld.
            _ = release(key.keycode, raw, &sink)
            typing.wait(press(admitted, at: raw.time))
            return false
        case .editing(let admitted), .named(let admitted):
            put(press(admitted, at: endRun(for: raw.time, &sink)), &sink)
            return true
        }
    }

    /// Adds a key to a run.
    ///
    /// All held keys are released first, so that no release falls into the run.
    private mutating func type(_ raw: RawEvent, _ sink: inout some GateSink & ~Copyable) -> Bool {
        for release in heldKeys.releaseAll(at: typing.served) { sink.take(release) }
        guard let typed = typing.type(at: raw.time) else { return false }
        let part = AdmittedEvent.TypedKey(continues: typed.continues, isInjected: false)
        put(.typing(part), of: raw.device, at: typed.step, nil, &sink)
        return true
    }

    /// Ends the run for a key, button or wheel motion that is stored by itself, and stores the
    /// modifiers that are down.
    ///
    /// - Returns: The time at which the event is stored.
    private mutating func endRun(
        for time: EventTime,
        _ sink: inout some GateSink & ~Copyable
    ) -> EventTime {
        typing.end()
        let stored = typing.stored(time)
        for modifier in typing.serve(at: stored) { put(modifier, &sink) }
        return stored
    }

    /// Stores a press; if the key is already down, its release was withheld and is stored first.
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

    /// Handles a key release at a detail that stores text as runs.
    ///
    /// - Returns: Whether anything is stored.
    private mutating func release(
        _ keycode: UInt8,
        _ raw: RawEvent,
        _ sink: inout some GateSink & ~Copyable
    ) -> Bool {
        let alone = typing.release(keycode, device: raw.device)
        if let alone { put(alone, &sink) }
        let time = typing.stored(raw.time)
        // A modifier that was used is released with its last use.
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
        // What was in front while nothing was observed says nothing about later.
        guard isOpen else { return }
        if stream == .keyboard { noteFront(context, at: time) }
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
            // The server withholds the keys, so no rejected event would open the gap.
            if stream == .keyboard { leaveOut(.keyboardGrabbed, stream, at: time, &sink) }
        case .window(let window):
            guard stream == .keyboard else { return }
            // An excluded window has no name, but the previous application is no longer in front.
            if verdict.refusal != nil, announcedFocus == nil { return }
            announce(verdict.refusal == nil ? window : WindowFacts(app: ""), at: time, &sink)
        }
    }

    private mutating func noteFront(_ context: AppContext, at time: EventTime) {
        if case .window(let window) = context {
            // Its title is not kept for longer than the window has the keyboard.
            lastFront = (WindowFacts(app: window.app), nil)
        } else if lastFront?.until == nil {
            lastFront?.until = time
        }
    }

    /// Whether readers of the recording can see that the keyboard's context changed.
    ///
    /// A title that is not stored may change with each key; ending a run then would reveal key
    /// times.
    private func isAnother(_ context: AppContext) -> Bool {
        guard case .window(let new) = context, case .window(let old) = keyboard.context else {
            return context != keyboard.context
        }
        return new.app != old.app || new.instance != old.instance
            || (book.storesTitles && new.title != old.title)
    }

    /// Emits the application in front if it differs from the last one.
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

    /// Emits gaps; those of the keyboard in whole steps.
    ///
    /// Keys begin and end keyboard gaps, and the time that a password took is secret.
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
