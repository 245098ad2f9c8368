// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

/// Both streams of the X server while they are listened to.
struct X11Session {
    private var keyboard: StreamReader<FocusTracker>
    private var pointer: StreamReader<PointerTracker>
    private var devices: KnownDevices
    private var keys: KeyboardState
    private var filters = KeyFilters()
    /// Whether the server has other screens with their own roots, whose input is not tracked.
    private let hasOtherScreens: Bool
    /// Whether the pointer was on this screen at the end of the last drain.
    private var isPointerHere = false
    /// The axes of the devices, by id.
    private var axes: [PointerAxes]
    /// The serials of the pointer's stream from which on these are valid, by device id.
    private var axesSince = [StreamSerial](repeating: .start, count: 256)
    /// The last of these serials.
    private var allAxesSince = StreamSerial.start
    /// A key that arrived while the pointer was read; it may be later than motions not read yet.
    private var heldKey: RawEvent?
    private var locator: PointerLocator
    /// Remaining payloads of an X event that carried several (wheel and motion).
    private var heldMoves: [RawEvent] = []
    private var isScreenAnnounced = false
    private let display: MarkedDisplay
    /// The moment after which input of this round is handed on; nil while none is.
    private var handsOnAfter: EventTime? = .distantPast
    /// Whether monitors came, went or moved in this round.
    private var hasScreenMoved = false
    /// The buttons that are down, with their logical numbers.
    private var buttons: [Button: ButtonNumber] = [:]
    /// The button maps; nil while they are unknown.
    private var maps: ButtonMaps?
    /// The serials from which on the map of a device is known.
    private var mapsSince: [UInt8: StreamSerial] = [:]
    /// The remaining button map notices of this drain, and the maps after the last one.
    private var changedMaps: (notices: Int, maps: ButtonMaps?, devices: [UInt8: Device]) =
        (0, nil, [:])
    /// The last scroll that the server derived from a wheel's button.
    private var wheelButton: (device: UInt8, time: UInt32)?

    /// Maximum motions in one run.
    private static let maxInRun = 256

    private struct Button: Hashable {
        let device: UInt8
        let number: UInt8
    }

    /// The logical number of a button.
    private enum ButtonNumber: Equatable {
        case known(UInt8)
        /// The button is disabled, or its notch was emitted as a scroll already.
        case none
        case unknown
    }

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - display: The server, with the mark on its screen.
    ///   - isTitleNeeded: Decides which windows' titles are read.
    ///   - askers: The programs treated as asking for a secret.
    /// - Throws: ``CaptureError`` if the server is unreachable or unsuitable.
    init(
        _ display: MarkedDisplay,
        readTitles isTitleNeeded: @escaping (WindowFacts) -> Bool,
        _ askers: SecretAskers
    ) throws(CaptureError) {
        let keyboard = display.keyboard
        let pointer = try X11Connection(display.xlib, role: .pointer)
        pointer.wire.markIDs = keyboard.wire.ids
        pointer.selectInput(
            [
                XI_RawButtonPress, XI_RawButtonRelease, XI_RawMotion,
                XI_RawTouchBegin, XI_RawTouchUpdate, XI_RawTouchEnd,
            ],
            devices: XIAllMasterDevices
        )
        pointer.selectInput([XI_HierarchyChanged], devices: XIAllDevices)
        pointer.wire.followMonitors()
        pointer.wire.followButtonMaps(of: pointer.deviceIDs())
        let (history, embedded) = (ClientHistory(), EmbeddedWindows(keyboard))
        let focus = FocusTracker(
            WindowCache(.keyboard, history, embedded, isTitleNeeded),
            askers
        )
        var reader = StreamReader(keyboard, .keyboard, focus)
        reader.tracker.start(keyboard)
        reader.prepare()
        reader.tracker.look()
        self.keyboard = reader
        self.display = display
        // Each is queried after its selection, so that no change is missed.
        keyboard.selectInput([XI_HierarchyChanged], devices: XIAllDevices)
        keys = try KeyboardState(keyboard)
        hasOtherScreens = !keyboard.otherRoots.isEmpty
        let answer = pointer.dated { pointer.devices() }
        let all = answer.value
        maps = ButtonMaps(all)
        filters.use(Self.followControls(of: all, keyboard))
        axes = Self.axes(all)
        devices = KnownDevices(all.mapValues(\.device))
        locator = PointerLocator(answer)
        locator.asksAlways = hasOtherScreens
        let tracker = PointerTracker(WindowCache(.pointer, history, embedded, isTitleNeeded))
        self.pointer = StreamReader(pointer, .pointer, tracker)
        self.pointer.tracker.start(pointer)
        locator.use(pointer.dated { pointer.wire.screen() })
        // Selected last, so that every typed key has a known window and map.
        keyboard.selectInput(
            [
                XI_RawKeyPress, XI_RawKeyRelease,
                // Clicks only wake the loop; they are read from the pointer's connection.
                XI_RawButtonPress, XI_RawButtonRelease,
            ],
            devices: XIAllMasterDevices
        )
        keyboard.synchronize()
        pointer.synchronize()
        guard !isLost else { throw CaptureError(.unreachable) }
    }

    var descriptors: [Int32] { [keyboard.connection.descriptor, pointer.connection.descriptor] }

    /// The keyboard's descriptor, which also reports new windows.
    var promptDescriptors: [Int32] { [keyboard.connection.descriptor] }

    /// The keyboard's descriptor while a terminal is in front, where keys must be read soon.
    var urgentDescriptors: [Int32] {
        keyboard.tracker.terminal == .none ? [] : [keyboard.connection.descriptor]
    }

    /// The time at which to drain without an event, in ms of CLOCK_MONOTONIC; nil for never.
    var lookDue: Int64? {
        // The devices become certain with a drain without a change.
        devices.hasChanged
            ? 0 : [keyboard.tracker.lookDue, display.lookDue].compactMap(\.self).min()
    }

    /// Changes the windows whose titles are read.
    mutating func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        keyboard.tracker.readTitles(where: isNeeded, keyboard.connection)
        pointer.tracker.readTitles(where: isNeeded, pointer.connection)
    }

    /// Changes the programs treated as asking for a secret.
    mutating func lookFor(_ askers: SecretAskers) { keyboard.tracker.lookFor(askers) }

    /// Whether a button is down.
    ///
    /// The pixel at which it is released is certain only if the release is read soon after.
    var isDragging: Bool {
        // The motion history, needed for a pointer that may visit another screen, is short.
        if hasOtherScreens { return true }
        return buttons.values.contains { number in
            switch number {
            case .known(let number): !Self.wheel.contains(number)
            case .unknown: true
            case .none: false
            }
        }
    }

    /// The reasons why input that the server shows is not recorded now.
    var notices: [CaptureNotice] {
        var notices: [CaptureNotice] = []
        if filters.hideKeys { notices.append(.keyFilter) }
        if filters.movePointer { notices.append(.mouseKeys) }
        if hasOtherScreens { notices.append(.otherScreens) }
        return notices + [keyboard.tracker.notice].compactMap(\.self)
    }

    /// The program that may be asking for a secret in the window in front; nil if there is none.
    var asking: AskingProgram? { keyboard.tracker.asking }

    /// Checks now whether a program asks for a secret; false if there is no terminal to look at.
    func lookForPrompts() -> Bool { keyboard.tracker.lookNow() }

    /// Whether a connection is lost.
    var isLost: Bool { keyboard.connection.isLost || pointer.connection.isLost }

    /// Emits all events that have arrived, with both streams merged by the server's time.
    ///
    /// - Returns: The number of items read.
    mutating func drain(now: EventTime, into sink: inout some CaptureSink & ~Copyable) -> Int {
        var count = keyboard.begin(now)
        let arrived = pointer.begin(now)
        let oldest = [keyboard.oldestInput, pointer.oldestInput].compactMap(\.self).min()
        devices.begin(&sink)
        keyboard.setBlind(filters.hideKeys, &sink)
        keyboard.emitFirst(&sink)
        pointer.emitFirst(&sink)
        if !isScreenAnnounced, let screen = locator.screen {
            isScreenAnnounced = true
            sink.take(.screen(screen))
        }
        locator.start(pointer.connection, now)
        if arrived > 0 {
            locator.locate(&pointer.queue, pointer.connection, contexts: pointer.changes, now)
        }
        noteChangedMaps()
        if hasOtherScreens { findScreen(&sink) }
        count += pointer.queue.decoded.count
        // The kernel's buffer holds some 280 events and the server the rest; the query for the
        // pointer's position has fetched all of them. Keys older than these may have arrived
        // meanwhile, or may still wait, because the server writes to one connection after the
        // other.
        if arrived > 0 { keyboard.connection.synchronize() }
        let late = keyboard.queue.continueReading()
        count += late
        // Everything of this round was read; nothing of it was handed on.
        handsOnAfter = display.look(oldest: oldest)
        var key = nextKey(&sink)
        var isLate = keyboard.queue.waiting < late
        var move = nextMove(&sink)
        while true {
            if let event = key, move.map({ event.time <= $0.time }) ?? !isLate {
                hand(on: event, .keyboard, &sink)
                key = nextKey(&sink)
                isLate = keyboard.queue.waiting < late
            } else if let event = move {
                hand(on: event, .pointer, &sink)
                handOverMotions(before: key?.time, &sink)
                move = nextMove(&sink)
            } else {
                break
            }
        }
        heldKey = key
        keyboard.finish(&sink)
        keyboard.tracker.look()
        keys.endReading(keyboard.connection)
        // Neither the pointer's path on the other screen nor its return is reported.
        if hasOtherScreens, pointer.isBlind { pointer.tracker.lose() }
        pointer.finish(&sink)
        devices.finish(&sink)
        if hasScreenMoved {
            hasScreenMoved = false
            display.showAnew()
        }
        return count
    }

    /// Has the contexts emitted again, before the next input.
    mutating func repeatContexts() {
        keyboard.forgetEmitted()
        pointer.forgetEmitted()
    }

    /// Hands an event on if it lies between two good looks at the mark.
    private func hand(
        on event: RawEvent,
        _ stream: InputStream,
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        guard let handsOnAfter, event.time > handsOnAfter else { return }
        sink.take(.input(event, stream: stream))
    }

    /// Determines whether all pointer events of this drain happened on this screen.
    ///
    /// The server does not report to any window that the pointer left for another screen. So the
    /// pointer must have been here before and after, only the events read may have moved it, and no
    /// edge may have stopped it.
    private mutating func findScreen(_ sink: inout some CaptureSink & ~Copyable) {
        let wasHere = isPointerHere
        isPointerHere = pointer.connection.pointedWindow() != nil
        let isCertain = locator.isCertain && locator.areShown(pointer.connection)
        let isBlind = !pointer.queue.decoded.isEmpty && !(wasHere && isPointerHere && isCertain)
        pointer.setBlind(isBlind, &sink)
    }

    private mutating func nextKey(_ sink: inout some CaptureSink & ~Copyable) -> RawEvent? {
        if let held = heldKey {
            heldKey = nil
            return held
        }
        while let event = keyboard.next(&sink) {
            switch event {
            case .rawKey(let header, let keycode, let isDown):
                let time = keyboard.stamp(header.time)
                keyboard.inputCame(at: time, &sink)
                let key = keys.key(header, keycode, isDown: isDown, serial: keyboard.serial)
                if filters.hide(key) { keyboard.hide(&sink) }
                return RawEvent(time: time, device: header.device, payload: .key(key))
            case .modifiersChanged, .keyMapChanged: keys.take(event, serial: keyboard.serial)
            case .rawButton: keyboard.tracker.buttonMoved()
            case .keyboardControls(let device, let enabled):
                filters.use(enabled, of: device)
                keyboard.setBlind(filters.hideKeys, &sink)
            case .devicesChanged(let ids):
                keys.take(event, serial: keyboard.serial)
                // The axes change where the pointer's connection reports it.
                let all = pointer.connection.devices()
                devices.change(ids, to: all.mapValues(\.device), &sink)
                filters.use(Self.followControls(of: all, keyboard.connection))
                keyboard.setBlind(filters.hideKeys, &sink)
            default: break
            }
        }
        return nil
    }

    private mutating func nextMove(_ sink: inout some CaptureSink & ~Copyable) -> RawEvent? {
        if !heldMoves.isEmpty { return heldMoves.removeFirst() }
        while let event = pointer.next(&sink) {
            switch event {
            case .rawButton(let header, let number, let isDown):
                let time = inputCame(header, &sink)
                guard let payload = button(header, number, isDown, &sink) else { continue }
                return reported(header, time, payload)
            case .rawMotion(let header, let move):
                let time = inputCame(header, &sink)
                if areAxesUnknown(header) { return hidden(header, time, &sink) }
                guard let payload = axes[Int(header.device)].read(move) else {
                    noteUnreported(header)
                    continue
                }
                return reported(header, time, payload)
            case .rawAxes(let header, let values):
                let time = inputCame(header, &sink)
                if areAxesUnknown(header) { return hidden(header, time, &sink) }
                guard let event = movement(header, values, time) else { continue }
                return event
            case .rawTouch(let header, let id, let phase, let values):
                let time = inputCame(header, &sink)
                let finger = locator.takeTouch(header, id, phase, pointer.tracker.window)
                if !finger.isOfPointer { pointer.hide(&sink) }
                let touch = Touch(finger: finger.number, phase: phase, values: values.ofTouch)
                return reported(header, time, .touch(touch))
            case .devicesChanged(let ids): devicesDidChange(ids, &sink)
            case .buttonMapChanged: mapsDidChange(&sink)
            case .screenChanged:
                isScreenAnnounced = false
                hasScreenMoved = true
                let connection = pointer.connection
                locator.use(connection.dated { connection.wire.screen() })
            default: break
            }
        }
        return nil
    }

    /// Emits the plain motions that come next, up to a key.
    ///
    /// The first motion after any other event is emitted singly, so that its owner has been
    /// resolved.
    private mutating func handOverMotions(
        before key: EventTime?,
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        guard heldMoves.isEmpty, pointer.isSettled, pointer.serial.hasReached(allAxesSince),
            handsOnAfter == .distantPast
        else { return }
        while let device = pointer.queue.nextMotion?.header.device, !axes[Int(device)].isAbsolute {
            var run = MotionRun(of: device)
            var axes = self.axes[Int(device)]
            run.steps.append(addingCapacity: Self.maxInRun) { steps in
                var step = MotionRun.Step(time: EventTime(0), dx: 0, dy: 0)
                while steps.freeCapacity > 0, let (header, move) = pointer.queue.nextMotion,
                    header.device == device
                {
                    step.time = pointer.time(of: header.time)
                    if let key, key.milliseconds <= step.time.milliseconds { break }
                    pointer.takeMotion(at: step.time)
                    (step.dx, step.dy) = axes.step(move)
                    if step.dx | step.dy != 0 { steps.append(step) }
                }
            }
            self.axes[Int(device)] = axes
            guard !run.steps.isEmpty else { return }
            sink.take(run)
        }
    }

    /// The time of an event of the pointer's stream, whose owner is resolved if necessary.
    private mutating func inputCame(
        _ header: X11Event.RawHeader,
        _ sink: inout some CaptureSink & ~Copyable
    ) -> EventTime {
        let time = pointer.stamp(header.time)
        pointer.inputCame(at: time, &sink)
        return time
    }

    /// The raw event for the last event taken, with its pixel.
    private func reported(
        _ header: X11Event.RawHeader,
        _ time: EventTime,
        _ payload: RawEvent.Payload
    ) -> RawEvent {
        RawEvent(time: time, device: header.device, payload: payload, pixel: pointer.pixel)
    }

    private mutating func devicesDidChange(
        _ ids: ByteSet,
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        let connection = pointer.connection
        connection.wire.followButtonMaps(of: connection.deviceIDs())
        let answer = connection.dated { connection.devices() }
        let all = answer.value
        axes = Self.axes(all)
        allAxesSince = answer.validFrom
        for id in UInt8.min...UInt8.max where ids.contains(id) {
            axesSince[Int(id)] = allAxesSince
        }
        maps = ButtonMaps(all)
        // Changes of earlier devices are reported separately.
        mapsSince = all.mapValues { _ in allAxesSince }.merging(mapsSince) { _, old in old }
            .filter { all[$0.key] != nil }
        locator.use(answer)
        devices.change(ids, to: all.mapValues(\.device), &sink)
    }

    /// Whether the event is older than the known axes of its device.
    ///
    /// Its id may have belonged to another device.
    private func areAxesUnknown(_ header: X11Event.RawHeader) -> Bool {
        pointer.serial.isBefore(axesSince[Int(header.device)])
    }

    /// An event with an unknown context and an empty motion, because its axes are unknown.
    private mutating func hidden(
        _ header: X11Event.RawHeader,
        _ time: EventTime,
        _ sink: inout some CaptureSink & ~Copyable
    ) -> RawEvent {
        pointer.hide(&sink)
        noteUnreported(header)
        return RawEvent(time: time, device: header.device, payload: .motion(dx: 0, dy: 0))
    }

    // MARK: Buttons

    /// Queries the button maps if events of this drain report that they have changed.
    ///
    /// The reply holds for everything after the last notice, unless another notice came meanwhile.
    /// Between two notices the maps are unknown.
    private mutating func noteChangedMaps() {
        let notices = pointer.queue.decoded.count(where: \.event.isButtonMapChange)
        guard notices > 0 else { return changedMaps = (0, nil, [:]) }
        let connection = pointer.connection
        let all = connection.dated { connection.devices() }.value
        let read = pointer.queue.decoded.count
        pointer.queue.decodeFurther(until: connection.wire.nextRequest)
        let isCertain = !pointer.queue.decoded[read...].contains(where: \.event.isButtonMapChange)
        pointer.queue.deferEvents(from: read)
        changedMaps = (notices, isCertain ? ButtonMaps(all) : nil, all.mapValues(\.device))
    }

    private mutating func mapsDidChange(_ sink: inout some CaptureSink & ~Copyable) {
        changedMaps.notices -= 1
        maps = changedMaps.notices == 0 ? changedMaps.maps : nil
        // All ids still belong to the same devices.
        if maps != nil { devices.change(ByteSet(), to: changedMaps.devices, &sink) }
    }

    /// The payload of a button, or the scroll for buttons 4 to 7; nil for nothing.
    ///
    /// The server derives such buttons from a wheel's motion; they are flagged as emulated and
    /// dropped, so that a notch is counted once. If a driver posts the button of a notch for a
    /// device with wheels, the server derives the motion. Then the motion is flagged, the button is
    /// not, and the motion counts.
    private mutating func button(
        _ header: X11Event.RawHeader,
        _ physical: UInt8,
        _ isDown: Bool,
        _ sink: inout some CaptureSink & ~Copyable
    ) -> RawEvent.Payload? {
        guard !header.isEmulated else { return nil }
        let button = Button(device: header.device, number: physical)
        var number = ButtonNumber.unknown
        if !isDown, let pressed = buttons[button] {
            number = pressed
        } else if let maps, pointer.serial.hasReached(mapsSince[header.device] ?? .start) {
            let mapped = maps.number(of: physical, device: header.device, master: header.master)
            number = mapped == 0 ? .none : .known(mapped)
        }
        if isDown, Self.wheel.contains(physical),
            wheelButton.map({ $0 == (header.device, header.time) }) ?? false
        {
            number = .none
        }
        buttons[button] = isDown ? number : nil
        switch number {
        case .none: return nil
        case .known(4): return isDown ? .scroll(dx: 0, dy: -120) : nil
        case .known(5): return isDown ? .scroll(dx: 0, dy: 120) : nil
        case .known(6): return isDown ? .scroll(dx: -120, dy: 0) : nil
        case .known(7): return isDown ? .scroll(dx: 120, dy: 0) : nil
        case .known(let number): return .button(number: number, isDown: isDown)
        case .unknown:
            pointer.hide(&sink)
            return .button(number: physical, isDown: isDown)
        }
    }

    /// The buttons that represent the notches of wheels.
    private static let wheel: ClosedRange<UInt8> = 4...7

    /// Begins to follow the XKB controls of keyboards; returns the currently enabled ones.
    private static func followControls(
        of devices: [UInt8: X11Connection.DeviceEntry],
        _ connection: X11Connection
    ) -> [UInt8: UInt32] {
        var enabled: [UInt8: UInt32] = [:]
        for id in devices.filter(\.value.isKeyboard).keys.sorted() {
            connection.wire.followControls(of: id)
            enabled[id] = connection.wire.controls(of: id)
        }
        return enabled
    }

    private static func axes(_ devices: [UInt8: X11Connection.DeviceEntry]) -> [PointerAxes] {
        var axes = [PointerAxes](repeating: PointerAxes(), count: 256)
        for (id, entry) in devices { axes[Int(id)] = entry.axes }
        return axes
    }

    /// The first payload of a motion event; the others are kept for later.
    ///
    /// The pixel belongs to the last payload.
    private mutating func movement(
        _ header: X11Event.RawHeader,
        _ values: X11Event.Axes,
        _ time: EventTime
    ) -> RawEvent? {
        var first: RawEvent?
        axes[Int(header.device)].read(values) { payload in
            if case .scroll = payload, header.isEmulated {
                wheelButton = (header.device, header.time)
            }
            if let earlier = first { heldMoves.append(earlier) }
            first = RawEvent(time: time, device: header.device, payload: payload)
        }
        guard var last = first else {
            noteUnreported(header)
            return nil
        }
        last.pixel = pointer.pixel
        guard !heldMoves.isEmpty else { return last }
        heldMoves.append(last)
        return heldMoves.removeFirst()
    }

    /// Handles a motion of less than one unit: neither it nor its pixel is recorded.
    private mutating func noteUnreported(_ header: X11Event.RawHeader) {
        if pointer.pixel != nil { locator.forgetReported(header.master) }
    }
}
