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
/// whenever a device moves that has sent a position.
struct PositionSenders {
    /// A movement that the server remembers: when, and where the pointer was before it.
    struct Moment {
        var time: UInt32
        var x: Double
        var y: Double
    }

    /// A pixel, as far as it is known.
    fileprivate struct Spot {
        var x: Double?
        var y: Double?
    }

    /// What the server remembers of a device, and the steps among it that were read before.
    typealias History = (moments: [Moment], earlier: [MotionHistory.Step])

    /// A movement of the pointer among the events of a reading.
    fileprivate struct Movement {
        let index: Int
        let device: UInt8
        let move: X11Event.Move
        /// Where the pointer was before it, in whole pixels.
        var before: Spot?
        /// Where it was after it: at one of these.
        var after: [Spot] = []
    }

    /// What became of the movements of a pointer.
    struct Resolution {
        /// Where the pointer was before the first movement, if only that tells it.
        var origin: DeadReckoning.Point?
        /// The movements behind which nobody can say where it was.
        var unsure: Set<Int> = []
        /// Some were positions, and are movements now.
        var hasPositions = false
        /// A position was beyond an edge.
        var wasConfined = false
    }

    /// The devices that may send positions, with how these would be spread over the desktop.
    private var candidates: [UInt8: AxisScale.Desktop] = [:]
    private var names: [UInt8: String] = [:]
    /// The candidates whose last movement was a position.
    private var senders: Set<UInt8> = []
    /// The candidates that ever sent a position.
    private var everSent: Set<UInt8> = []

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
        everSent = everSent.filter { candidates[$0] != nil && old[$0] == names[$0] }
        senders.formIntersection(everSent)
    }

    /// The devices of which the server is to be asked at every reading.
    var known: Set<UInt8> { everSent }

    /// The devices of which the server is to be asked before the movements are followed.
    ///
    /// - Parameters:
    ///   - events: what was read.
    ///   - master: the pointer.
    ///   - isLost: whether the movements as they stand do not lead to where the pointer is.
    /// - Returns: none where nothing is to be asked.
    func devices(_ events: [PendingEvent], of master: UInt8, isLost: Bool) -> Set<UInt8> {
        guard isLost || !everSent.isEmpty else { return [] }
        var found: Set<UInt8> = []
        for event in events {
            guard let (header, move) = event.event.movement, header.master == master,
                move.present != 0, candidates[header.device] != nil
            else { continue }
            found.insert(header.device)
        }
        return isLost || !found.isDisjoint(with: everSent) ? found : []
    }

    /// Turns positions into movements.
    ///
    /// - Parameters:
    ///   - events: what was read.
    ///   - pointer: the master, and where it was before and is after these events.
    ///   - way: the desktop, and the devices that say that they tell positions.
    ///   - histories: what the server remembers of the candidates, with the steps that were read
    ///     before.
    /// - Returns: what following the events needs to know of it.
    mutating func resolve(
        _ events: inout [PendingEvent],
        of pointer: (id: UInt8, from: DeadReckoning.Point?, to: DeadReckoning.Point?),
        _ way: MasterPointer.Way,
        _ histories: [UInt8: History]
    ) -> Resolution {
        let movements = movements(events, pointer, way, histories)
        let kinds = kinds(movements, way)
        var resolution = Resolution()
        var at = pointer.from
        for (movement, isPosition) in zip(movements, kinds) {
            if let before = movement.before { at = before.corrected(at) }
            guard let scales = scales(of: movement, isPosition, way) else {
                at = at.map { way.desktop.confine(movement.sum($0), from: $0) }
                if at.map({ !movement.leads($0) }) ?? true {
                    resolution.unsure.insert(movement.index)
                }
                continue
            }
            let position = movement.target(
                way.desktop.position(movement.move.accelerated, scales),
                from: at
            )
            let target = way.desktop.confine(position, from: at ?? position)
            if target != position { resolution.wasConfined = true }
            if !movement.leads(target) { resolution.unsure.insert(movement.index) }
            if way.scales[Int(movement.device)] == nil {
                resolution.hasPositions = true
                if at == nil { resolution.origin = target }
                let from = at ?? target
                let step = (x: target.x - from.x, y: target.y - from.y)
                events[movement.index].event.setMovement(step)
            }
            at = target
        }
        return resolution
    }

    /// How the values of a movement are spread over the desktop; nil where they are no position.
    private func scales(
        of movement: Movement,
        _ isPosition: Bool,
        _ way: MasterPointer.Way
    ) -> AxisScale.Desktop? {
        way.scales[Int(movement.device)] ?? (isPosition ? candidates[movement.device] : nil)
    }

    /// Which movements are positions.
    ///
    /// What cannot be told is what the device sent next, or else what it sent before.
    private mutating func kinds(_ movements: [Movement], _ way: MasterPointer.Way) -> [Bool] {
        var kinds = movements.map { isPosition($0, way) }
        var next: [UInt8: Bool] = [:]
        for index in kinds.indices.reversed() {
            let device = movements[index].device
            if let kind = kinds[index] { next[device] = kind } else { kinds[index] = next[device] }
        }
        return zip(kinds, movements).map { kind, movement in
            guard let kind else { return senders.contains(movement.device) }
            if kind {
                senders.insert(movement.device)
                everSent.insert(movement.device)
            } else {
                senders.remove(movement.device)
            }
            return kind
        }
    }

    /// Whether a movement is a position; nil where it cannot be told from where it began and led to.
    private func isPosition(_ movement: Movement, _ way: MasterPointer.Way) -> Bool? {
        guard way.scales[Int(movement.device)] == nil, let scales = candidates[movement.device],
            let spot = movement.before, movement.isKnown(spot),
            movement.after.contains(where: movement.isKnown)
        else { return nil }
        // An axis that the movement does not tell is not looked at.
        let before = (x: spot.x ?? 0, y: spot.y ?? 0)
        let position = movement.target(
            way.desktop.position(movement.move.accelerated, scales),
            from: before
        )
        let isPosition = movement.leads(way.desktop.confine(position, from: before))
        // What the server remembers is cut to whole pixels.
        let isSum = [0, 1 - 0x1p-20].contains { rest in
            let from = (x: before.x + rest, y: before.y + rest)
            return movement.leads(way.desktop.confine(movement.sum(from), from: from))
        }
        return isPosition == isSum ? nil : isPosition
    }

    /// The movements of a pointer, with what the server remembers of each.
    private func movements(
        _ events: [PendingEvent],
        _ pointer: (id: UInt8, from: DeadReckoning.Point?, to: DeadReckoning.Point?),
        _ way: MasterPointer.Way,
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
        /// The server remembers of a movement the axes that it tells, and zeros.
        func spot(_ moment: Moment?, _ device: UInt8, _ axes: UInt8?) -> [Spot] {
            guard let moment, let scales = candidates[device] else { return [] }
            let position = way.desktop.position((moment.x, moment.y), scales)
            let axes = axes ?? ((moment.x == 0 ? 0 : 1) | (moment.y == 0 ? 0 : 2))
            return [Spot(x: axes & 1 != 0 ? position.x : nil, y: axes & 2 != 0 ? position.y : nil)]
        }
        for index in movements.indices {
            let device = movements[index].device
            let match = matches[device]?[movements[index].index]
            movements[index].before =
                spot(match?.moment, device, movements[index].move.present).first
            let next = index + 1 < movements.count ? movements[index + 1] : nil
            if let next, next.device != device {
                let other = matches[next.device]?[next.index]?.moment
                movements[index].after = spot(other, next.device, next.move.present)
            } else {
                movements[index].after = spot(match?.next, device, match?.nextAxes)
                if next == nil, let end = pointer.to {
                    movements[index].after.append(Spot(x: end.x, y: end.y))
                }
            }
        }
        return movements
    }

    /// What the server remembers of an event, and what of the same device comes behind it, with the
    /// axes of that where it was read.
    private typealias Match = (moment: Moment, next: Moment?, nextAxes: UInt8?)

    /// Finds the events of a device that the server remembers, by their place among all.
    private static func match(
        _ moments: [Moment],
        _ earlier: [MotionHistory.Step],
        _ events: [PendingEvent],
        _ device: UInt8
    ) -> [Int: Match] {
        var steps: [(index: Int?, time: UInt32, axes: UInt8?)] =
            earlier.map { (nil, $0.time, nil) }
        for (index, event) in events.enumerated() {
            guard let step = event.event.step, step.device == device else { continue }
            steps.append((index, step.time, event.event.movement?.move.present ?? 0))
        }
        // Where there are more in a millisecond than were read nobody can say which is which.
        var surplus: [UInt32: Int] = [:]
        for moment in moments { surplus[moment.time, default: 0] += 1 }
        for step in steps { surplus[step.time, default: 0] -= 1 }
        /// Whether the first ones in a millisecond are the same: some may have come after the question, but
        /// the first one that is remembered may have others before it that are not.
        let isFull = !MotionHistory.remembersAll(moments.count)
        func isSame(_ time: UInt32) -> Bool {
            let left = surplus[time] ?? 0
            return left == 0 || (left < 0 && !(isFull && time == moments.first?.time))
        }
        var matches: [Int: Match] = [:]
        // The movement that came last: what is next tells where it led to.
        var last: Int?
        var left = steps[...]
        for moment in moments {
            while let step = left.first, isLater(moment.time, than: step.time) {
                left.removeFirst()
                last = nil
            }
            guard let step = left.first, step.time == moment.time else {
                if let last { matches[last]?.next = moment }
                last = nil
                continue
            }
            left.removeFirst()
            // Of a button the server remembers no position.
            if step.axes == 0 { continue }
            let isCertain = isSame(step.time)
            if let last, isCertain {
                matches[last]?.next = moment
                matches[last]?.nextAxes = step.axes
            }
            last = isCertain ? step.index : nil
            if let last { matches[last] = (moment, nil, nil) }
        }
        return matches
    }

    private static func isLater(_ time: UInt32, than other: UInt32) -> Bool {
        Int32(bitPattern: time &- other) > 0
    }
}

extension PositionSenders.Spot {
    /// A position that is of this pixel, along the axes that are known.
    fileprivate func corrected(_ point: DeadReckoning.Point?) -> DeadReckoning.Point? {
        guard let point else { return x.flatMap { x in y.map { (x, $0) } } }
        func corrected(_ value: Double, _ known: Double?) -> Double {
            known.map { value.rounded(.towardZero) == $0 ? value : $0 } ?? value
        }
        return (corrected(point.x, x), corrected(point.y, y))
    }
}

extension PositionSenders.Movement {
    /// The position that the axes tell; an axis that is not told stays.
    fileprivate func target(
        _ position: DeadReckoning.Point,
        from: DeadReckoning.Point?
    ) -> DeadReckoning.Point {
        let from = from ?? position
        return (
            move.present & 1 != 0 ? position.x : from.x, move.present & 2 != 0 ? position.y : from.y
        )
    }

    /// Where the axes lead to if they tell a movement.
    fileprivate func sum(_ from: DeadReckoning.Point) -> DeadReckoning.Point {
        (from.x + move.accelerated.x, from.y + move.accelerated.y)
    }

    /// Whether all axes that it tells are known of a pixel.
    fileprivate func isKnown(_ spot: PositionSenders.Spot) -> Bool {
        (move.present & 1 == 0 || spot.x != nil) && (move.present & 2 == 0 || spot.y != nil)
    }

    /// Whether it led to the pixel of this point, along the axes that it tells.
    fileprivate func leads(_ point: DeadReckoning.Point) -> Bool {
        func isSame(_ value: Double, _ known: Double?) -> Bool {
            guard let whole = known?.rounded(.towardZero) else { return false }
            return value.rounded(.towardZero) == whole
                || (value + 0x1p-20).rounded(.towardZero) == whole
        }
        return after.contains { spot in
            (move.present & 1 == 0 || isSame(point.x, spot.x))
                && (move.present & 2 == 0 || isSame(point.y, spot.y))
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
    fileprivate mutating func setMovement(_ step: DeadReckoning.Point) {
        func replaced(_ move: Move) -> Move {
            var move = move
            if move.present & 1 != 0 { (move.raw.x, move.accelerated.x) = (step.x, step.x) }
            if move.present & 2 != 0 { (move.raw.y, move.accelerated.y) = (step.y, step.y) }
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
