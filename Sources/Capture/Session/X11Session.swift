// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

/// Both connections to the X server while they listen.
struct X11Session {
    private var keyboard: StreamReader<FocusTracker>
    private var pointer: StreamReader<PointerTracker>
    private var devices: KnownDevices
    private var keys: KeyboardState
    private var filters = KeyFilters()
    /// The server has screens with roots of their own, on which nothing is known.
    private let hasOtherScreens: Bool
    /// Whether the pointer was on this screen at the end of the last reading.
    private var isPointerHere = false
    /// The axes of the devices, by their id.
    private var axes: [PointerAxes]
    /// The place in the pointer's stream from which on they are these, by the device's id.
    private var axesSince = [UInt](repeating: 0, count: 256)
    /// The last of these places.
    private var allAxesSince: UInt = 0
    /// A key that came while the pointer was read: it may be later than movements not read yet.
    private var heldKey: RawEvent?
    private var locator: PointerLocator
    /// What an event still says that said more than one thing: a turn of a wheel and a movement.
    private var heldMoves: [RawEvent] = []
    private var isScreenAnnounced = false
    /// The buttons that are down, with the numbers that programs were told.
    private var buttons: [Button: ButtonNumber] = [:]
    /// What programs are told of buttons; nil while that is not known.
    private var maps: ButtonMaps?
    /// The place in the stream from which on the map of a device is known.
    private var mapsSince: [UInt8: UInt] = [:]
    /// The notices of this reading that maps changed, and how they are behind the last one.
    private var changedMaps: (notices: Int, maps: ButtonMaps?, devices: [UInt8: Device]) =
        (0, nil, [:])
    /// The movement last read that the server made of a button of a wheel.
    private var wheelButton: (device: UInt8, time: UInt32)?

    /// The most movements that are handed over at once.
    private static let maxInRun = 256

    private struct Button: Hashable {
        let device: UInt8
        let number: UInt8
    }

    /// The number that programs are told of a button.
    private enum ButtonNumber: Equatable {
        case known(UInt8)
        /// Programs are told nothing, or were told of it with a movement.
        case none
        case unknown
    }

    /// Connects and begins to listen.
    ///
    /// - Parameters:
    ///   - isTitleNeeded: of which windows the title is read.
    ///   - askers: what counts as asking for a secret.
    /// - Throws: ``CaptureError``.
    init(
        readTitles isTitleNeeded: @escaping (WindowFacts) -> Bool,
        _ askers: SecretAskers
    ) throws(CaptureError) {
        let keyboard = try X11Connection(role: .keyboard)
        let pointer = try X11Connection(role: .pointer)
        if keyboard.isXWayland { throw CaptureError(.wayland) }
        keyboard.processes = pointer.wire
        pointer.selectInput(
            [
                XI_RawButtonPress, XI_RawButtonRelease, XI_RawMotion,
                XI_RawTouchBegin, XI_RawTouchUpdate, XI_RawTouchEnd,
            ],
            devices: XIAllMasterDevices
        )
        pointer.selectInput([XI_HierarchyChanged], devices: XIAllDevices)
        pointer.wire?.followMonitors()
        pointer.wire?.followButtonMaps(of: pointer.deviceIDs())
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
        // Each is asked after its selection, so that no change falls between.
        keyboard.selectInput([XI_HierarchyChanged], devices: XIAllDevices)
        keys = try KeyboardState(keyboard)
        hasOtherScreens = !keyboard.otherRoots.isEmpty
        let all = pointer.devices()
        maps = ButtonMaps(all)
        filters.use(keyboard.followControls(of: Self.keyboards(all)))
        axes = Self.axes(all)
        devices = KnownDevices(all.mapValues(\.device))
        locator = PointerLocator(all, since: pointer.serialAfterReply)
        locator.asksAlways = hasOtherScreens
        let tracker = PointerTracker(WindowCache(.pointer, history, embedded, isTitleNeeded))
        self.pointer = StreamReader(pointer, .pointer, tracker)
        self.pointer.tracker.start(pointer)
        locator.use(pointer.wire?.screen(), since: pointer.serialAfterReply)
        // Last, so that whatever is typed finds its window and its map known.
        keyboard.selectInput(
            [
                XI_RawKeyPress, XI_RawKeyRelease,
                // To be woken by a click: it is read where the pointer's connection tells it.
                XI_RawButtonPress, XI_RawButtonRelease,
            ],
            devices: XIAllMasterDevices
        )
        keyboard.synchronize()
        pointer.synchronize()
        guard !isLost else { throw CaptureError(.unreachable) }
    }

    var descriptors: [Int32] { [keyboard.connection.descriptor, pointer.connection.descriptor] }

    /// The keyboard's, which also tells of new windows.
    var promptDescriptors: [Int32] { [keyboard.connection.descriptor] }

    /// The keyboard's while a terminal is in front, where a key must be read soon after it came.
    var urgentDescriptors: [Int32] {
        keyboard.tracker.terminal == .none ? [] : [keyboard.connection.descriptor]
    }

    /// When to read though nothing comes, in monotonic milliseconds; nil for never.
    var lookDue: Int64? {
        // Which devices there are is certain with a reading without a change.
        devices.hasChanged ? 0 : keyboard.tracker.lookDue
    }

    /// Reads the titles of other windows than before.
    mutating func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        keyboard.tracker.readTitles(where: isNeeded, keyboard.connection)
        pointer.tracker.readTitles(where: isNeeded, pointer.connection)
    }

    /// Lets other programs count as asking for a secret than before.
    mutating func lookFor(_ askers: SecretAskers) { keyboard.tracker.lookFor(askers) }

    /// Whether a button is down: the pixel at which it is let go is known for sure only where it is
    /// read soon after.
    var isDragging: Bool {
        // The server remembers only so much of a pointer that may have been on another screen.
        if hasOtherScreens { return true }
        return buttons.values.contains { number in
            switch number {
            case .known(let number): !Self.wheel.contains(number)
            case .unknown: true
            case .none: false
            }
        }
    }

    /// Why input that the server shows is not recorded now.
    var notices: [CaptureNotice] {
        var notices: [CaptureNotice] = []
        if filters.hideKeys { notices.append(.keyFilter) }
        if filters.movePointer { notices.append(.mouseKeys) }
        if hasOtherScreens { notices.append(.otherScreens) }
        return notices + [keyboard.tracker.notice].compactMap(\.self)
    }

    /// The program that may be asking for a secret in the window in front; nil where none does.
    var asking: AskingProgram? { keyboard.tracker.asking }

    /// Looks whether a program asks for a secret now; false where there is no terminal to look at.
    func lookForPrompts() -> Bool { keyboard.tracker.lookNow() }

    /// Whether the server has gone.
    var isLost: Bool { keyboard.connection.isLost || pointer.connection.isLost }

    /// XTestDevice over what has arrived, both streams merged by the server's time.
    ///
    /// - Returns: the number of items read.
    mutating func drain(now: EventTime, into sink: inout some CaptureSink & ~Copyable) -> Int {
        var count = keyboard.begin(now)
        let arrived = pointer.begin(now)
        devices.begin(&sink)
        keyboard.setBlind(filters.hideKeys, &sink)
        keyboard.emitFirst(&sink)
        if !isScreenAnnounced, let screen = locator.screen {
            isScreenAnnounced = true
            sink.take(.screen(screen))
        }
        locator.start(pointer.connection, now)
        if arrived > 0 { locator.locate(&pointer, now) }
        noteChangedMaps()
        if hasOtherScreens { findScreen(&sink) }
        count += pointer.pending.count
        // The kernel's buffer holds some 280 events and the server the rest: the question where the
        // pointer is has brought all of them. Keys older than these may have come meanwhile, or wait
        // to be sent, for the server sends to one connection after the other.
        if arrived > 0 { keyboard.connection.synchronize() }
        let late = keyboard.continueReading()
        count += late
        var key = nextKey(&sink)
        var isLate = keyboard.waiting < late
        var move = nextMove(&sink)
        while true {
            if let event = key, move.map({ event.time <= $0.time }) ?? !isLate {
                sink.take(.input(event, stream: .keyboard))
                key = nextKey(&sink)
                isLate = keyboard.waiting < late
            } else if let event = move {
                sink.take(.input(event, stream: .pointer))
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
        // Where it went on the other screen is not told, nor where it came back.
        if hasOtherScreens, pointer.isBlind { pointer.tracker.lose() }
        pointer.finish(&sink)
        devices.finish(&sink)
        return count
    }

    /// Finds out whether all that was read of the pointer happened on this screen.
    ///
    /// The server tells no window that the pointer left it for another screen. So it must have been
    /// here before and after, nothing but what was read may have moved it, and no edge stopped it.
    private mutating func findScreen(_ sink: inout some CaptureSink & ~Copyable) {
        let wasHere = isPointerHere
        isPointerHere = pointer.connection.pointedWindow() != nil
        let isCertain = locator.isCertain && locator.areShown(pointer.connection)
        let isBlind = !pointer.pending.isEmpty && !(wasHere && isPointerHere && isCertain)
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
                // What movements mean changes where the pointer's connection tells it.
                let all = pointer.connection.devices()
                devices.change(ids, to: all.mapValues(\.device), &sink)
                filters.use(keyboard.connection.followControls(of: Self.keyboards(all)))
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
                let screen = pointer.connection.wire?.screen()
                locator.use(screen, since: pointer.connection.serialAfterReply)
            default: break
            }
        }
        return nil
    }

    /// XTestDevice over the plain movements that come next, up to a key.
    ///
    /// The first one behind anything else goes another way, so that whose it is has been asked.
    private mutating func handOverMotions(
        before key: EventTime?,
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        guard heldMoves.isEmpty, pointer.isSettled, pointer.serial >= allAxesSince else { return }
        while let device = pointer.nextMotion?.header.device, !axes[Int(device)].isAbsolute {
            var run = MotionRun(of: device)
            var axes = self.axes[Int(device)]
            run.steps.append(addingCapacity: Self.maxInRun) { steps in
                var step = MotionRun.Step(time: EventTime(0), dx: 0, dy: 0)
                while steps.freeCapacity > 0, let (header, move) = pointer.nextMotion,
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

    /// The time of an event of the pointer's connection.
    private mutating func inputCame(
        _ header: X11Event.RawHeader,
        _ sink: inout some CaptureSink & ~Copyable
    ) -> EventTime {
        let time = pointer.stamp(header.time)
        pointer.inputCame(at: time, &sink)
        return time
    }

    /// What the event that was taken last tells, at its place.
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
        pointer.connection.wire?.followButtonMaps(of: pointer.connection.deviceIDs())
        let all = pointer.connection.devices()
        axes = Self.axes(all)
        allAxesSince = pointer.connection.serialAfterReply
        for id in UInt8.min...UInt8.max where ids.contains(id) {
            axesSince[Int(id)] = allAxesSince
        }
        maps = ButtonMaps(all)
        // Changes of those that were there already are told.
        mapsSince = all.mapValues { _ in allAxesSince }.merging(mapsSince) { _, old in old }
            .filter { all[$0.key] != nil }
        locator.use(all, since: allAxesSince)
        devices.change(ids, to: all.mapValues(\.device), &sink)
    }

    /// Whether the event came before it was found out what the axes of its device mean: its id may
    /// have been another device's.
    private func areAxesUnknown(_ header: X11Event.RawHeader) -> Bool {
        pointer.serial < axesSince[Int(header.device)]
    }

    /// An event of which nothing can be told but that there was something.
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

    /// Asks for the maps of the buttons where what was read says that they have changed.
    ///
    /// The answer holds for all that stands behind the last notice, unless another one came
    /// meanwhile. Between two notices nobody can say.
    private mutating func noteChangedMaps() {
        let notices = pointer.pending.count(where: \.event.isButtonMapChange)
        guard notices > 0 else { return changedMaps = (0, nil, [:]) }
        let all = pointer.connection.devices()
        let read = pointer.pending.count
        let serial = pointer.connection.serialAfterReply
        pointer.decodeFurther(until: serial + 1)
        let isCertain = !pointer.pending[read...].contains(where: \.event.isButtonMapChange)
        pointer.deferEvents(from: read)
        changedMaps = (notices, isCertain ? ButtonMaps(all) : nil, all.mapValues(\.device))
    }

    private mutating func mapsDidChange(_ sink: inout some CaptureSink & ~Copyable) {
        changedMaps.notices -= 1
        maps = changedMaps.notices == 0 ? changedMaps.maps : nil
        // No id is another device's.
        if maps != nil { devices.change(ByteSet(), to: changedMaps.devices, &sink) }
    }

    /// What programs are told of a button, or the notch that buttons 4 to 7 stand for; nil for nothing.
    ///
    /// The server makes such buttons up beside a wheel's motion: those are flagged and left out, so
    /// that a notch is counted once. Where a driver posts the button of a notch for a device with
    /// wheels, the server makes up the motion: then the motion is flagged, the button is not, and
    /// the motion counts.
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
        } else if let maps, pointer.serial >= mapsSince[header.device] ?? 0 {
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

    /// The buttons that stand for the notches of wheels.
    private static let wheel: ClosedRange<UInt8> = 4...7

    private static func keyboards(_ devices: [UInt8: X11Connection.DeviceEntry]) -> [UInt8] {
        devices.filter(\.value.isKeyboard).keys.sorted()
    }

    private static func axes(_ devices: [UInt8: X11Connection.DeviceEntry]) -> [PointerAxes] {
        var axes = [PointerAxes](repeating: PointerAxes(), count: 256)
        for (id, entry) in devices { axes[Int(id)] = entry.axes }
        return axes
    }

    /// What a motion event says first; what else it says is held back.
    ///
    /// The place goes with what it says last.
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

    /// A movement of less than a count is not recorded, nor is its place.
    private mutating func noteUnreported(_ header: X11Event.RawHeader) {
        if pointer.pixel != nil { locator.forgetReported(header.master) }
    }
}
