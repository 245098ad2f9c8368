// SPDX-License-Identifier: Apache-2.0

import Events

/// A pointer of the screen, while the events of a reading are gone through.
struct MasterPointer {
    /// What the way of a pointer depends on.
    struct Way {
        let desktop: DesktopGeometry
        /// By the device's id; nil for devices that tell movements.
        let scales: [AxisScale.Desktop?]
        /// The place in the stream behind which the paths are known.
        let start: UInt
        let clock: ServerClock
    }

    /// The master device.
    let id: UInt8
    var reckoning = DeadReckoning()
    /// Something else than the events that were read moved it, or may have.
    var isDisturbed = false
    /// Whether the events that were read led to where it is, and no edge stopped it.
    private(set) var isCertain = false
    /// The movement read last.
    private var lastMove: (index: Int, time: EventTime)?
    /// The clicks on the border of two pixels since which it moved by whole pixels, if at all.
    private var borders: [(index: Int, position: DeadReckoning.Point)] = []

    init(id: UInt8) {
        self.id = id
    }

    /// Follows the movements that were read, from where the pointer was before.
    ///
    /// - Parameters:
    ///   - events: what was read; those with which a pixel is to be told get it.
    ///   - way: nil where the desktop is not known.
    ///   - fingers: of all devices.
    mutating func follow(_ events: inout [PendingEvent], _ way: Way?, _ fingers: TouchOwners) {
        lastMove = nil
        borders = []
        reckoning.wasConfined = false
        guard let way else { return }
        var events = events.mutableSpan
        for index in events.indices where events[index].serial >= way.start {
            switch events[index].event {
            case .rawMotion(let header, let accelerated) where header.master == id:
                events[index].pixel = move(header, accelerated, at: index, way)
            case .rawAxes(let header, let axes) where header.master == id:
                events[index].pixel = move(header, axes.move, at: index, way)
            case .rawButton(let header, _, _) where header.master == id && !header.isEmulated:
                guard let position = reckoning.now else { continue }
                guard let pixel = reckoning.pixel else {
                    borders.append((index, position))
                    continue
                }
                events[index].pixel = pixel
                reckoning.noteReported(pixel, at: way.clock.time(of: header.time))
            case .rawTouch(let header, _, _, _)
            where header.master == id && fingers.isScreen(header.device):
                // It may have gone with it.
                isDisturbed = true
            case .entered, .left:
                // In the window left the movements may not have been recorded.
                reckoning.forgetReported()
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
            reckoning.move(
                to: way.desktop.position(move.accelerated, scales),
                raw: way.desktop.position(move.raw, scales),
                axes: move.present,
                on: way.desktop
            )
        } else {
            reckoning.move(by: move.accelerated, raw: move.raw, on: way.desktop)
        }
        if !borders.isEmpty, !move.isWhole { borders = [] }
        let time = way.clock.time(of: header.time)
        lastMove = (index, time)
        return reckoning.reportOnTheWay(at: time)
    }

    /// Compares where the way has led with what the server says.
    ///
    /// - Parameters:
    ///   - answer: the position; nil where the server does not say.
    ///   - events: what was read; where the way was wrong they lose their pixels.
    ///   - connection: where to ask for what is shown.
    mutating func settle(
        at answer: DeadReckoning.Point?,
        _ events: inout [PendingEvent],
        _ connection: X11Connection
    ) {
        let end = reckoning.now
        let isSettled = reckoning.settle(at: answer) { connection.pixel(of: id) }
        isCertain = isSettled && !isDisturbed && !reckoning.wasConfined
        guard isSettled, !isDisturbed else {
            reckoning.forgetReported()
            for index in events.indices where events[index].event.step?.master == id {
                events[index].pixel = nil
            }
            return
        }
        if let end, !borders.isEmpty, let shown = connection.pixel(of: id) {
            settleBorders(end, shown, &events)
            // The reader was told pixels that the path does not know of.
            reckoning.forgetReported()
        }
        guard let last = lastMove, let pixel = reckoning.report(at: last.time) else { return }
        events[last.index].pixel = pixel
    }

    /// Which side of the border a pointer is on the server shows at the end, and by whole pixels it
    /// cannot have come from the other side.
    private func settleBorders(
        _ end: DeadReckoning.Point,
        _ shown: Pixel,
        _ events: inout [PendingEvent]
    ) {
        for click in borders {
            let way = (x: end.x - click.position.x, y: end.y - click.position.y)
            // It was stopped at an edge.
            guard way.x.rounded() == way.x, way.y.rounded() == way.y else { continue }
            events[click.index].pixel = Pixel(
                x: Int16(clamping: Int(shown.x) - Int(way.x)),
                y: Int16(clamping: Int(shown.y) - Int(way.y))
            )
        }
    }
}
