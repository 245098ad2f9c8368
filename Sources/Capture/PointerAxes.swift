// SPDX-License-Identifier: Apache-2.0

import Events

/// What the axes of one pointing device mean, and the fractions not yet reported.
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
    var isAbsolute = false
    var scroll: [Scroll] = []
    private var last: (x: Double?, y: Double?) = (nil, nil)

    var hasWheel: Bool { !scroll.isEmpty }

    /// The movement in device counts; zero where the event has none.
    mutating func motion(_ axes: X11Event.Axes) -> (dx: Int32, dy: Int32) {
        guard isAbsolute else { return (Int32(rounding: axes[0]), Int32(rounding: axes[1])) }
        let dx = axes[0].flatMap { x in last.x.map { x - $0 } }
        let dy = axes[1].flatMap { y in last.y.map { y - $0 } }
        last = (axes[0] ?? last.x, axes[1] ?? last.y)
        return (Int32(rounding: dx), Int32(rounding: dy))
    }

    /// The turn of the wheels in 1/120 notch; zero where the event has none.
    mutating func turn(_ axes: X11Event.Axes) -> (dx: Int32, dy: Int32) {
        var turn: (dx: Int32, dy: Int32) = (0, 0)
        for index in scroll.indices {
            guard let value = axes[scroll[index].axis] else { continue }
            let exact = value / scroll[index].increment * 120 + scroll[index].rest
            let whole = Int32(rounding: exact)
            scroll[index].rest = exact - Double(whole)
            if scroll[index].isVertical { turn.dy += whole } else { turn.dx += whole }
        }
        return turn
    }
}

extension Int32 {
    /// The nearest whole number, 0 for none, the bounds for what lies outside them.
    fileprivate init(rounding value: Double?) {
        guard let value, value.isFinite else {
            self = 0
            return
        }
        self = Int32(Swift.min(Swift.max(value.rounded(), -2_147_483_648), 2_147_483_647))
    }
}
