// SPDX-License-Identifier: Apache-2.0

import Events

/// The meaning of one device's valuators, and the fractions not emitted yet.
struct PointerAxes {
    /// A scroll valuator: a wheel or a two-finger gesture.
    struct Scroll {
        var axis: Int
        var isVertical: Bool
        /// Device units per notch.
        var increment: Double
        /// The fraction not emitted yet, in 1/120 notch.
        var rest = 0.0
    }

    /// Whether axes 0 and 1 hold positions instead of motions.
    private(set) var isAbsolute = false
    var scroll: [Scroll] = []
    /// A bit mask of the axes from 2 on; those that are not wheels are emitted unchanged.
    private var others: UInt8 = 0
    /// The fraction of the motion not emitted yet, in raw units; touchpads report fractions.
    private var rest = (x: 0.0, y: 0.0)

    /// Adds an axis; wheels are added afterwards.
    mutating func add(number: Int, isAbsolute: Bool) {
        if number > 1 { others |= 1 << UInt8(number) } else if isAbsolute { self.isAbsolute = true }
    }

    /// The integral raw motion of a device that reports motions.
    mutating func step(_ move: X11Event.Move) -> (dx: Int32, dy: Int32) {
        let dx = move.present & 1 != 0 ? Self.whole(move.raw.x, &rest.x) : 0
        let dy = move.present & 2 != 0 ? Self.whole(move.raw.y, &rest.y) : 0
        return (dx, dy)
    }

    /// The payload of a motion of axes 0 and 1; nil if it is less than one unit.
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

    /// Emits the payloads of an event: at most a scroll, a motion, and other axes, in this order.
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

    /// The motion of the wheels in 1/120 notch; zero if there is none.
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

    /// The nearest integer to a value plus the earlier fraction, which is updated.
    private static func whole(_ value: Double, _ rest: inout Double) -> Int32 {
        let exact = value + rest
        let whole = Int32(near: exact)
        rest = exact - Double(whole)
        return whole
    }
}
