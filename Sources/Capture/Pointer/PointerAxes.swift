// SPDX-License-Identifier: Apache-2.0

import Events

/// What the axes of one device mean, and the fractions not yet reported.
struct PointerAxes {
    /// A wheel or a two-finger gesture.
    struct Scroll {
        var axis: Int
        var isVertical: Bool
        /// Device units of one notch.
        var increment: Double
        /// What is left over, in 1/120 notch.
        var rest = 0.0
    }

    /// Whether axes 0 and 1 hold positions instead of movements.
    private(set) var isAbsolute = false
    var scroll: [Scroll] = []
    /// The axes past the first two: of them those that are no wheel are told as they are.
    private var others: UInt8 = 0
    /// What is left over of the movement, in counts: touchpads count in fractions.
    private var rest = (x: 0.0, y: 0.0)

    /// Notes an axis, before the wheels.
    mutating func add(number: Int, isAbsolute: Bool) {
        if number > 1 { others |= 1 << UInt8(number) } else if isAbsolute { self.isAbsolute = true }
    }

    /// The whole counts of a movement, of a device that tells movements.
    mutating func step(_ move: X11Event.Move) -> (dx: Int32, dy: Int32) {
        let dx = move.present & 1 != 0 ? Self.whole(move.raw.x, &rest.x) : 0
        let dy = move.present & 2 != 0 ? Self.whole(move.raw.y, &rest.y) : 0
        return (dx, dy)
    }

    /// What a movement of the first two axes was; nil where it is less than a count.
    mutating func read(_ move: X11Event.Move) -> RawEvent.Payload? {
        guard move.present != 0 else { return nil }
        guard isAbsolute else {
            let (dx, dy) = step(move)
            return dx | dy == 0 ? nil : .motion(dx: dx, dy: dy)
        }
        var values = AxisValues()
        if move.present & 1 != 0 { values[0] = Int32(near: move.raw.x) }
        if move.present & 2 != 0 { values[1] = Int32(near: move.raw.y) }
        return .axes(values)
    }

    /// What a movement of the axes was, at most a turn, a movement, and other values, in this order.
    mutating func read(_ axes: X11Event.Axes, _ take: (RawEvent.Payload) -> Void) {
        if !scroll.isEmpty {
            let turn = turn(axes)
            if turn != (0, 0) { take(.scroll(dx: turn.dx, dy: turn.dy)) }
        }
        if !isAbsolute, let motion = read(axes.move) { take(motion) }
        var reported = axes.present & (others | (isAbsolute ? 3 : 0))
        for wheel in scroll { reported &= ~(1 << UInt8(wheel.axis)) }
        guard reported != 0 else { return }
        var values = AxisValues()
        for axis in AxisValues.axes where reported & 1 << UInt8(axis) != 0 {
            values[axis] = axes[axis].map { Int32(near: $0) }
        }
        take(.axes(values))
    }

    /// The turn of the wheels in 1/120 notch; zero where the event has none.
    private mutating func turn(_ axes: X11Event.Axes) -> (dx: Int32, dy: Int32) {
        var turn: (dx: Int32, dy: Int32) = (0, 0)
        for index in scroll.indices {
            guard let value = axes[scroll[index].axis] else { continue }
            let notches = value / scroll[index].increment
            let whole = Self.whole(notches * 120, &scroll[index].rest)
            if scroll[index].isVertical { turn.dy += whole } else { turn.dx += whole }
        }
        return turn
    }

    /// The nearest whole number of a value and what was left over before.
    private static func whole(_ value: Double, _ rest: inout Double) -> Int32 {
        let exact = value + rest
        let whole = Int32(near: exact)
        rest = exact - Double(whole)
        return whole
    }
}
