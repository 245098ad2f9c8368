// SPDX-License-Identifier: Apache-2.0

import Events

/// An event taken before its turn.
struct PendingEvent: BitwiseCopyable {
    var event: X11Event
    var serial: UInt
    /// Where the pointer was after it, where that is to be told.
    var pixel: Pixel?
}

/// One connection's stream while it is read.
struct StreamReader<Tracker: ContextTracker> {
    let connection: X11Connection
    let stream: InputStream
    var tracker: Tracker
    /// The events read and not yet taken.
    private(set) var waiting = 0
    private var clock = ServerClock(now: EventTime(0))
    /// Certainly not after the event to be read next.
    private var floor = EventTime(0)
    private var emitted: AppContext?
    /// The context told last is not the tracker's, but that of one event.
    private var isEmittedApart = false
    /// Nobody can say where input goes, whatever the tracker says.
    private(set) var isBlind = false
    /// How often another context was told.
    private(set) var changes = 0

    /// The room that is kept for events from one reading to the next.
    private static var maxKept: Int { 6144 }

    /// What ``readAhead(until:)`` took.
    var pending: [PendingEvent] = []
    private var nextPending = 0
    /// What is behind the place up to which was read ahead.
    private var carriedOver: [PendingEvent] = []
    /// The place of the event handed out last.
    private(set) var pixel: Pixel?
    /// The number of the last request that the server had seen at that event.
    private(set) var serial: UInt = 0

    init(_ connection: X11Connection, _ stream: InputStream, _ tracker: Tracker) {
        self.connection = connection
        self.stream = stream
        self.tracker = tracker
    }

    /// Reads what has arrived; the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = clock.now == EventTime(0) ? now : clock.now
        clock = ServerClock(now: now)
        forgetTaken()
        waiting = connection.readArrived()
        tracker.beginRound()
        return waiting + carriedOver.count
    }

    /// Empties what was read ahead; after a flood its memory is given back.
    private mutating func forgetTaken() {
        if pending.capacity > Self.maxKept {
            pending = []
        } else {
            pending.removeAll(keepingCapacity: true)
        }
        nextPending = 0
    }

    /// Takes what arrived up to the place in the stream at which the server handled a request; what
    /// is behind it belongs to the next reading.
    mutating func decode(until serial: UInt) {
        forgetTaken()
        decodeFurther(until: serial)
    }

    /// As ``readAhead(until:)``, and keeps what that took.
    mutating func decodeFurther(until serial: UInt) {
        pending += carriedOver
        carriedOver.removeAll(keepingCapacity: true)
        if let first = connection.wire?.takeEvents(until: serial, into: &pending) {
            carriedOver.append(first)
        }
        waiting = 0
    }

    /// Leaves what was read ahead, from a place on, to the next reading.
    mutating func deferEvents(from first: Int) {
        carriedOver.insert(contentsOf: pending[first...], at: 0)
        pending.removeSubrange(first...)
    }

    /// Reads what has arrived since the reading began; the number of events.
    mutating func continueReading() -> Int {
        let before = waiting
        waiting = connection.readArrived()
        return max(0, waiting - before)
    }

    /// Whether the context told last is that of the input that comes next.
    var isSettled: Bool { !isEmittedApart && !tracker.isPending && !connection.isLost }

    /// The movement of two axes that comes next, with which no place is to be told, not taken yet.
    ///
    /// It is nil where something else comes next.
    var nextMotion: (header: X11Event.RawHeader, move: X11Event.Move)? {
        guard nextPending < pending.count,
            case .rawMotion(let header, let move) = pending[nextPending].event,
            pending[nextPending].pixel == nil
        else { return nil }
        return (header, move)
    }

    /// Takes what ``nextMotion`` told.
    ///
    /// - Parameter time: when that was.
    mutating func takeMotion(at time: EventTime) {
        nextPending += 1
        reach(time)
    }

    private mutating func reach(_ time: EventTime) {
        if time.milliseconds > floor.milliseconds { floor = time }
    }

    /// The moment of a stamp of the server.
    func time(of stamp: UInt32) -> EventTime { clock.time(of: stamp) }

    /// The next event that is not about windows; changes of context go to the sink on the way.
    mutating func next(_ sink: inout some CaptureSink & ~Copyable) -> X11Event? {
        while let (event, serial) = takeNext() {
            if event.isInput, !tracker.isPending {
                if isEmittedApart { emit(tracker.context, &sink) }
                return event
            }
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

    private mutating func takeNext() -> (event: X11Event, serial: UInt)? {
        guard !connection.isLost else { return nil }
        if nextPending < pending.count {
            defer { nextPending += 1 }
            pixel = pending[nextPending].pixel
            serial = pending[nextPending].serial
            return (pending[nextPending].event, serial)
        }
        guard waiting > 0 else { return nil }
        waiting -= 1
        let next = connection.takeEvent()
        serial = next.serial
        return next
    }

    /// Finds out the context before any input is selected, so that the first input has it.
    mutating func prepare() {
        // The focus may move while the server is asked for it.
        for _ in 0..<8 {
            connection.synchronize()
            tracker.beginRound()
            _ = connection.readArrived()
            while !connection.isQueueEmpty {
                let (event, serial) = connection.takeEvent()
                tracker.take(event, serial: serial, connection)
            }
            tracker.endRound(connection)
            settleAll()
            guard tracker.isPending, !connection.isLost else { return }
        }
    }

    /// Where nothing waits to be taken, the server's answers hold for what comes next.
    private mutating func settleAll() {
        // Where the first answer says which window it is, the second says whose.
        for _ in 0..<2 where connection.isQueueEmpty && carriedOver.isEmpty {
            tracker.settle(connection.nextRequest, connection)
        }
    }

    /// All is read: the server's answers now hold for what comes next.
    mutating func finish(_ sink: inout some CaptureSink & ~Copyable) {
        guard !connection.isLost else { return }
        tracker.endRound(connection)
        settleAll()
        emit(tracker.context, &sink)
    }

    /// Tells the context that was found out before anything was read.
    mutating func emitFirst(_ sink: inout some CaptureSink & ~Copyable) {
        if emitted == nil { emit(tracker.context, &sink) }
    }

    /// Input came; whose it is may be another question than a moment ago.
    mutating func inputCame(at time: EventTime, _ sink: inout some CaptureSink & ~Copyable) {
        if tracker.inputCame(at: time, connection) { emit(tracker.context, &sink) }
    }

    mutating func stamp(_ time: UInt32) -> EventTime {
        let time = self.time(of: time)
        reach(time)
        return time
    }

    /// The event that was handed out last is not of the tracker's context, but of nobody knows which.
    mutating func hide(_ sink: inout some CaptureSink & ~Copyable) {
        emit(.unknown, &sink)
        isEmittedApart = true
    }

    /// From here on, or no longer, nobody can say where input goes.
    mutating func setBlind(_ isBlind: Bool, _ sink: inout some CaptureSink & ~Copyable) {
        guard isBlind != self.isBlind else { return }
        self.isBlind = isBlind
        emit(tracker.context, &sink)
    }

    /// Tells a context, unless it is the one that was told last.
    private mutating func emit(_ known: AppContext, _ sink: inout some CaptureSink & ~Copyable) {
        isEmittedApart = false
        let context = isBlind ? .unknown : known
        guard context != emitted, !connection.isLost else { return }
        emitted = context
        changes += 1
        sink.take(.context(context, stream: stream, at: floor))
    }
}
