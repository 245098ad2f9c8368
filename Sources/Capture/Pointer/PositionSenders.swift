// SPDX-License-Identifier: Apache-2.0

import Events

/// Detects motions that are positions although their device calls itself relative.
///
/// The pointers of Xvnc, Xephyr and other servers without their own mouse are declared relative but
/// send positions; XTEST sends either. A raw event does not say which it is. But for each motion of
/// a device the server keeps where the pointer was before it, so the result of a motion is known.
/// If the result is the motion's value, and not the sum of the previous position and the value, the
/// motion was a position. It is then replaced by the difference to the previous position, so that
/// later steps see only motions.
///
/// The server is queried if the motions as reported do not lead to the pointer's position. It is
/// also queried whenever a device moves that has sent a position before.
struct PositionSenders {
    /// An entry of the server's motion history: its time, and the pointer's position before it.
    struct Moment {
        var time: UInt32
        var x: Double
        var y: Double
    }

    /// A pixel whose coordinates may be unknown.
    fileprivate struct Spot {
        var x: Double?
        var y: Double?
    }

    /// A device's motion history, and the steps in it that earlier drains read.
    typealias History = (moments: [Moment], earlier: [MotionHistory.Step])

    /// A motion of the pointer among the events of a drain.
    fileprivate struct Movement {
        let index: Int
        let device: UInt8
        let move: X11Event.Move
        /// The pointer's pixel before it.
        var before: Spot?
        /// The pointer's position before it if all motions before it in this drain were motions.
        var reckoned: DeadReckoning.Point?
        /// The candidates for the pointer's pixel after it.
        var after: [Spot] = []
    }

    /// The result for the motions of a pointer.
    struct Resolution {
        /// The pointer's position before the first motion, if only the result determines it.
        var origin: DeadReckoning.Point?
        /// Indices of the motions after which the position is unknown.
        var unsure: Set<Int> = []
        /// Whether some motions were positions and have been replaced.
        var hasPositions = false
        /// Whether a position was beyond an edge.
        var wasConfined = false
    }

    /// The devices that may send positions, with the scales of those.
    private var candidates: [UInt8: AxisScale.Desktop] = [:]
    private var names: [UInt8: String] = [:]
    /// The candidates whose last motion was a position.
    private var senders: Set<UInt8> = []
    /// The candidates that ever sent a position.
    private var everSent: Set<UInt8> = []

    /// Replaces the devices from here on.
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

    /// The devices to query at every drain.
    var known: Set<UInt8> { everSent }

    /// The devices to query before the motions are followed.
    ///
    /// - Parameters:
    ///   - events: The events read.
    ///   - master: The pointer.
    ///   - isLost: Whether the motions as reported do not lead to the pointer's position.
    /// - Returns: The devices; none if no query is needed.
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

    /// Replaces positions by motions.
    ///
    /// - Parameters:
    ///   - events: The events read.
    ///   - pointer: The master pointer, with its positions before and after these events.
    ///   - way: The desktop, and the devices that are declared absolute.
    ///   - histories: The motion histories of the candidates, with the steps that earlier drains
    ///     read.
    /// - Returns: What is needed to follow the events.
    mutating func resolve(
        _ events: inout [PendingEvent],
        of pointer: (id: UInt8, from: DeadReckoning.Point?, to: DeadReckoning.Point?),
        _ way: MasterPointer.Way,
        _ histories: [UInt8: History]
    ) -> Resolution {
        var movements = movements(events, pointer, way, histories)
        Self.reckon(&movements, from: pointer.from, way)
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

    /// Follows the motions, all of which are taken for motions.
    private static func reckon(
        _ movements: inout [Movement],
        from start: DeadReckoning.Point?,
        _ way: MasterPointer.Way
    ) {
        var at = start
        for index in movements.indices {
            let movement = movements[index]
            movements[index].reckoned = at
            guard let from = at else { continue }
            let end =
                way.scales[Int(movement.device)].map {
                    movement.target(
                        way.desktop.position(movement.move.accelerated, $0),
                        from: from
                    )
                } ?? movement.sum(from)
            at = way.desktop.confine(end, from: from)
        }
    }

    /// The scales of a motion's values; nil if they are not a position.
    private func scales(
        of movement: Movement,
        _ isPosition: Bool,
        _ way: MasterPointer.Way
    ) -> AxisScale.Desktop? {
        way.scales[Int(movement.device)] ?? (isPosition ? candidates[movement.device] : nil)
    }

    /// Decides which motions are positions.
    ///
    /// An undecidable motion is like the device's next one, or else like its previous one.
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

    /// Whether a motion is a position; nil if its start and result do not decide it.
    ///
    /// By chance a motion may lead to where its value points, above all from the desktop's corner. So
    /// it must lead there from neither of the places where the pointer may have been, and a device
    /// that never sent a position is believed only if both axes lead to a place within the desktop.
    private func isPosition(_ movement: Movement, _ way: MasterPointer.Way) -> Bool? {
        guard way.scales[Int(movement.device)] == nil, let scales = candidates[movement.device],
            let spot = movement.before, movement.isKnown(spot),
            movement.after.contains(where: movement.isKnown)
        else { return nil }
        // An axis without a value is ignored.
        let before = (x: spot.x ?? 0, y: spot.y ?? 0)
        let position = movement.target(
            way.desktop.position(movement.move.accelerated, scales),
            from: before
        )
        let target = way.desktop.confine(position, from: before)
        let isPosition = movement.leads(target)
        // The server's history has whole pixels.
        let starts =
            [0, 1 - 0x1p-20].map { (x: before.x + $0, y: before.y + $0) }
            + [movement.reckoned].compactMap(\.self)
        let isSum = starts.contains { from in
            movement.leads(way.desktop.confine(movement.sum(from), from: from))
        }
        if isPosition == isSum { return nil }
        let isCertain = movement.move.present & 3 == 3 && target == position
        return isPosition && !isCertain && !everSent.contains(movement.device) ? nil : isPosition
    }

    /// The motions of a pointer, each with its entries in the server's history.
    private func movements(
        _ events: [PendingEvent],
        _ pointer: (id: UInt8, from: DeadReckoning.Point?, to: DeadReckoning.Point?),
        _ way: MasterPointer.Way,
        _ histories: [UInt8: History]
    ) -> [Movement] {
        var movements: [Movement] = []
        for (index, event) in events.enumerated() where event.serial.hasReached(way.start) {
            guard let (header, move) = event.event.movement, header.master == pointer.id,
                move.present != 0
            else { continue }
            movements.append(Movement(index: index, device: header.device, move: move))
        }
        var matches: [UInt8: [Int: Match]] = [:]
        for (device, history) in histories {
            matches[device] = Self.match(history.moments, history.earlier, events, device)
        }
        // For each motion the server keeps the axes that have values, and zeros.
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

    /// An event's entry in the server's history, and the device's next entry, with its axes if that
    /// event was read.
    private typealias Match = (moment: Moment, next: Moment?, nextAxes: UInt8?)

    /// Matches the events of a device with its history, by index.
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
        // If a millisecond has more entries than events, they cannot be matched.
        var surplus: [UInt32: Int] = [:]
        for moment in moments { surplus[moment.time, default: 0] += 1 }
        for step in steps { surplus[step.time, default: 0] -= 1 }
        // Whether the first entries of a millisecond match: some events may be later than the
        // query, but entries before the first kept one may be lost.
        let isFull = !MotionHistory.remembersAll(moments.count)
        func isSame(_ time: UInt32) -> Bool {
            let left = surplus[time] ?? 0
            return left == 0 || (left < 0 && !(isFull && time == moments.first?.time))
        }
        var matches: [Int: Match] = [:]
        // The last motion; the next entry shows where it led.
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
            // For a button the server keeps no position.
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
    /// The point if it is on this pixel, else the pixel, per known axis.
    fileprivate func corrected(_ point: DeadReckoning.Point?) -> DeadReckoning.Point? {
        guard let point else { return x.flatMap { x in y.map { (x, $0) } } }
        func corrected(_ value: Double, _ known: Double?) -> Double {
            known.map { value.rounded(.towardZero) == $0 ? value : $0 } ?? value
        }
        return (corrected(point.x, x), corrected(point.y, y))
    }
}

extension PositionSenders.Movement {
    /// The position that the axes give; an axis without a value stays.
    fileprivate func target(
        _ position: DeadReckoning.Point,
        from: DeadReckoning.Point?
    ) -> DeadReckoning.Point {
        let from = from ?? position
        return (
            move.present & 1 != 0 ? position.x : from.x, move.present & 2 != 0 ? position.y : from.y
        )
    }

    /// The position to which the axes lead if they are a motion.
    fileprivate func sum(_ from: DeadReckoning.Point) -> DeadReckoning.Point {
        (from.x + move.accelerated.x, from.y + move.accelerated.y)
    }

    /// Whether a pixel is known along all axes with values.
    fileprivate func isKnown(_ spot: PositionSenders.Spot) -> Bool {
        (move.present & 1 == 0 || spot.x != nil) && (move.present & 2 == 0 || spot.y != nil)
    }

    /// Whether the motion led to the pixel of this point, along the axes with values.
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
    /// A motion of axes 0 and 1; nil for any other event.
    var movement: (header: RawHeader, move: Move)? {
        switch self {
        case .rawMotion(let header, let move): (header, move)
        case .rawAxes(let header, let axes): (header, axes.move)
        default: nil
        }
    }

    /// Replaces a motion along the axes with values.
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
