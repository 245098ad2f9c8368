// SPDX-License-Identifier: Apache-2.0

import Events

/// Computes one pointer's position at each of its events, from one query to the server per drain.
///
/// Raw events carry no position, and a query per event would cost a round trip. But the server adds
/// the accelerated motion of a raw event to a position with a fraction. It reports that position
/// exactly when asked for the master's valuators. So the motions between two replies are added up
/// as the server does it. Each sum is clipped to the desktop; if the monitors leave parts of it
/// dark, it is clipped to the monitor where the pointer was. If the sum equals the second reply to
/// a thousandth of a pixel, nothing else moved the pointer, and every click between has a certain
/// pixel. Otherwise those clicks have no pixel: a warp, a barrier, a confining grab, or a program
/// that sent positions as motions moved it.
///
/// Motions are stored in raw units. A motion gets a pixel if a reader who adds raw motions to the
/// last pixel would be wrong. That is checked every tenth of a second and at the end of a drain.
/// Otherwise there is a pixel every five seconds.
struct DeadReckoning {
    /// A position in pixels of the desktop, with a fraction.
    typealias Point = (x: Double, y: Double)

    /// The server computes in doubles and reports them truncated to 32 fractional bits (FP3232).
    private static let cut = 0x1p-32
    /// Replies are exact except for that truncation; sums of fractions differ in their last bits.
    private static let tolerance = 1.0 / 1024
    /// Milliseconds after which a pixel is emitted again in any case.
    private static let interval: Int64 = 5000

    /// Minimum ms between position corrections within a drain.
    private static let step: Int64 = 100

    /// The lower bound of the pointer's position; nil if unknown.
    ///
    /// The pointer is at most `slack` farther right and down.
    private(set) var now: Point?
    /// The sum of truncations since the last reply.
    private var slack = cut
    /// Whether an edge of the desktop or of a monitor has stopped the pointer; reset by the caller.
    var wasConfined = false
    /// Whether a device that reports positions has moved the pointer.
    private var wasPlaced = false
    /// The position that a reader of the recording computes, and when a pixel last confirmed it.
    private var read: (pixel: Point, at: EventTime)?
    /// When the reader's position was last checked.
    private var checked = EventTime(0)

    /// The pixel of a position, as the server reports it to clients.
    static func pixel(_ point: Point) -> Pixel {
        Pixel(x: Int16(near: point.x), y: Int16(near: point.y))
    }

    /// The pointer's pixel; nil if it is unknown.
    ///
    /// It is unknown also if truncated fractions end just before the next pixel, as with one and
    /// two thirds.
    var pixel: Pixel? {
        guard let now, isWithin(now.x), isWithin(now.y) else { return nil }
        return Self.pixel(now)
    }

    /// Whether a coordinate stays on the same pixel when the truncated part is added.
    private func isWithin(_ value: Double) -> Bool {
        value.rounded(.down) == (value + slack).rounded(.down)
    }

    /// Whether the computed position equals a reply; true without a reply.
    func isAt(_ answer: Point?) -> Bool {
        guard let answer else { return true }
        guard let now else { return false }
        return abs(answer.x - now.x) < Self.tolerance && abs(answer.y - now.y) < Self.tolerance
    }

    /// Starts from a position that a device reported.
    mutating func begin(at point: Point) {
        (now, slack) = (point, Self.cut)
    }

    /// Moves the pointer by the accelerated motion, and the reader's position by the raw one.
    mutating func move(by accelerated: Point, raw: Point, on desktop: DesktopGeometry) {
        if let from = now {
            let target = (x: from.x + accelerated.x, y: from.y + accelerated.y)
            let position = desktop.confine(target, from: from)
            if position != target { wasConfined = true }
            now = position
            if !accelerated.x.isWhole || !accelerated.y.isWhole { slack += Self.cut }
        }
        read?.pixel.x += raw.x
        read?.pixel.y += raw.y
    }

    /// Moves the pointer to a position that the server set; an axis without a value stays.
    ///
    /// - Parameters:
    ///   - accelerated: The position after the server's transformation.
    ///   - raw: The position as a reader computes it, who knows of no transformation.
    ///   - axes: A bit mask; bit n is set if axis n has a value.
    ///   - desktop: The area in which the pointer can be.
    mutating func move(to accelerated: Point, raw: Point, axes: UInt8, on desktop: DesktopGeometry)
    {
        wasPlaced = true
        if let from = now {
            let to = (
                axes & 1 != 0 ? accelerated.x : from.x, axes & 2 != 0 ? accelerated.y : from.y
            )
            let position = desktop.confine(to, from: from)
            if position != to { wasConfined = true }
            now = position
        }
        if axes & 1 != 0 { read?.pixel.x = raw.x }
        if axes & 2 != 0 { read?.pixel.y = raw.y }
    }

    /// Compares the computed position with the server's reply and continues from the reply.
    ///
    /// The reply may be in the units of an earlier device. A mouse button pressed after a pen
    /// leaves it so until the mouse is moved, and a pen that reports one axis leaves the other one
    /// so. Such a reply differs from the pixel where the server shows the pointer. If the server
    /// shows it where the motions led, the motions were right.
    ///
    /// - Parameters:
    ///   - answer: The position; nil if the server does not report it.
    ///   - shown: Queries the pixel at which the server shows the pointer.
    /// - Returns: Whether the motions since the last reply led there.
    mutating func settle(at answer: Point?, shown: () -> Pixel?) -> Bool {
        if let answer, isAt(answer) {
            (self.now, slack) = (answer, Self.cut)
            if pixel == nil, let position = shown().flatMap({ Self.position(answer, on: $0) }) {
                (self.now, slack) = (position, 0)
            }
            return true
        }
        let shown = shown()
        if let answer, let shown, let position = Self.position(answer, on: shown) {
            (now, slack) = (position, 0)
            return false
        }
        if wasPlaced, shown != nil, shown == pixel { return true }
        now = nil
        return false
    }

    /// The position of a reply if it is on the pixel that the server shows; nil if it is not.
    private static func position(_ answer: Point, on shown: Pixel) -> Point? {
        func position(_ value: Double, _ pixel: Int16) -> Double? {
            if Int16(near: value) == pixel { return value }
            return Int16(near: value + cut) == pixel ? Double(pixel) : nil
        }
        guard let x = position(answer.x, shown.x), let y = position(answer.y, shown.y) else {
            return nil
        }
        return (x, y)
    }

    /// The pixel to emit with the last motion of a drain, after the server's reply.
    mutating func report(at time: EventTime) -> Pixel? {
        guard let now, let pixel else { return nil }
        if let read, Self.pixel(read.pixel) == pixel,
            time.milliseconds - read.at.milliseconds < Self.interval
        {
            return nil
        }
        read = ((now.x.rounded(.towardZero), now.y.rounded(.towardZero)), time)
        checked = time
        return pixel
    }

    /// The pixel to emit with a motion within a drain; it is valid if the server's reply confirms
    /// it.
    @inline(__always)
    mutating func reportOnTheWay(at time: EventTime) -> Pixel? {
        guard time.milliseconds - checked.milliseconds >= Self.step else { return nil }
        return look(at: time)
    }

    private mutating func look(at time: EventTime) -> Pixel? {
        guard let read else { return nil }
        checked = time
        guard let pixel, Self.pixel(read.pixel) != pixel else { return nil }
        return report(at: time)
    }

    /// Records that the reader got a pixel with a button.
    mutating func noteReported(_ pixel: Pixel, at time: EventTime) {
        read = ((Double(pixel.x), Double(pixel.y)), time)
        checked = time
    }

    /// Forgets the reader's position, because motions may have been omitted; the next drain emits a
    /// pixel.
    mutating func forgetReported() {
        read = nil
    }
}
