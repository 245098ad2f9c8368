// SPDX-License-Identifier: Apache-2.0

import CX11
package import Events

/// The input of an X11 session, read as XInput2 raw events.
///
/// Two connections: the keyboard's speaks XInput 2.0, for only then does the server withhold keys
/// during grabs; the pointer's speaks 2.2, for only then are drags complete. Their events are
/// merged by the server's time. Disconnecting closes both, so that nothing can arrive.
package final class X11Source: EventSource {
    private var keyboard: Lane?
    private var pointer: Lane?
    private var keys = KeyboardState()
    private var axes: [UInt8: PointerAxes] = [:]
    /// The movement of an event that also turned a wheel: it follows the turn.
    private var heldMove: RawEvent?

    package init() {}

    package var descriptors: [Int32] {
        [keyboard, pointer].compactMap { $0?.connection.descriptor }
    }

    /// Refuses sessions in which X11 sees only a part of the input.
    ///
    /// - Parameter environment: the process environment.
    /// - Throws: ``CaptureError`` `wayland` or `noDisplay`.
    package static func checkSession(_ environment: [String: String]) throws(CaptureError) {
        let isWayland =
            environment["XDG_SESSION_TYPE"] == "wayland"
            || !(environment["WAYLAND_DISPLAY"] ?? "").isEmpty
        let hasDisplay = !(environment["DISPLAY"] ?? "").isEmpty
        if isWayland && (!hasDisplay || environment["XDG_SESSION_TYPE"] != "x11") {
            throw CaptureError(.wayland)
        }
        if !hasDisplay { throw CaptureError(.noDisplay) }
    }

    /// Finds out whether the X server can be recorded, without listening to anything.
    ///
    /// - Throws: ``CaptureError``.
    package static func probe() throws(CaptureError) {
        if try X11Connection(role: .pointer).isXWayland { throw CaptureError(.wayland) }
    }

    package func connect() throws(CaptureError) {
        disconnect()
        let keyboard = try X11Connection(role: .keyboard)
        let pointer = try X11Connection(role: .pointer)
        if keyboard.isXWayland { throw CaptureError(.wayland) }
        keys = try KeyboardState(keyboard)
        axes = pointer.pointerAxes()
        keyboard.selectInput([XI_RawKeyPress, XI_RawKeyRelease], devices: XIAllMasterDevices)
        pointer.selectInput(
            [XI_RawButtonPress, XI_RawButtonRelease, XI_RawMotion],
            devices: XIAllMasterDevices
        )
        pointer.selectInput([XI_HierarchyChanged], devices: XIAllDevices)
        var lanes = [Lane(keyboard, .keyboard), Lane(pointer, .pointer)]
        for index in lanes.indices { lanes[index].focus.start(lanes[index].connection) }
        keyboard.synchronize()
        pointer.synchronize()
        guard !keyboard.isLost, !pointer.isLost else { throw CaptureError(.unreachable) }
        (self.keyboard, self.pointer) = (lanes[0], lanes[1])
    }

    package func disconnect() {
        keyboard = nil
        pointer = nil
        heldMove = nil
        axes = [:]
        keys = KeyboardState()
    }

    package func drain(
        now: EventTime,
        into sink: (CaptureEvent) -> Void
    ) throws(CaptureError) -> Int {
        guard keyboard != nil, pointer != nil else { return 0 }
        let count = keyboard?.begin(now) ?? 0
        let total = count + (pointer?.begin(now) ?? 0)
        var key = nextKey(sink)
        var move = nextMove(sink)
        while let event = Self.earlier(key, move) {
            sink(
                event.isKey
                    ? .input(event.raw, stream: .keyboard) : .input(event.raw, stream: .pointer)
            )
            if event.isKey { key = nextKey(sink) } else { move = nextMove(sink) }
        }
        keyboard?.finish(sink)
        pointer?.finish(sink)
        if keyboard?.connection.isLost == true || pointer?.connection.isLost == true {
            disconnect()
            throw CaptureError(.connectionLost)
        }
        return total
    }

    private static func earlier(_ key: RawEvent?, _ move: RawEvent?) -> (
        raw: RawEvent, isKey: Bool
    )? {
        guard let key else { return move.map { ($0, false) } }
        guard let move else { return (key, true) }
        return key.time <= move.time ? (key, true) : (move, false)
    }

    private func nextKey(_ sink: (CaptureEvent) -> Void) -> RawEvent? {
        while let event = keyboard?.next(sink) {
            switch event {
            case .rawKey(let header, let keycode, let isDown):
                guard let time = keyboard?.stamp(header.time), let connection = keyboard?.connection
                else { return nil }
                keyboard?.focus.inputCame(connection, provesNoGrab: true)
                let key = keys.key(keycode, isDown: isDown, connection)
                return RawEvent(time: time, device: header.device, payload: .key(key))
            case .modifiersChanged(let modifiers, let group):
                keys.update(modifiers: modifiers, group: group)
            case .keyboardMapChanged: keys.mapDidChange()
            default: break
            }
        }
        return nil
    }

    private func nextMove(_ sink: (CaptureEvent) -> Void) -> RawEvent? {
        if let held = heldMove {
            heldMove = nil
            return held
        }
        while let event = pointer?.next(sink) {
            switch event {
            case .rawButton(let header, let number, let isDown):
                guard let time = pointer?.stamp(header.time),
                    let payload = Self.button(header, number, isDown)
                else { continue }
                return RawEvent(time: time, device: header.device, payload: payload)
            case .rawMotion(let header, let values):
                guard let time = pointer?.stamp(header.time), let connection = pointer?.connection
                else { continue }
                pointer?.focus.inputCame(connection, provesNoGrab: false)
                let motion = axes[header.device, default: PointerAxes()].motion(values)
                let turn = axes[header.device, default: PointerAxes()].turn(values)
                let moved = RawEvent(
                    time: time,
                    device: header.device,
                    payload: .motion(dx: motion.dx, dy: motion.dy)
                )
                if turn != (0, 0) {
                    if motion != (0, 0) { heldMove = moved }
                    let payload = RawEvent.Payload.scroll(dx: turn.dx, dy: turn.dy)
                    return RawEvent(time: time, device: header.device, payload: payload)
                }
                guard motion != (0, 0) else { continue }
                return moved
            case .devicesChanged:
                if let connection = pointer?.connection { axes = connection.pointerAxes() }
            default: break
            }
        }
        return nil
    }

    /// A button, or the notch that buttons 4 to 7 stand for.
    ///
    /// The server makes such buttons up beside a wheel's motion: those are flagged and left out, so
    /// that a notch is counted once.
    private static func button(
        _ header: X11Event.RawHeader,
        _ number: UInt8,
        _ isDown: Bool
    ) -> RawEvent.Payload? {
        guard !header.isEmulated else { return nil }
        switch number {
        case 4: return isDown ? .scroll(dx: 0, dy: -120) : nil
        case 5: return isDown ? .scroll(dx: 0, dy: 120) : nil
        case 6: return isDown ? .scroll(dx: -120, dy: 0) : nil
        case 7: return isDown ? .scroll(dx: 120, dy: 0) : nil
        default: return .button(number: number, isDown: isDown)
        }
    }
}

/// One connection's stream while it is read.
private struct Lane {
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
