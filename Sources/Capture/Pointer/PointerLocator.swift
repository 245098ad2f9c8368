// SPDX-License-Identifier: Apache-2.0

import Events

/// Locates the session's pointers and decides which events carry a pixel.
struct PointerLocator {
    /// Maximum query rounds per drain.
    private static let maxRounds = 8

    private var masters: [MasterPointer] = []
    /// The scales by device id; nil for devices that report motions.
    private var scales: [AxisScale.Desktop?] = []
    private var desktop: DesktopGeometry?
    /// The serial from which on the known desktop and devices are valid.
    private var knownSince = StreamSerial.start
    /// The serial from which on the pointers' positions are known.
    private var start = StreamSerial.start
    private var contexts = 0
    private var history = MotionHistory()
    private var fingers = TouchOwners()
    private var senders = PositionSenders()
    /// Whether to query the motion history at every drain.
    var asksAlways = false
    /// Whether everything that moved the pointers in the last drain was read and no edge stopped
    /// them.
    private(set) var isCertain = false
    /// The origins of the touches that began in this drain, in order.
    private var landings: [TouchOwners.TouchOrigin] = []

    init(_ devices: Dated<[UInt8: X11Connection.DeviceEntry]>) {
        use(devices)
    }

    /// The desktop layout; nil while it is unknown.
    var screen: ScreenLayout? { desktop?.screen }

    /// Replaces the devices from here on.
    ///
    /// - Parameter answer: All devices, by id.
    mutating func use(_ answer: Dated<[UInt8: X11Connection.DeviceEntry]>) {
        let devices = answer.value
        knownSince = answer.validFrom
        let ids = devices.filter(\.value.isMasterPointer).keys.sorted()
        masters = ids.map { id in masters.first { $0.id == id } ?? MasterPointer(id: id) }
        scales = (UInt8.min...UInt8.max).map { id in
            devices[id].flatMap { AxisScale.desktop($0.device) }
        }
        fingers.use(devices)
        senders.use(devices)
    }

    /// Replaces the desktop from here on; nil if it is unknown.
    mutating func use(_ screen: Dated<ScreenLayout?>) {
        desktop = screen.value.map { DesktopGeometry($0) }
        knownSince = screen.validFrom
        for index in masters.indices { masters[index].reckoning = DeadReckoning() }
    }

    /// Queries initial positions before the first drain.
    mutating func start(_ connection: X11Connection, _ now: EventTime) {
        guard history.start == nil else { return }
        history.endReading(now.server, [], [])
        start = connection.wire.nextRequest
        for index in masters.indices {
            let id = masters[index].id
            _ = masters[index].reckoning.settle(at: position(id, connection)) {
                connection.pixel(of: id)
            }
        }
    }

    /// Queries the pointers' positions, decodes events until there, and assigns pixels to them.
    ///
    /// - Parameters:
    ///   - queue: The pointer's events, of which those up to the last reply are decoded; the others
    ///     are carried over.
    ///   - connection: The connection for the queries.
    ///   - contexts: The number of context changes emitted so far.
    ///   - now: The time of the drain.
    mutating func locate(
        _ queue: inout EventQueue,
        _ connection: X11Connection,
        contexts: Int,
        _ now: EventTime
    ) {
        // Queried before the positions, so that the history is a part of what is read with them.
        let remembered = histories(senders.known, connection)
        let serial = connection.wire.nextRequest
        var answers = masters.map { position($0.id, connection) }
        queue.decode(until: serial)
        for index in masters.indices { masters[index].isDisturbed = false }
        landings.removeAll(keepingCapacity: true)
        let histories = resolveTouches(&queue, connection, &answers)
        let steps = histories.isEmpty ? [] : queue.decoded.compactMap(\.event.step)
        if !histories.allSatisfy({ history.explains($0.times, of: $0.device, by: steps) }) {
            disturb()
        }
        if self.contexts != contexts {
            self.contexts = contexts
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
            follow(index, to: answers[index], &queue.decoded, connection, way, remembered)
            masters[index].settle(at: answers[index], &queue.decoded, connection)
        }
        history.endReading(
            now.server,
            masters.map(\.id),
            queue.decoded.reversed().lazy.compactMap(\.event.step)
        )
        isCertain =
            masters.allSatisfy(\.isCertain)
            && histories.allSatisfy { history.beginning(of: $0.times) == nil }
        for time in histories.compactMap({ history.beginning(of: $0.times) }) {
            forgetClicks(before: time, &queue.decoded)
        }
    }

    /// The server's motion histories of devices, with the steps that earlier drains read.
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

    /// Follows the motions of a pointer, including those that are positions.
    private mutating func follow(
        _ index: Int,
        to answer: DeadReckoning.Point?,
        _ events: inout [PendingEvent],
        _ connection: X11Connection,
        _ way: MasterPointer.Way?,
        _ remembered: [UInt8: PositionSenders.History]
    ) {
        let before = masters[index]
        var asked = senders.devices(events, of: before.id, isLost: false)
        if asked.isEmpty {
            masters[index].follow(&events, way, fingers)
            // At an edge, motions may lead to the same position as positions.
            guard !masters[index].reckoning.isAt(answer) || masters[index].reckoning.wasConfined
            else {
                return
            }
            asked = senders.devices(events, of: before.id, isLost: true)
        }
        guard let way, !asked.isEmpty else { return }
        let isFollowed = asked.isDisjoint(with: senders.known)
        let new = histories(asked.subtracting(remembered.keys), connection)
        let found = senders.resolve(
            &events,
            of: (before.id, before.reckoning.now, answer),
            way,
            remembered.merging(new) { first, _ in first }
        )
        if !found.hasPositions, isFollowed { return }
        masters[index] = before
        if let origin = found.origin { masters[index].reckoning.begin(at: origin) }
        for index in events.indices
        where events[index].event.step?.master == before.id {
            events[index].pixel = nil
        }
        masters[index].follow(&events, way, fingers)
        var isSure = true
        for index in events.indices
        where events[index].event.step?.master == before.id {
            if events[index].event.movement != nil {
                isSure = !found.unsure.contains(index)
            }
            if !isSure, found.hasPositions { events[index].pixel = nil }
        }
        if found.wasConfined { masters[index].reckoning.wasConfined = true }
        if found.hasPositions, !found.unsure.isEmpty { masters[index].reckoning.forgetReported() }
    }

    /// Queries the server about the clicks and touches that were read, and decodes events until
    /// then.
    ///
    /// Events that could not be queried about are left to the next drain.
    ///
    /// - Parameters:
    ///   - queue: The pointer's events.
    ///   - connection: The connection for the queries.
    ///   - answers: The pointers' positions, replaced by the last replies.
    /// - Returns: The motion histories of the devices, if there are clicks.
    private mutating func resolveTouches(
        _ queue: inout EventQueue,
        _ connection: X11Connection,
        _ answers: inout [DeadReckoning.Point?]
    ) -> [(device: UInt8, times: [UInt32])] {
        var histories: [(device: UInt8, times: [UInt32])] = []
        var examined = 0
        // Events that arrive during a query raise new questions.
        for _ in 0..<Self.maxRounds where examined < queue.decoded.count {
            let first = examined
            examined = queue.decoded.count
            let isRaised = queue.decoded[first...].contains(where: \.event.raisesQuestion)
            guard asksAlways || isRaised else { break }
            locateTouches(&queue.decoded)
            let questions = findTouchOrigins(&queue.decoded, from: first)
            let hasClick = asksAlways || queue.decoded[first...].contains(where: \.event.isClick)
            guard hasClick || !questions.isEmpty else { break }
            if hasClick {
                let devices = history.devices(queue.decoded.compactMap(\.event.step))
                histories = devices.map {
                    ($0, connection.history(of: $0, since: history.start).map(\.time))
                }
            }
            let windows = questions.map { connection.window(at: $0.pixel) }
            let serial = connection.wire.nextRequest
            answers = masters.map { position($0.id, connection) }
            queue.decodeFurther(until: serial)
            for (question, window) in zip(questions, windows) {
                let since = queue.decoded[(question.index + 1)...].lazy.map(\.event)
                guard let window, TouchOwners.wasThere(window, before: since) else { continue }
                landings[question.landing] = .inside(window)
            }
        }
        if examined < queue.decoded.count {
            // The replies are later than these events.
            queue.deferEvents(from: examined)
            disturb()
        }
        return histories
    }

    /// Determines the origins of touches from the crossings after them.
    ///
    /// Crossings that a touch caused are moved before it.
    ///
    /// - Returns: The touches that need a query: their index among the events and among
    ///   ``landings``, and their pixel.
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
            // One path of the pointer: it leaves windows, then enters others. A grab is not a path.
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
    ///   - header: The event's header.
    ///   - id: The server's touch id.
    ///   - phase: What the finger did.
    ///   - pointed: The child of the root that contains the pointer; nil if unknown.
    /// - Returns: The finger's number, and whether the event belongs to the pointer's context.
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

    /// Assigns pixels to touches, as long as the known desktop and devices are valid.
    private func locateTouches(_ events: inout [PendingEvent]) {
        var isOutdated = false
        for index in events.indices {
            switch events[index].event {
            case .screenChanged, .devicesChanged: isOutdated = true
            case .rawTouch(let header, _, _, let axes):
                guard let desktop, !isOutdated, events[index].serial.hasReached(knownSince) else {
                    continue
                }
                events[index].pixel = fingers.pixel(header, axes, on: desktop)
            default: continue
            }
        }
    }

    /// Forgets the pixels of clicks up to a server time, before which the history is incomplete.
    private mutating func forgetClicks(
        before time: UInt32,
        _ events: inout [PendingEvent]
    ) {
        for index in events.indices where events[index].event.isClick {
            guard let click = events[index].event.step,
                Int32(bitPattern: click.time &- time) <= 0
            else { continue }
            events[index].pixel = nil
            forgetReported(click.master)
        }
    }

    /// Marks all pointers as possibly moved by something else since the last reply.
    private mutating func disturb() {
        for index in masters.indices { masters[index].isDisturbed = true }
    }

    /// Whether the server shows the pointers where the events led.
    func areShown(_ connection: X11Connection) -> Bool {
        masters.allSatisfy {
            $0.reckoning.pixel != nil && connection.pixel(of: $0.id) == $0.reckoning.pixel
        }
    }

    /// Forgets the reader's position, because the pixel of a motion was not emitted.
    mutating func forgetReported(_ id: UInt8) {
        if let index = master(id) { masters[index].reckoning.forgetReported() }
    }

    private func master(_ id: UInt8) -> Int? { masters.firstIndex { $0.id == id } }

    private func position(_ id: UInt8, _ connection: X11Connection) -> DeadReckoning.Point? {
        guard let desktop else { return nil }
        return connection.wire.position(of: id, on: desktop.screen)
    }
}

extension X11Event {
    /// A physical (not emulated) button event.
    fileprivate var isClick: Bool {
        if case .rawButton(let header, _, _) = self { !header.isEmulated } else { false }
    }

    /// Whether the event needs a query: it is a click or a touch.
    fileprivate var raisesQuestion: Bool {
        if case .rawTouch = self { true } else { isClick }
    }

    /// The event as an entry of the server's motion history; nil if it has none.
    var step: MotionHistory.Step? {
        switch self {
        case .rawMotion(let header, _), .rawAxes(let header, _), .rawButton(let header, _, _):
            MotionHistory.Step(device: header.device, master: header.master, time: header.time)
        default: nil
        }
    }
}
