// SPDX-License-Identifier: Apache-2.0

import Events

/// Where the pointers of the session are, and what of it is told with which event.
struct PointerPlaces {
    /// A pointer of the screen.
    private struct Master {
        let id: UInt8
        var path = PointerPath()
        /// The movement read last, while a reading is reckoned.
        var lastMove: (index: Int, time: EventTime)?
        /// Something else than the events that were read moved it, or may have.
        var isDisturbed = false
        /// The clicks on the border of two pixels since which it moved by whole pixels, if at all.
        var borders: [(index: Int, place: PointerPath.Point)] = []
    }

    /// How a device that tells positions spreads them over the desktop.
    private typealias Scales = (x: AxisScale, y: AxisScale)

    private var masters: [Master] = []
    /// By the device's id; nil for devices that tell movements.
    private var scales: [Scales?] = []
    private var desk: Desk?
    /// The place in the stream behind which the paths are known.
    private var start: UInt = 0
    private var contexts = 0
    private var trail = PointerTrail()

    init(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        use(devices)
    }

    /// The desktop; nil while it is not known.
    var screen: ScreenLayout? { desk?.screen }

    /// There are other devices from here on.
    mutating func use(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        let ids = devices.filter(\.value.isMasterPointer).keys.sorted()
        masters = ids.map { id in masters.first { $0.id == id } ?? Master(id: id) }
        scales = (UInt8.min...UInt8.max).map { id in
            guard let axes = devices[id]?.device.axes.filter({ $0.number < 2 && $0.isAbsolute }),
                axes.count == 2
            else { return nil }
            return (AxisScale(axes[0].range), AxisScale(axes[1].range))
        }
    }

    /// The desktop is another one from here on; nil where nobody can say.
    mutating func use(_ screen: ScreenLayout?) {
        desk = screen.map { Desk($0) }
        for index in masters.indices { masters[index].path = PointerPath() }
    }

    /// Asks where the pointers are, once, before what is read first is reckoned.
    mutating func start(_ connection: X11Connection, _ now: EventTime) {
        guard trail.start == nil else { return }
        trail.endReading(now.server, [], [])
        start = connection.nextRequest
        for index in masters.indices {
            let id = masters[index].id
            _ = masters[index].path.settle(at: position(id, connection)) {
                connection.pixel(of: id)
            }
        }
    }

    /// Asks where the pointers are, reads up to there, and says where they were at each click and on
    /// the way.
    mutating func reckon(_ lane: inout Lane<PointerTracker>, _ now: EventTime) {
        let serial = lane.connection.nextRequest
        var answers = masters.map { position($0.id, lane.connection) }
        lane.readAhead(until: serial)
        for index in masters.indices { masters[index].isDisturbed = false }
        var unexplained: [UInt32] = []
        if lane.ahead.contains(where: \.event.isClick) {
            let devices = trail.devices(lane.ahead.compactMap(\.event.step))
            let histories = devices.map { ($0, lane.connection.times(of: $0, since: trail.start)) }
            let serial = lane.connection.nextRequest
            answers = masters.map { position($0.id, lane.connection) }
            lane.readFurther(until: serial)
            let steps = lane.ahead.compactMap(\.event.step)
            if !histories.allSatisfy({ trail.explains($0.1, of: $0.0, by: steps) }) { disturb() }
            unexplained = histories.compactMap { trail.beginning(of: $0.1) }
        }
        trail.endReading(
            now.server,
            masters.map(\.id),
            lane.ahead.reversed().lazy.compactMap(\.event.step)
        )
        if lane.changes != contexts {
            contexts = lane.changes
            for index in masters.indices { masters[index].path.forgetTold() }
        }
        follow(&lane, now)
        for index in masters.indices { settle(index, at: answers[index], &lane) }
        for time in unexplained { forgetClicks(before: time, &lane) }
    }

    /// Nobody can say what moved the pointers up to a moment of the server's clock.
    private mutating func forgetClicks(before time: UInt32, _ lane: inout Lane<PointerTracker>) {
        for index in lane.ahead.indices where lane.ahead[index].event.isClick {
            guard let click = lane.ahead[index].event.step,
                Int32(bitPattern: click.time &- time) <= 0
            else { continue }
            lane.ahead[index].place = nil
            forgetTold(click.master)
        }
    }

    /// Follows the movements that were read, from where the pointers were before.
    private mutating func follow(_ lane: inout Lane<PointerTracker>, _ now: EventTime) {
        for index in masters.indices {
            masters[index].lastMove = nil
            masters[index].borders = []
        }
        guard let desk else { return }
        for index in lane.ahead.indices where lane.ahead[index].serial >= start {
            switch lane.ahead[index].event {
            case .rawMotion(let header, let axes):
                guard axes.present & 3 != 0, let master = master(header.master) else { continue }
                move(master, header.device, axes, desk)
                if axes.made.x.rounded() != axes.made.x || axes.made.y.rounded() != axes.made.y {
                    masters[master].borders = []
                }
                let time = EventTime(server: header.time, near: now)
                lane.ahead[index].place = masters[master].path.tellOnTheWay(at: time)
                masters[master].lastMove = (index, time)
            case .rawButton(let header, _, _) where !header.isEmulated:
                guard let master = master(header.master), let place = masters[master].path.now
                else { continue }
                guard let pixel = masters[master].path.pixel else {
                    masters[master].borders.append((index, place))
                    continue
                }
                lane.ahead[index].place = pixel
                let time = EventTime(server: header.time, near: now)
                masters[master].path.wasTold(pixel, at: time)
            case .rawTouch(let header):
                // A finger on a screen; one on a touchpad moves by raw movements.
                guard scales[Int(header.device)] != nil, let master = master(header.master) else {
                    continue
                }
                masters[master].isDisturbed = true
            case .entered, .left:
                // In the window left the movements may not have been recorded.
                for index in masters.indices { masters[index].path.forgetTold() }
            case .screenChanged, .devicesChanged: disturb()
            default: continue
            }
        }
    }

    /// Nobody can say how the pointers went since the last answer.
    private mutating func disturb() {
        for index in masters.indices { masters[index].isDisturbed = true }
    }

    private mutating func settle(
        _ index: Int,
        at answer: PointerPath.Point?,
        _ lane: inout Lane<PointerTracker>
    ) {
        let (id, connection) = (masters[index].id, lane.connection)
        let end = masters[index].path.now
        let isSettled = masters[index].path.settle(at: answer) { connection.pixel(of: id) }
        let isRight = isSettled && !masters[index].isDisturbed
        if isRight {
            if let end, !masters[index].borders.isEmpty, let shown = connection.pixel(of: id) {
                settleBorders(index, end, shown, &lane)
                // The reader was told pixels that the path does not know of.
                masters[index].path.forgetTold()
            }
            guard let last = masters[index].lastMove,
                let pixel = masters[index].path.tell(at: last.time)
            else { return }
            lane.ahead[last.index].place = pixel
        } else {
            masters[index].path.forgetTold()
            for place in lane.ahead.indices
            where lane.ahead[place].event.step?.master == masters[index].id {
                lane.ahead[place].place = nil
            }
        }
    }

    /// Which side of the border a pointer is on the server shows at the end, and by whole pixels it
    /// cannot have come from the other side.
    private func settleBorders(
        _ index: Int,
        _ end: PointerPath.Point,
        _ shown: Pixel,
        _ lane: inout Lane<PointerTracker>
    ) {
        for click in masters[index].borders {
            let way = (x: end.x - click.place.x, y: end.y - click.place.y)
            // It was stopped at an edge.
            guard way.x.rounded() == way.x, way.y.rounded() == way.y else { continue }
            lane.ahead[click.index].place = Pixel(
                x: Int16(clamping: Int(shown.x) - Int(way.x)),
                y: Int16(clamping: Int(shown.y) - Int(way.y))
            )
        }
    }

    /// What was told with a movement did not leave.
    mutating func forgetTold(_ id: UInt8) {
        if let index = master(id) { masters[index].path.forgetTold() }
    }

    private func master(_ id: UInt8) -> Int? { masters.firstIndex { $0.id == id } }

    private mutating func move(
        _ master: Int,
        _ device: UInt8,
        _ axes: X11Event.Axes,
        _ desk: Desk
    ) {
        let counts = (axes[0] ?? 0, axes[1] ?? 0)
        guard let scales = scales[Int(device)] else {
            return masters[master].path.move(by: axes.made, counts: counts, on: desk)
        }
        func pixel(_ point: PointerPath.Point) -> PointerPath.Point {
            (
                scales.x.pixel(point.x, of: desk.screen.width),
                scales.y.pixel(point.y, of: desk.screen.height)
            )
        }
        masters[master].path
            .move(to: pixel(axes.made), counts: pixel(counts), axes: axes.present, on: desk)
    }

    private func position(_ id: UInt8, _ connection: X11Connection) -> PointerPath.Point? {
        guard let desk else { return nil }
        return connection.position(of: id, on: desk.screen)
    }
}

extension X11Event {
    /// Whether a button went down or up that the server did not make up.
    fileprivate var isClick: Bool {
        if case .rawButton(let header, _, _) = self { !header.isEmulated } else { false }
    }

    /// What the server has in its history as well; nil for what it has not.
    fileprivate var step: PointerTrail.Step? {
        switch self {
        case .rawMotion(let header, _), .rawButton(let header, _, _):
            PointerTrail.Step(device: header.device, master: header.master, time: header.time)
        default: nil
        }
    }
}

extension AxisScale {
    fileprivate init(_ range: ClosedRange<Int32>) {
        self.init(Double(range.lowerBound), Double(range.upperBound))
    }
}
