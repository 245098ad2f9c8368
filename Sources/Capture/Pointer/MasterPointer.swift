// SPDX-License-Identifier: Apache-2.0

import Events

/// A master pointer, while the events of a drain are evaluated.
struct MasterPointer {
    /// The conditions for following a pointer.
    struct Way {
        let desktop: DesktopGeometry
        /// The scales by device id; nil for devices that report motions.
        let scales: [AxisScale.Desktop?]
        /// The serial from which on the pointer's position is known.
        let start: StreamSerial
        let clock: ServerClock
    }

    /// The XInput2 id of the master pointer.
    let id: UInt8
    var reckoning = DeadReckoning()
    /// Whether anything other than the events read moved it, or may have.
    var isDisturbed = false
    /// Whether the events read led to its position and no edge stopped it.
    private(set) var isCertain = false
    /// The last motion read.
    private var lastMove: (index: Int, time: EventTime)?
    /// Clicks on the border of two pixels; later motions were by whole pixels.
    private var borders: [(index: Int, position: DeadReckoning.Point)] = []

    init(id: UInt8) {
        self.id = id
    }

    /// Follows the motions that were read, from the pointer's previous position.
    ///
    /// - Parameters:
    ///   - events: The events read; those that need a pixel get it.
    ///   - way: The conditions; nil if the desktop is unknown.
    ///   - fingers: The fingers of all devices.
    mutating func follow(_ events: inout [PendingEvent], _ way: Way?, _ fingers: TouchOwners) {
        lastMove = nil
        borders = []
        reckoning.wasConfined = false
        guard let way else { return }
        var events = events.mutableSpan
        for index in events.indices where events[index].serial.hasReached(way.start) {
            switch events[index].event {
            case .rawMotion(let header, let moved) where header.master == id:
                events[index].pixel = move(header, moved, at: index, way)
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
                // The pointer may have moved with the finger.
                isDisturbed = true
            case .entered, .left:
                // Motions in the window that was left may not have been recorded.
                reckoning.forgetReported()
            case .screenChanged, .devicesChanged: isDisturbed = true
            default: continue
            }
        }
    }

    /// Moves the pointer; returns the pixel to emit with the motion, if any.
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

    /// Compares the computed position with the server's reply.
    ///
    /// - Parameters:
    ///   - answer: The position; nil if the server does not report it.
    ///   - events: The events read; if the position was wrong, they lose their pixels.
    ///   - connection: The connection for querying the pixel that is shown.
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
            // The reader got pixels that the reckoning does not know.
            reckoning.forgetReported()
        }
        guard let last = lastMove, let pixel = reckoning.report(at: last.time) else { return }
        events[last.index].pixel = pixel
    }

    /// Assigns pixels to clicks on a border of two pixels.
    ///
    /// The server shows on which side the pointer ended, and motions by whole pixels cannot have
    /// crossed over.
    private func settleBorders(
        _ end: DeadReckoning.Point,
        _ shown: Pixel,
        _ events: inout [PendingEvent]
    ) {
        for click in borders {
            let way = (x: end.x - click.position.x, y: end.y - click.position.y)
            // An edge stopped the pointer.
            guard way.x.rounded() == way.x, way.y.rounded() == way.y else { continue }
            events[click.index].pixel = Pixel(
                x: Int16(clamping: Int(shown.x) - Int(way.x)),
                y: Int16(clamping: Int(shown.y) - Int(way.y))
            )
        }
    }
}
