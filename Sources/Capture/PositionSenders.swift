// SPDX-License-Identifier: Apache-2.0

import Events

/// Finds the movements that are positions although their device is called relative.
///
/// The pointers of Xvnc, Xephyr and other servers without a mouse of their own are called relative
/// and send positions; XTEST sends either. A raw event does not say which it is. But the server
/// keeps, for each movement of a device, where the pointer was before it. So what a movement led to
/// is known: where that is its value, and not what the pointer's position and the value add up to,
/// it was a position. Such a movement is then turned into the way from where the pointer was, so
/// that everything after this finds movements only.
///
/// The server is asked where the movements as they stand do not lead to where the pointer is, and
/// whenever a device moves that sent a position last.
struct PositionSenders {
    /// A movement that the server remembers: when, and where the pointer was before it.
    struct Moment {
        var time: UInt32
        var x: Double
        var y: Double
    }

    /// What the server remembers of a device, and the steps among it that were read before.
    typealias History = (moments: [Moment], earlier: [PointerTrail.Step])

    /// A movement of the pointer among the events of a reading.
    fileprivate struct Movement {
        let index: Int
        let device: UInt8
        let move: X11Event.Move
        /// Where the pointer was before it, in whole pixels.
        var before: PointerPath.Point?
        /// Where it was after it: at one of these.
        var after: [PointerPath.Point] = []
    }

    /// The devices that may send positions, with how these would be spread over the desktop.
    private var candidates: [UInt8: AxisScale.Desktop] = [:]
    private var names: [UInt8: String] = [:]
    /// The candidates whose last movement was a position.
    private var senders: Set<UInt8> = []

    /// There are other devices from here on.
    mutating func use(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        candidates = devices.compactMapValues { entry in
            guard entry.device.position == nil, !entry.isMasterPointer,
                let x = entry.device.axes.first(where: { $0.number == 0 }),
                let y = entry.device.axes.first(where: { $0.number == 1 })
            else { return nil }
            return AxisScale.desktop(x, y)
        }
        let old = names
        names = devices.mapValues(\.device.name)
        senders = senders.filter { candidates[$0] != nil && old[$0] == names[$0] }
    }

    /// The devices of which the server is to be asked at every reading.
    var known: Set<UInt8> { senders }

    /// The devices of which the server is to be asked before the movements are followed.
    ///
    /// - Parameters:
    ///   - events: what was read.
    ///   - master: the pointer.
    ///   - isLost: whether the movements as they stand do not lead to where the pointer is.
    /// - Returns: none where nothing is to be asked.
    func devices(_ events: [AheadEvent], of master: UInt8, isLost: Bool) -> Set<UInt8> {
        guard isLost || !senders.isEmpty else { return [] }
        var found: Set<UInt8> = []
        for event in events {
            guard let (header, move) = event.event.movement, header.master == master,
                move.present != 0, candidates[header.device] != nil
            else { continue }
            found.insert(header.device)
        }
        return isLost || !found.isDisjoint(with: senders) ? found : []
    }

    /// Turns positions into movements.
    ///
    /// - Parameters:
    ///   - events: what was read.
    ///   - pointer: the master, and where it was before and is after these events.
    ///   - way: the desktop, and the devices that say that they tell positions.
    ///   - histories: what the server remembers of the candidates, with the steps that were read
    ///     before.
    /// - Returns: where the pointer was before the first movement, if only that tells it; and the
    ///   movements behind which nobody can say where it was.
    mutating func resolve(
        _ events: inout [AheadEvent],
        of pointer: (id: UInt8, from: PointerPath.Point?, to: PointerPath.Point?),
        _ way: FollowedPointer.Way,
        _ histories: [UInt8: History]
    ) -> (origin: PointerPath.Point?, unsure: Set<Int>) {
        let movements = movements(events, pointer, way, histories)
        let kinds = kinds(movements, way)
        var origin: PointerPath.Point?
        var unsure: Set<Int> = []
        var at = pointer.from
        for (movement, isPosition) in zip(movements, kinds) {
            if let before = movement.before, at.map({ !Self.isSame($0, before) }) ?? true {
                at = before
            }
            guard let scales = scales(of: movement, isPosition, way) else {
                at = at.map { way.desk.confine(movement.sum($0), from: $0) }
                if at.map({ !movement.leads($0) }) ?? true { unsure.insert(movement.index) }
                continue
            }
            let place = movement.target(way.desk.place(movement.move.made, scales), from: at)
            let target = way.desk.confine(place, from: at ?? place)
            if !movement.leads(target) { unsure.insert(movement.index) }
            if way.scales[Int(movement.device)] == nil {
                if at == nil { origin = target }
                let from = at ?? target
                let step = (x: target.x - from.x, y: target.y - from.y)
                events[movement.index].event.setMovement(step)
            }
            at = target
        }
        return (origin, unsure)
    }

    /// How the values of a movement are spread over the desktop; nil where they are no position.
    private func scales(
        of movement: Movement,
        _ isPosition: Bool,
        _ way: FollowedPointer.Way
    ) -> AxisScale.Desktop? {
        way.scales[Int(movement.device)] ?? (isPosition ? candidates[movement.device] : nil)
    }

    /// Which movements are positions.
    ///
    /// What cannot be told is what the device sent next, or else what it sent before.
    private mutating func kinds(_ movements: [Movement], _ way: FollowedPointer.Way) -> [Bool] {
        var kinds = movements.map { isPosition($0, way) }
        var next: [UInt8: Bool] = [:]
        for index in kinds.indices.reversed() {
            let device = movements[index].device
            if let kind = kinds[index] { next[device] = kind } else { kinds[index] = next[device] }
        }
        return zip(kinds, movements).map { kind, movement in
            guard let kind else { return senders.contains(movement.device) }
            if kind { senders.insert(movement.device) } else { senders.remove(movement.device) }
            return kind
        }
    }

    /// Whether a movement is a position; nil where it cannot be told from where it began and led to.
    private func isPosition(_ movement: Movement, _ way: FollowedPointer.Way) -> Bool? {
        guard way.scales[Int(movement.device)] == nil, let scales = candidates[movement.device],
            let before = movement.before, !movement.after.isEmpty
        else { return nil }
        let place = movement.target(way.desk.place(movement.move.made, scales), from: before)
        let isPlace = movement.leads(way.desk.confine(place, from: before))
        // What the server remembers is cut to whole pixels.
        let isSum = [0, 1 - 0x1p-20].contains { rest in
            let from = (x: before.x + rest, y: before.y + rest)
            return movement.leads(way.desk.confine(movement.sum(from), from: from))
        }
        return isPlace == isSum ? nil : isPlace
    }

    /// The movements of a pointer, with what the server remembers of each.
    private func movements(
        _ events: [AheadEvent],
        _ pointer: (id: UInt8, from: PointerPath.Point?, to: PointerPath.Point?),
        _ way: FollowedPointer.Way,
        _ histories: [UInt8: History]
    ) -> [Movement] {
        var movements: [Movement] = []
        for (index, event) in events.enumerated() where event.serial >= way.start {
            guard let (header, move) = event.event.movement, header.master == pointer.id,
                move.present != 0
            else { continue }
            movements.append(Movement(index: index, device: header.device, move: move))
        }
        var matches: [UInt8: [Int: Match]] = [:]
        for (device, history) in histories {
            matches[device] = Self.match(history.moments, history.earlier, events, device)
        }
        func place(_ moment: Moment?, _ device: UInt8) -> PointerPath.Point? {
            guard let moment, let scales = candidates[device] else { return nil }
            return way.desk.place((moment.x, moment.y), scales)
        }
        for index in movements.indices {
            let device = movements[index].device
            let match = matches[device]?[movements[index].index]
            movements[index].before = place(match?.moment, device)
            let next = index + 1 < movements.count ? movements[index + 1] : nil
            if let next, next.device != device {
                let other = matches[next.device]?[next.index]?.moment
                movements[index].after = [place(other, next.device)].compactMap(\.self)
            } else {
                movements[index].after = [place(match?.next, device)].compactMap(\.self)
                if next == nil, let end = pointer.to { movements[index].after.append(end) }
            }
        }
        return movements
    }

    /// What the server remembers of an event, and what of the same device comes behind it.
    private typealias Match = (moment: Moment, next: Moment?)

    /// Finds the events of a device that the server remembers, by their place among all.
    private static func match(
        _ moments: [Moment],
        _ earlier: [PointerTrail.Step],
        _ events: [AheadEvent],
        _ device: UInt8
    ) -> [Int: Match] {
        var steps: [(index: Int?, time: UInt32, isMovement: Bool)] =
            earlier.map { (nil, $0.time, true) }
        for (index, event) in events.enumerated() {
            guard let step = event.event.step, step.device == device else { continue }
            steps.append((index, step.time, event.event.movement != nil))
        }
        // Where there are more in a millisecond than were read nobody can say which is which.
        var surplus: [UInt32: Int] = [:]
        for moment in moments { surplus[moment.time, default: 0] += 1 }
        for step in steps { surplus[step.time, default: 0] -= 1 }
        var matches: [Int: Match] = [:]
        // The movement that came last: what is next tells where it led to.
        var open: Int?
        var left = steps[...]
        for moment in moments {
            while let step = left.first, isLater(moment.time, than: step.time) {
                left.removeFirst()
                open = nil
            }
            guard let step = left.first, step.time == moment.time else {
                if let open { matches[open]?.next = moment }
                open = nil
                continue
            }
            left.removeFirst()
            // Of a button the server remembers no position.
            guard step.isMovement else { continue }
            let isCertain = surplus[step.time] ?? 0 <= 0
            if let open, isCertain { matches[open]?.next = moment }
            open = isCertain ? step.index : nil
            if let open { matches[open] = (moment, nil) }
        }
        return matches
    }

    private static func isLater(_ time: UInt32, than other: UInt32) -> Bool {
        Int32(bitPattern: time &- other) > 0
    }

    private static func isSame(_ point: PointerPath.Point, _ whole: PointerPath.Point) -> Bool {
        point.x.rounded(.towardZero) == whole.x && point.y.rounded(.towardZero) == whole.y
    }
}

extension PositionSenders.Movement {
    /// The position that the axes tell; an axis that is not told stays.
    fileprivate func target(
        _ place: PointerPath.Point,
        from: PointerPath.Point?
    ) -> PointerPath.Point {
        let from = from ?? place
        return (move.present & 1 != 0 ? place.x : from.x, move.present & 2 != 0 ? place.y : from.y)
    }

    /// Where the axes lead to if they tell a movement.
    fileprivate func sum(_ from: PointerPath.Point) -> PointerPath.Point {
        (from.x + move.made.x, from.y + move.made.y)
    }

    /// Whether it led to the pixel of this point, along the axes that are told.
    fileprivate func leads(_ point: PointerPath.Point) -> Bool {
        func isSame(_ value: Double, _ whole: Double) -> Bool {
            value.rounded(.towardZero) == whole.rounded(.towardZero)
                || (value + 0x1p-20).rounded(.towardZero) == whole.rounded(.towardZero)
        }
        return after.contains { pixel in
            (move.present & 1 == 0 || isSame(point.x, pixel.x))
                && (move.present & 2 == 0 || isSame(point.y, pixel.y))
        }
    }
}

extension X11Event {
    /// A movement of axes 0 and 1; nil for everything else.
    var movement: (header: RawHeader, move: Move)? {
        switch self {
        case .rawMotion(let header, let move): (header, move)
        case .rawAxes(let header, let axes): (header, axes.move)
        default: nil
        }
    }

    /// Replaces a movement along the axes that it tells.
    fileprivate mutating func setMovement(_ step: PointerPath.Point) {
        func replaced(_ move: Move) -> Move {
            var move = move
            if move.present & 1 != 0 { (move.counts.x, move.made.x) = (step.x, step.x) }
            if move.present & 2 != 0 { (move.counts.y, move.made.y) = (step.y, step.y) }
            return move
        }
        switch self {
        case .rawMotion(let header, let move): self = .rawMotion(header, replaced(move))
        case .rawAxes(let header, var axes):
            axes.move = replaced(axes.move)
            self = .rawAxes(header, axes)
        default: break
        }
    }
}
