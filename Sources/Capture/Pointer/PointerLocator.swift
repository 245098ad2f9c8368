// SPDX-License-Identifier: Apache-2.0

import Events

/// Where the pointers of the session are, and what of it is told with which event.
struct PointerLocator {
    /// So often a reading asks the server about what it read.
    private static let maxRounds = 8

    private var masters: [MasterPointer] = []
    /// By the device's id; nil for devices that tell movements.
    private var scales: [AxisScale.Desktop?] = []
    private var desktop: DesktopGeometry?
    /// The place in the stream from which on desktop and devices are those that are known.
    private var knownSince: UInt = 0
    /// The place in the stream behind which the paths are known.
    private var start: UInt = 0
    private var contexts = 0
    private var history = MotionHistory()
    private var fingers = TouchOwners()
    private var senders = PositionSenders()
    /// Whether the server is asked at every reading what it remembers of the pointers.
    var asksAlways = false
    /// Whether all that moved the pointers in the last reading was read, and no edge stopped them.
    private(set) var isCertain = false
    /// Where the fingers of a reading came down, in their order.
    private var landings: [TouchOwners.TouchOrigin] = []

    init(_ devices: [UInt8: X11Connection.DeviceEntry], since: UInt) {
        use(devices, since: since)
    }

    /// The desktop; nil while it is not known.
    var screen: ScreenLayout? { desktop?.screen }

    /// There are other devices from here on.
    ///
    /// - Parameters:
    ///   - devices: all, by their id.
    ///   - since: the place in the stream from which on they are these.
    mutating func use(_ devices: [UInt8: X11Connection.DeviceEntry], since: UInt) {
        knownSince = since
        let ids = devices.filter(\.value.isMasterPointer).keys.sorted()
        masters = ids.map { id in masters.first { $0.id == id } ?? MasterPointer(id: id) }
        scales = (UInt8.min...UInt8.max).map { id in
            devices[id].flatMap { AxisScale.desktop($0.device) }
        }
        fingers.use(devices)
        senders.use(devices)
    }

    /// The desktop is another one from here on; nil where nobody can say.
    ///
    /// - Parameters:
    ///   - screen: the desktop.
    ///   - since: the place in the stream from which on it is this one.
    mutating func use(_ screen: ScreenLayout?, since: UInt) {
        desktop = screen.map { DesktopGeometry($0) }
        knownSince = since
        for index in masters.indices { masters[index].reckoning = DeadReckoning() }
    }

    /// Asks where the pointers are, once, before what is read first is reckoned.
    mutating func start(_ connection: X11Connection, _ now: EventTime) {
        guard history.start == nil else { return }
        history.endReading(now.server, [], [])
        start = connection.nextRequest
        for index in masters.indices {
            let id = masters[index].id
            _ = masters[index].reckoning.settle(at: position(id, connection)) {
                connection.pixel(of: id)
            }
        }
    }

    /// Asks where the pointers are, reads up to there, and says where they were at each click and on
    /// the way.
    mutating func locate(_ reader: inout StreamReader<PointerTracker>, _ now: EventTime) {
        // Before the positions, so that all that is remembered is read with them.
        let remembered = histories(senders.known, reader.connection)
        let serial = reader.connection.nextRequest
        var answers = masters.map { position($0.id, reader.connection) }
        reader.decode(until: serial)
        for index in masters.indices { masters[index].isDisturbed = false }
        landings.removeAll(keepingCapacity: true)
        let histories = resolveTouches(&reader, &answers)
        let steps = histories.isEmpty ? [] : reader.pending.compactMap(\.event.step)
        if !histories.allSatisfy({ history.explains($0.times, of: $0.device, by: steps) }) {
            disturb()
        }
        if reader.changes != contexts {
            contexts = reader.changes
            for index in masters.indices { masters[index].reckoning.forgetReported() }
        }
        let way = desktop.map {
            MasterPointer.Way(
                desktop: $0,
                scales: scales,
                start: start,
                clock: ServerClock(now: now)
            )
        }
        for index in masters.indices {
            follow(index, to: answers[index], &reader, way, remembered)
            masters[index].settle(at: answers[index], &reader.pending, reader.connection)
        }
        history.endReading(
            now.server,
            masters.map(\.id),
            reader.pending.reversed().lazy.compactMap(\.event.step)
        )
        isCertain =
            masters.allSatisfy(\.isCertain)
            && histories.allSatisfy { history.beginning(of: $0.times) == nil }
        for time in histories.compactMap({ history.beginning(of: $0.times) }) {
            forgetClicks(before: time, &reader)
        }
    }

    /// What the server remembers of devices, and what was read of that before.
    private func histories(
        _ devices: Set<UInt8>,
        _ connection: X11Connection
    ) -> [UInt8: PositionSenders.History] {
        var histories: [UInt8: PositionSenders.History] = [:]
        for device in devices {
            histories[device] = (
                connection.history(of: device, since: history.start), history.earlier(of: device)
            )
        }
        return histories
    }

    /// Follows the movements of a pointer, those that are positions too.
    private mutating func follow(
        _ index: Int,
        to answer: DeadReckoning.Point?,
        _ reader: inout StreamReader<PointerTracker>,
        _ way: MasterPointer.Way?,
        _ remembered: [UInt8: PositionSenders.History]
    ) {
        let before = masters[index]
        var asked = senders.devices(reader.pending, of: before.id, isLost: false)
        if asked.isEmpty {
            masters[index].follow(&reader.pending, way, fingers)
            // At an edge movements may lead to the same place as positions.
            guard !masters[index].reckoning.isAt(answer) || masters[index].reckoning.wasConfined
            else {
                return
            }
            asked = senders.devices(reader.pending, of: before.id, isLost: true)
        }
        guard let way, !asked.isEmpty else { return }
        let isFollowed = asked.isDisjoint(with: senders.known)
        let new = histories(asked.subtracting(remembered.keys), reader.connection)
        let found = senders.resolve(
            &reader.pending,
            of: (before.id, before.reckoning.now, answer),
            way,
            remembered.merging(new) { first, _ in first }
        )
        if !found.hasPositions, isFollowed { return }
        masters[index] = before
        if let origin = found.origin { masters[index].reckoning.begin(at: origin) }
        for index in reader.pending.indices
        where reader.pending[index].event.step?.master == before.id {
            reader.pending[index].pixel = nil
        }
        masters[index].follow(&reader.pending, way, fingers)
        var isSure = true
        for index in reader.pending.indices
        where reader.pending[index].event.step?.master == before.id {
            if reader.pending[index].event.movement != nil {
                isSure = !found.unsure.contains(index)
            }
            if !isSure, found.hasPositions { reader.pending[index].pixel = nil }
        }
        if found.wasConfined { masters[index].reckoning.wasConfined = true }
        if found.hasPositions, !found.unsure.isEmpty { masters[index].reckoning.forgetReported() }
    }

    /// Asks the server about the clicks and the fingers that were read, and reads on up to there.
    ///
    /// What cannot be asked about is left to the next reading.
    ///
    /// - Parameters:
    ///   - reader: what was read.
    ///   - answers: where the pointers are, replaced by the last answers.
    /// - Returns: the server's times of the devices, where there are clicks.
    private mutating func resolveTouches(
        _ reader: inout StreamReader<PointerTracker>,
        _ answers: inout [DeadReckoning.Point?]
    ) -> [(device: UInt8, times: [UInt32])] {
        var histories: [(device: UInt8, times: [UInt32])] = []
        var examined = 0
        // What comes while the server is asked raises questions again.
        for _ in 0..<Self.maxRounds where examined < reader.pending.count {
            let first = examined
            examined = reader.pending.count
            let isRaised = reader.pending[first...].contains(where: \.event.raisesQuestion)
            guard asksAlways || isRaised else { break }
            locateTouches(&reader.pending)
            let questions = findTouchOrigins(&reader.pending, from: first)
            let hasClick = asksAlways || reader.pending[first...].contains(where: \.event.isClick)
            guard hasClick || !questions.isEmpty else { break }
            if hasClick {
                let devices = history.devices(reader.pending.compactMap(\.event.step))
                histories = devices.map {
                    ($0, reader.connection.history(of: $0, since: history.start).map(\.time))
                }
            }
            let windows = questions.map { reader.connection.window(at: $0.pixel) }
            let serial = reader.connection.nextRequest
            answers = masters.map { position($0.id, reader.connection) }
            reader.decodeFurther(until: serial)
            for (question, window) in zip(questions, windows) {
                let since = reader.pending[(question.index + 1)...].lazy.map(\.event)
                guard let window, TouchOwners.wasThere(window, before: since) else { continue }
                landings[question.landing] = .inside(window)
            }
        }
        if examined < reader.pending.count {
            // The answers are from behind it.
            reader.deferEvents(from: examined)
            disturb()
        }
        return histories
    }

    /// Finds out where fingers came down, from what stands behind them.
    ///
    /// What the server says of the pointer that came with a finger is put before the finger.
    ///
    /// - Returns: the fingers of which the server is to be asked: their place among the events and
    ///   among ``landings``, and the pixel.
    private mutating func findTouchOrigins(
        _ events: inout [PendingEvent],
        from first: Int
    ) -> [(index: Int, landing: Int, pixel: Pixel)] {
        var questions: [(index: Int, landing: Int, pixel: Pixel)] = []
        var index = first
        while index < events.count {
            defer { index += 1 }
            guard case .rawTouch(_, _, .down, _) = events[index].event else { continue }
            let pixel = events[index].pixel
            var landing = TouchOwners.TouchOrigin.unknown
            var hasEntered = false
            // One way of the pointer: out of some windows, then into others. A grab is no way.
            while index + 1 < events.count, let crossing = events[index + 1].event.crossing,
                crossing.pixel == pixel, crossing.mode == .plain, crossing.isEntry || !hasEntered
            {
                hasEntered = crossing.isEntry
                landing = .crossed
                events.swapAt(index, index + 1)
                index += 1
            }
            if case .unknown = landing, let pixel {
                questions.append((index, landings.count, pixel))
            }
            landings.append(landing)
        }
        return questions
    }

    /// Takes the next event of a finger.
    ///
    /// - Parameters:
    ///   - header: whose.
    ///   - id: the server's number of the touch.
    ///   - phase: what it did.
    ///   - pointed: the child of the root the pointer is in; nil where that is not known.
    /// - Returns: the finger's number, and whether what it did belongs to the pointer's context.
    mutating func takeTouch(
        _ header: X11Event.RawHeader,
        _ id: UInt32,
        _ phase: Touch.Phase,
        _ pointed: UInt?
    ) -> (number: UInt8, isOfPointer: Bool) {
        let isLanding = phase == .down && !landings.isEmpty
        let landing = isLanding ? landings.removeFirst() : .unknown
        return fingers.take(header, id, phase, landing, pointed)
    }

    /// Says where fingers are, as long as the desktop and the devices are those that are known.
    private func locateTouches(_ events: inout [PendingEvent]) {
        var isOutdated = false
        for index in events.indices {
            switch events[index].event {
            case .screenChanged, .devicesChanged: isOutdated = true
            case .rawTouch(let header, _, _, let axes):
                guard let desktop, !isOutdated, events[index].serial >= knownSince else { continue }
                events[index].pixel = fingers.pixel(header, axes, on: desktop)
            default: continue
            }
        }
    }

    /// Nobody can say what moved the pointers up to a moment of the server's clock.
    private mutating func forgetClicks(
        before time: UInt32,
        _ reader: inout StreamReader<PointerTracker>
    ) {
        for index in reader.pending.indices where reader.pending[index].event.isClick {
            guard let click = reader.pending[index].event.step,
                Int32(bitPattern: click.time &- time) <= 0
            else { continue }
            reader.pending[index].pixel = nil
            forgetReported(click.master)
        }
    }

    /// Nobody can say how the pointers went since the last answer.
    private mutating func disturb() {
        for index in masters.indices { masters[index].isDisturbed = true }
    }

    /// Whether the server shows the pointers where the events that were read led.
    func areShown(_ connection: X11Connection) -> Bool {
        masters.allSatisfy {
            $0.reckoning.pixel != nil && connection.pixel(of: $0.id) == $0.reckoning.pixel
        }
    }

    /// What was told with a movement did not leave.
    mutating func forgetReported(_ id: UInt8) {
        if let index = master(id) { masters[index].reckoning.forgetReported() }
    }

    private func master(_ id: UInt8) -> Int? { masters.firstIndex { $0.id == id } }

    private func position(_ id: UInt8, _ connection: X11Connection) -> DeadReckoning.Point? {
        guard let desktop else { return nil }
        return connection.wire?.position(of: id, on: desktop.screen)
    }
}

extension X11Event {
    /// Whether a button went down or up that the server did not make up.
    fileprivate var isClick: Bool {
        if case .rawButton(let header, _, _) = self { !header.isEmulated } else { false }
    }

    /// Whether the server is to be asked about it: a click, or something of a finger.
    fileprivate var raisesQuestion: Bool {
        if case .rawTouch = self { true } else { isClick }
    }

    /// What the server has in its history as well; nil for what it has not.
    var step: MotionHistory.Step? {
        switch self {
        case .rawMotion(let header, _), .rawAxes(let header, _), .rawButton(let header, _, _):
            MotionHistory.Step(device: header.device, master: header.master, time: header.time)
        default: nil
        }
    }
}
