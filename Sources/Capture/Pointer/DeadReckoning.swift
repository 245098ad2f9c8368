// SPDX-License-Identifier: Apache-2.0

import Events

/// Reckons where one pointer is at each of its events, from one question to the server a reading.
///
/// Raw events have no position, and asking at each would cost a round trip. But the server moves
/// the pointer by what a raw event says it made of the movement, from a position with a fraction,
/// and tells that position exactly where it is asked for the master's axes. So the movements
/// between two answers are added up as the server does it: cut to the desktop, and where the
/// monitors leave parts of it dark, to the monitor it comes from. Where that ends at the second
/// answer, to the thousandth of a pixel, nothing else has moved the pointer (a warp, a barrier, a
/// grab that confines it, a program that sends positions as if they were movements): then every
/// click between is certain to the pixel. Where it does not, those clicks have no pixel.
///
/// Movements are stored in counts. A pixel is told with one where a reader who adds the counts to
/// the pixel told last would be wrong, each tenth of a second and at the end of a reading, and else
/// every five seconds.
struct DeadReckoning {
    /// A position in pixels of the desktop.
    typealias Point = (x: Double, y: Double)

    /// The server counts in doubles and tells them cut to 32 bits after the point.
    private static let cut = 0x1p-32
    /// Answers are exact but for that; sums of fractions differ in the last bits.
    private static let tolerance = 1.0 / 1024
    /// Milliseconds after which a pixel is told anew.
    private static let interval: Int64 = 5000

    /// Milliseconds for which a reader who is wrong is left so on the way.
    private static let step: Int64 = 100

    /// Where the pointer is, or farther right and down by less than `slack`; nil while that is not
    /// known.
    private(set) var now: Point?
    /// What was cut from the last answer and the movements since.
    private var slack = cut
    /// An edge of the desktop or of a monitor has stopped it since this was last set to false.
    var wasConfined = false
    /// A device that tells positions has moved the pointer.
    private var wasPlaced = false
    /// Where a reader of the recording thinks it is, and when it was last told for sure.
    private var read: (pixel: Point, at: EventTime)?
    /// When it was last looked at whether that reader is wrong.
    private var checked = EventTime(0)

    /// The pixel of a position, as clients are told it.
    static func pixel(_ point: Point) -> Pixel {
        Pixel(x: Int16(near: point.x), y: Int16(near: point.y))
    }

    /// The pixel the pointer is on; nil while that is not known, as where a third and two thirds of a
    /// pixel, both cut, end just before the next one.
    var pixel: Pixel? {
        guard let now, isWithin(now.x), isWithin(now.y) else { return nil }
        return Self.pixel(now)
    }

    /// Whether a coordinate is of the same pixel with what was cut from it.
    private func isWithin(_ value: Double) -> Bool {
        value.rounded(.down) == (value + slack).rounded(.down)
    }

    /// Whether this is where an answer of the server says; true where it does not say.
    func isAt(_ answer: Point?) -> Bool {
        guard let answer else { return true }
        guard let now else { return false }
        return abs(answer.x - now.x) < Self.tolerance && abs(answer.y - now.y) < Self.tolerance
    }

    /// Begins where a device says that the pointer is.
    mutating func begin(at point: Point) {
        (now, slack) = (point, Self.cut)
    }

    /// Moves the pointer by what the server made of a movement.
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

    /// Moves the pointer to where the server put it; an axis that is not told stays.
    ///
    /// - Parameters:
    ///   - accelerated: the place.
    ///   - raw: the place as a reader reckons it, who knows of no transformation.
    ///   - axes: bit n: axis n is told.
    ///   - desktop: where the pointer can be.
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

    /// Takes the server's answer.
    ///
    /// It may be in the units of a device that came before: a mouse pressed behind a pen leaves it
    /// so until it is moved, and a pen that tells one axis leaves the other one so. Such an answer
    /// is no pixel where the server shows the pointer, and where it shows it at the end of the way,
    /// the way was right.
    ///
    /// - Parameters:
    ///   - answer: the position; nil where the server does not say.
    ///   - shown: asks for the pixel where the server shows the pointer.
    /// - Returns: whether the way since the last answer led there.
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

    /// The place of an answer on the pixel the server shows; nil where it is not there.
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

    /// The pixel to tell with the last movement of a reading, behind the server's answer.
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

    /// The pixel to tell with a movement within a reading, which holds if the server's answer does.
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

    /// The reader was told a pixel with a button.
    mutating func noteReported(_ pixel: Pixel, at time: EventTime) {
        read = ((Double(pixel.x), Double(pixel.y)), time)
        checked = time
    }

    /// What was recorded since may have left out movements: the next reading tells a pixel.
    mutating func forgetReported() {
        read = nil
    }
}
