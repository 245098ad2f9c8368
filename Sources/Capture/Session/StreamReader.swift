// SPDX-License-Identifier: Apache-2.0

import Events

/// Reads one connection's stream.
struct StreamReader<Tracker: ContextTracker> {
    let connection: X11Connection
    let stream: InputStream
    var tracker: Tracker
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

    /// The events that have arrived.
    var queue: EventQueue
    /// The pixel of the last event handed out.
    private(set) var pixel: Pixel?
    /// The serial of that event.
    private(set) var serial = StreamSerial.start

    init(_ connection: X11Connection, _ stream: InputStream, _ tracker: Tracker) {
        self.connection = connection
        self.stream = stream
        self.tracker = tracker
        queue = EventQueue(connection)
    }

    /// Begins a drain and reads what has arrived; returns the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = clock.now == EventTime(0) ? now : clock.now
        clock = ServerClock(now: now)
        let arrived = queue.begin()
        tracker.beginRound()
        return arrived
    }

    /// Whether the last emitted context applies to the next input.
    var isSettled: Bool { !isEmittedApart && !tracker.isPending && !connection.isLost }

    /// Takes the queue's next motion.
    ///
    /// - Parameter time: The time of the event.
    mutating func takeMotion(at time: EventTime) {
        queue.takeMotion()
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
        guard let next = queue.takeNext() else { return nil }
        (pixel, serial) = (next.pixel, next.serial)
        return (next.event, next.serial)
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
        for _ in 0..<2 where queue.isEmpty {
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

    /// The time of the oldest input that was read and not taken; nil for none.
    var oldestInput: EventTime? { connection.wire.oldestStamp.map(time) }

    /// Has the context emitted again with the next input.
    mutating func forgetEmitted() { emitted = nil }

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
