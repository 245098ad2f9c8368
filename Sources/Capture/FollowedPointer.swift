// SPDX-License-Identifier: Apache-2.0

import Events

/// A pointer of the screen, while the events of a reading are gone through.
struct FollowedPointer {
    /// What the way of a pointer depends on.
    struct Way {
        let desk: Desk
        /// By the device's id; nil for devices that tell movements.
        let scales: [AxisScale.Desktop?]
        /// The place in the stream behind which the paths are known.
        let start: UInt
        let clock: ServerClock
    }

    /// The master device.
    let id: UInt8
    var path = PointerPath()
    /// Something else than the events that were read moved it, or may have.
    var isDisturbed = false
    /// Whether the events that were read led to where it is, and no edge stopped it.
    private(set) var isCertain = false
    /// The movement read last.
    private var lastMove: (index: Int, time: EventTime)?
    /// The clicks on the border of two pixels since which it moved by whole pixels, if at all.
    private var borders: [(index: Int, place: PointerPath.Point)] = []

    init(id: UInt8) {
        self.id = id
    }

    /// Follows the movements that were read, from where the pointer was before.
    ///
    /// - Parameters:
    ///   - events: what was read; those with which a pixel is to be told get it.
    ///   - way: nil where the desktop is not known.
    ///   - fingers: of all devices.
    mutating func follow(_ events: inout [AheadEvent], _ way: Way?, _ fingers: Fingers) {
        lastMove = nil
        borders = []
        path.wasConfined = false
        guard let way else { return }
        var events = events.mutableSpan
        for index in events.indices where events[index].serial >= way.start {
            switch events[index].event {
            case .rawMotion(let header, let made) where header.master == id:
                events[index].place = move(header, made, at: index, way)
            case .rawAxes(let header, let axes) where header.master == id:
                events[index].place = move(header, axes.move, at: index, way)
            case .rawButton(let header, _, _) where header.master == id && !header.isEmulated:
                guard let place = path.now else { continue }
                guard let pixel = path.pixel else {
                    borders.append((index, place))
                    continue
                }
                events[index].place = pixel
                path.wasTold(pixel, at: way.clock.time(of: header.time))
            case .rawTouch(let header, _, _, _)
            where header.master == id && fingers.isScreen(header.device):
                // It may have gone with it.
                isDisturbed = true
            case .entered, .left:
                // In the window left the movements may not have been recorded.
                path.forgetTold()
            case .screenChanged, .devicesChanged: isDisturbed = true
            default: continue
            }
        }
    }

    /// Moves the pointer; the pixel that is to be told with that, if one is.
    @inline(__always)
    private mutating func move(
        _ header: X11Event.RawHeader,
        _ move: X11Event.Move,
        at index: Int,
        _ way: Way
    ) -> Pixel? {
        guard move.present != 0 else { return nil }
        if let scales = way.scales[Int(header.device)] {
            path.move(
                to: way.desk.place(move.made, scales),
                counts: way.desk.place(move.counts, scales),
                axes: move.present,
                on: way.desk
            )
        } else {
            path.move(by: move.made, counts: move.counts, on: way.desk)
        }
        if !borders.isEmpty, !move.isWhole { borders = [] }
        let time = way.clock.time(of: header.time)
        lastMove = (index, time)
        return path.tellOnTheWay(at: time)
    }

    /// Compares where the way has led with what the server says.
    ///
    /// - Parameters:
    ///   - answer: the position; nil where the server does not say.
    ///   - events: what was read; where the way was wrong they lose their pixels.
    ///   - connection: where to ask for what is shown.
    mutating func settle(
        at answer: PointerPath.Point?,
        _ events: inout [AheadEvent],
        _ connection: X11Connection
    ) {
        let end = path.now
        let isSettled = path.settle(at: answer) { connection.pixel(of: id) }
        isCertain = isSettled && !isDisturbed && !path.wasConfined
        guard isSettled, !isDisturbed else {
            path.forgetTold()
            for place in events.indices where events[place].event.step?.master == id {
                events[place].place = nil
            }
            return
        }
        if let end, !borders.isEmpty, let shown = connection.pixel(of: id) {
            settleBorders(end, shown, &events)
            // The reader was told pixels that the path does not know of.
            path.forgetTold()
        }
        guard let last = lastMove, let pixel = path.tell(at: last.time) else { return }
        events[last.index].place = pixel
    }

    /// Which side of the border a pointer is on the server shows at the end, and by whole pixels it
    /// cannot have come from the other side.
    private func settleBorders(
        _ end: PointerPath.Point,
        _ shown: Pixel,
        _ events: inout [AheadEvent]
    ) {
        for click in borders {
            let way = (x: end.x - click.place.x, y: end.y - click.place.y)
            // It was stopped at an edge.
            guard way.x.rounded() == way.x, way.y.rounded() == way.y else { continue }
            events[click.index].place = Pixel(
                x: Int16(clamping: Int(shown.x) - Int(way.x)),
                y: Int16(clamping: Int(shown.y) - Int(way.y))
            )
        }
    }
}
