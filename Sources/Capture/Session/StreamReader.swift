// SPDX-License-Identifier: Apache-2.0

import Events

/// An event decoded before dispatch, with the pixel computed for it.
struct PendingEvent: BitwiseCopyable {
    var event: X11Event
    var serial: StreamSerial
    /// The pointer's pixel after it, if it is to be emitted.
    var pixel: Pixel?
}

/// Reads one connection's stream.
struct StreamReader<Tracker: ContextTracker> {
    let connection: X11Connection
    let stream: InputStream
    var tracker: Tracker
    /// The number of events read and not taken.
    private(set) var waiting = 0
    private var clock = ServerClock(now: EventTime(0))
    /// Lower bound of the next event's time.
    private var floor = EventTime(0)
    private var emitted: AppContext?
    /// Whether the last emitted context is that of a single event and not the tracker's.
    private var isEmittedApart = false
    /// Whether the context is unknown whatever the tracker says.
    private(set) var isBlind = false
    /// The number of emitted context changes.
    private(set) var changes = 0

    /// Maximum pending events for which memory is kept between drains.
    private static var maxKept: Int { 6144 }

    /// The events that ``decode(until:)`` took.
    var pending: [PendingEvent] = []
    private var nextPending = 0
    /// Events behind the cut, carried over to the next drain.
    private var carriedOver: [PendingEvent] = []
    /// The pixel of the last event handed out.
    private(set) var pixel: Pixel?
    /// The serial of that event.
    private(set) var serial = StreamSerial.start

    init(_ connection: X11Connection, _ stream: InputStream, _ tracker: Tracker) {
        self.connection = connection
        self.stream = stream
        self.tracker = tracker
    }

    /// Begins a drain and reads what has arrived; returns the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = clock.now == EventTime(0) ? now : clock.now
        clock = ServerClock(now: now)
        forgetTaken()
        waiting = connection.readArrived()
        tracker.beginRound()
        return waiting + carriedOver.count
    }

    /// Removes the decoded events; after a flood it also releases their memory.
    private mutating func forgetTaken() {
        if pending.capacity > Self.maxKept {
            pending = []
        } else {
            pending.removeAll(keepingCapacity: true)
        }
        nextPending = 0
    }

    /// Decodes what arrived up to a serial; later events are carried over to the next drain.
    mutating func decode(until serial: StreamSerial) {
        forgetTaken()
        decodeFurther(until: serial)
    }

    /// Decodes further, like ``decode(until:)``, and keeps what was decoded.
    mutating func decodeFurther(until serial: StreamSerial) {
        pending += carriedOver
        carriedOver.removeAll(keepingCapacity: true)
        if let first = connection.wire.takeEvents(until: serial, into: &pending) {
            carriedOver.append(first)
        }
        waiting = 0
    }

    /// Carries decoded events, from an index on, over to the next drain.
    mutating func deferEvents(from first: Int) {
        carriedOver.insert(contentsOf: pending[first...], at: 0)
        pending.removeSubrange(first...)
    }

    /// Reads what has arrived since the drain began; returns the number of further events.
    mutating func continueReading() -> Int {
        let before = waiting
        waiting = connection.readArrived()
        return max(0, waiting - before)
    }

    /// Whether the last emitted context applies to the next input.
    var isSettled: Bool { !isEmittedApart && !tracker.isPending && !connection.isLost }

    /// The next event if it is a motion of axes 0 and 1 without a pixel; it is not taken.
    ///
    /// It is nil if the next event is another one.
    var nextMotion: (header: X11Event.RawHeader, move: X11Event.Move)? {
        guard nextPending < pending.count,
            case .rawMotion(let header, let move) = pending[nextPending].event,
            pending[nextPending].pixel == nil
        else { return nil }
        return (header, move)
    }

    /// Takes the event of ``nextMotion``.
    ///
    /// - Parameter time: The time of the event.
    mutating func takeMotion(at time: EventTime) {
        nextPending += 1
        reach(time)
    }

    private mutating func reach(_ time: EventTime) {
        if time.milliseconds > floor.milliseconds { floor = time }
    }

    /// The moment of a server timestamp.
    func time(of stamp: UInt32) -> EventTime { clock.time(of: stamp) }

    /// Takes the next event that is not about windows only; context changes before it go to the
    /// sink.
    mutating func next(_ sink: inout some CaptureSink & ~Copyable) -> X11Event? {
        while let (event, serial) = takeNext() {
            if event.isInput, !tracker.isPending {
                if isEmittedApart { emit(tracker.context, &sink) }
                return event
            }
            note(event)
            tracker.take(event, serial: serial, connection)
            emit(tracker.context, &sink)
            switch event {
            case .rawKey, .rawButton, .rawMotion, .rawAxes, .rawTouch, .modifiersChanged,
                .keyMapChanged, .keyboardControls,
                .devicesChanged, .buttonMapChanged, .screenChanged:
                return event
            default: continue
            }
        }
        return nil
    }

    private func note(_ event: X11Event) {
        if case .destroyed(let window) = event { connection.forget(window) }
    }

    private mutating func takeNext() -> (event: X11Event, serial: StreamSerial)? {
        guard !connection.isLost else { return nil }
        if nextPending < pending.count {
            defer { nextPending += 1 }
            pixel = pending[nextPending].pixel
            serial = pending[nextPending].serial
            return (pending[nextPending].event, serial)
        }
        guard waiting > 0 else { return nil }
        waiting -= 1
        let next = connection.wire.takeEvent()
        serial = next.serial
        return next
    }

    /// Determines the context before any input is selected, so that the first input has one.
    mutating func prepare() {
        // The focus may move while it is queried.
        for _ in 0..<8 {
            connection.synchronize()
            tracker.beginRound()
            _ = connection.readArrived()
            while !connection.isQueueEmpty {
                let (event, serial) = connection.wire.takeEvent()
                note(event)
                tracker.take(event, serial: serial, connection)
            }
            tracker.endRound(connection)
            settleAll()
            guard tracker.isPending, !connection.isLost else { return }
        }
    }

    /// Applies the server's replies to later events if no event is left to take.
    private mutating func settleAll() {
        // The first reply may name the window and the second its application.
        for _ in 0..<2 where connection.isQueueEmpty && carriedOver.isEmpty {
            tracker.settle(connection.wire.nextRequest, connection)
        }
    }

    /// Ends a drain after all was read: the server's replies now apply to later events.
    mutating func finish(_ sink: inout some CaptureSink & ~Copyable) {
        guard !connection.isLost else { return }
        tracker.endRound(connection)
        settleAll()
        emit(tracker.context, &sink)
    }

    /// Emits the context that was determined before anything was read.
    mutating func emitFirst(_ sink: inout some CaptureSink & ~Copyable) {
        if emitted == nil { emit(tracker.context, &sink) }
    }

    /// Called per input event; the owner may have to be resolved again.
    mutating func inputCame(at time: EventTime, _ sink: inout some CaptureSink & ~Copyable) {
        if tracker.inputCame(at: time, connection) { emit(tracker.context, &sink) }
    }

    /// The moment of a server timestamp, which becomes the lower bound of the next event's time.
    mutating func stamp(_ time: UInt32) -> EventTime {
        let time = self.time(of: time)
        reach(time)
        return time
    }

    /// Emits an unknown context for the last event handed out, whatever the tracker's context.
    mutating func hide(_ sink: inout some CaptureSink & ~Copyable) {
        emit(.unknown, &sink)
        isEmittedApart = true
    }

    /// Makes the context unknown from here on, or ends that.
    mutating func setBlind(_ isBlind: Bool, _ sink: inout some CaptureSink & ~Copyable) {
        guard isBlind != self.isBlind else { return }
        self.isBlind = isBlind
        emit(tracker.context, &sink)
    }

    /// Emits a context unless it was emitted last.
    private mutating func emit(_ known: AppContext, _ sink: inout some CaptureSink & ~Copyable) {
        isEmittedApart = false
        let context = isBlind ? .unknown : known
        guard context != emitted, !connection.isLost else { return }
        emitted = context
        changes += 1
        sink.take(.context(context, stream: stream, at: floor))
    }
}
