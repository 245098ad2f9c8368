// SPDX-License-Identifier: Apache-2.0

import Events

/// One connection's stream while it is read.
struct Lane {
    let connection: X11Connection
    let stream: InputStream
    var focus = FocusTracker()
    private var waiting = 0
    private var now = EventTime(0)
    /// Certainly not after the event to be read next.
    private var floor = EventTime(0)
    private var told: AppContext?

    init(_ connection: X11Connection, _ stream: InputStream) {
        self.connection = connection
        self.stream = stream
    }

    /// Reads what has arrived; the number of events.
    mutating func begin(_ now: EventTime) -> Int {
        floor = self.now == EventTime(0) ? now : self.now
        self.now = now
        waiting = connection.readArrived()
        focus.beginRound()
        return waiting
    }

    /// The next event that is not about the focus; changes of context go to the sink on the way.
    mutating func next(_ sink: (CaptureEvent) -> Void) -> X11Event? {
        while waiting > 0, !connection.isLost {
            waiting -= 1
            let (event, serial) = connection.takeEvent()
            focus.take(event, serial: serial, connection)
            tell(sink)
            switch event {
            case .focusIn, .focusOut, .created, .destroyed, .classChanged, .other: continue
            default: return event
            }
        }
        return nil
    }

    /// All is read: an answer about the focus now holds for what comes next.
    mutating func finish(_ sink: (CaptureEvent) -> Void) {
        guard !connection.isLost else { return }
        if connection.isQueueEmpty { focus.settle(connection.nextRequest, connection) }
        tell(sink)
    }

    mutating func stamp(_ time: UInt32) -> EventTime {
        let time = EventTime(server: time, near: now)
        floor = max(floor, time)
        return time
    }

    private mutating func tell(_ sink: (CaptureEvent) -> Void) {
        guard focus.context != told else { return }
        told = focus.context
        sink(.context(focus.context, stream: stream, at: floor))
    }
}
