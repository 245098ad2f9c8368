// SPDX-License-Identifier: Apache-2.0

import Events

/// One connection's stream while it is read.
struct Lane<Tracker: ContextTracker> {
    let connection: X11Connection
    let stream: InputStream
    var tracker: Tracker
    /// The events read and not yet taken.
    private(set) var waiting = 0
    private var now = EventTime(0)
    /// Certainly not after the event to be read next.
    private var floor = EventTime(0)
    private var told: AppContext?
    /// The context told last is not the tracker's, but that of one event.
    private var isToldApart = false
    /// How often another context was told.
    private(set) var changes = 0

    /// An event taken before its turn.
    struct Ahead {
        var event: X11Event
        var serial: UInt
        /// Where the pointer was after it, where that is to be told.
        var place: Pixel?
    }

    /// The room that is kept for events from one reading to the next.
    private static var mostKept: Int { 4096 }

    /// What ``readAhead(until:)`` took.
    var ahead: [Ahead] = []
    private var nextAhead = 0
    /// What is behind the place up to which was read ahead.
    private var overhang: [Ahead] = []
    /// The place of the event handed out last.
    private(set) var place: Pixel?

    init(_ connection: X11Connection, _ stream: InputStream, _ tracker: Tracker) {
        self.connection = connection
        self.stream = stream
        self.tracker = tracker
    }

    /// Reads what has arrived; the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = self.now == EventTime(0) ? now : self.now
        self.now = now
        forgetTaken()
        waiting = connection.readArrived()
        tracker.beginRound()
        return waiting + overhang.count
    }

    /// Empties what was read ahead; after a flood its memory is given back.
    private mutating func forgetTaken() {
        if ahead.capacity > Self.mostKept {
            ahead = []
        } else {
            ahead.removeAll(keepingCapacity: true)
        }
        nextAhead = 0
    }

    /// Takes what arrived up to the place in the stream at which the server handled a request; what
    /// is behind it belongs to the next reading.
    mutating func readAhead(until serial: UInt) {
        forgetTaken()
        readFurther(until: serial)
    }

    /// As ``readAhead(until:)``, and keeps what that took.
    mutating func readFurther(until serial: UInt) {
        ahead += overhang
        overhang.removeAll(keepingCapacity: true)
        waiting = connection.readAlready
        while waiting > 0, overhang.isEmpty, !connection.isLost {
            waiting -= 1
            let (event, eventSerial) = connection.takeEvent()
            let taken = Ahead(event: event, serial: eventSerial)
            if eventSerial < serial { ahead.append(taken) } else { overhang.append(taken) }
        }
        waiting = 0
    }

    /// Leaves what was read ahead, from a place on, to the next reading.
    mutating func putBack(from first: Int) {
        overhang.insert(contentsOf: ahead[first...], at: 0)
        ahead.removeSubrange(first...)
    }

    /// Reads what has arrived since the reading began; the number of events.
    mutating func continueReading() -> Int {
        let before = waiting
        waiting = connection.readArrived()
        return max(0, waiting - before)
    }

    /// The next event that is not about windows; changes of context go to the sink on the way.
    mutating func next(_ sink: (CaptureEvent) -> Void) -> X11Event? {
        while let (event, serial) = takeNext() {
            if event.isInput, !tracker.isPending {
                if isToldApart { tell(tracker.context, sink) }
                return event
            }
            tracker.take(event, serial: serial, connection)
            tell(tracker.context, sink)
            switch event {
            case .rawKey, .rawButton, .rawMotion, .rawAxes, .rawTouch, .modifiersChanged,
                .keyboardMapChanged,
                .devicesChanged, .screenChanged:
                return event
            default: continue
            }
        }
        return nil
    }

    private mutating func takeNext() -> (event: X11Event, serial: UInt)? {
        guard !connection.isLost else { return nil }
        if nextAhead < ahead.count {
            defer { nextAhead += 1 }
            place = ahead[nextAhead].place
            return (ahead[nextAhead].event, ahead[nextAhead].serial)
        }
        guard waiting > 0 else { return nil }
        waiting -= 1
        return connection.takeEvent()
    }

    /// All is read: the server's answers now hold for what comes next.
    mutating func finish(_ sink: (CaptureEvent) -> Void) {
        guard !connection.isLost else { return }
        tracker.endRound(connection)
        // Where the first answer says which window it is, the second says whose.
        for _ in 0..<2 where connection.isQueueEmpty && overhang.isEmpty {
            tracker.settle(connection.nextRequest, connection)
        }
        tell(tracker.context, sink)
    }

    /// Input came; whose it is may be another question than a moment ago.
    mutating func inputCame(at time: EventTime, _ sink: (CaptureEvent) -> Void) {
        if tracker.inputCame(at: time, connection) { tell(tracker.context, sink) }
    }

    mutating func stamp(_ time: UInt32) -> EventTime {
        let time = EventTime(server: time, near: now)
        floor = max(floor, time)
        return time
    }

    /// The event that was handed out last is not of the tracker's context, but of nobody knows which.
    mutating func hide(_ sink: (CaptureEvent) -> Void) {
        tell(.unknown, sink)
        isToldApart = true
    }

    /// Tells a context, unless it is the one that was told last.
    private mutating func tell(_ context: AppContext, _ sink: (CaptureEvent) -> Void) {
        isToldApart = false
        guard context != told, !connection.isLost else { return }
        told = context
        changes += 1
        sink(.context(context, stream: stream, at: floor))
    }
}
