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

    init(_ connection: X11Connection, _ stream: InputStream, _ tracker: Tracker) {
        self.connection = connection
        self.stream = stream
        self.tracker = tracker
    }

    /// So many events in one reading fill the kernel's buffer (about 200 of them), and the server keeps
    /// the rest until it is read.
    private static var flood: Int { 100 }

    /// Reads what has arrived, all of it also in a flood; the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = self.now == EventTime(0) ? now : self.now
        self.now = now
        waiting = connection.readArrived()
        if waiting >= Self.flood {
            connection.synchronize()
            waiting = connection.readArrived()
        }
        tracker.beginRound()
        return waiting
    }

    /// Reads what has arrived since the reading began; the number of events.
    mutating func continueReading() -> Int {
        let before = waiting
        waiting = connection.readArrived()
        return max(0, waiting - before)
    }

    /// The next event that is not about windows; changes of context go to the sink on the way.
    mutating func next(_ sink: (CaptureEvent) -> Void) -> X11Event? {
        while waiting > 0, !connection.isLost {
            waiting -= 1
            let (event, serial) = connection.takeEvent()
            tracker.take(event, serial: serial, connection)
            tell(tracker.context, sink)
            switch event {
            case .rawKey, .rawButton, .rawMotion, .modifiersChanged, .keyboardMapChanged,
                .devicesChanged:
                return event
            default: continue
            }
        }
        return nil
    }

    /// All is read: the server's answers now hold for what comes next.
    mutating func finish(_ sink: (CaptureEvent) -> Void) {
        guard !connection.isLost else { return }
        tracker.endRound(connection)
        // Where the first answer says which window it is, the second says whose.
        for _ in 0..<2 where connection.isQueueEmpty {
            tracker.settle(connection.nextRequest, connection)
        }
        tell(tracker.context, sink)
    }

    /// Input came; whose it is may be another question than a moment ago.
    mutating func inputCame(at time: EventTime, _ sink: (CaptureEvent) -> Void) {
        tracker.inputCame(at: time, connection)
        tell(tracker.context, sink)
    }

    mutating func stamp(_ time: UInt32) -> EventTime {
        let time = EventTime(server: time, near: now)
        floor = max(floor, time)
        return time
    }

    /// Tells a context, unless it is the one that was told last.
    private mutating func tell(_ context: AppContext, _ sink: (CaptureEvent) -> Void) {
        guard context != told, !connection.isLost else { return }
        told = context
        sink(.context(context, stream: stream, at: floor))
    }
}
