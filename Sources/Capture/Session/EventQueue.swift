// SPDX-License-Identifier: Apache-2.0

import Events

/// An event decoded before dispatch, with the pixel computed for it.
struct PendingEvent: BitwiseCopyable {
    var event: X11Event
    var serial: StreamSerial
    /// The pointer's pixel after it, if it is to be emitted.
    var pixel: Pixel?
}

/// The events of one stream between their arrival and their dispatch, in order.
///
/// The pointer's events wait here decoded, until queries have shown where the pointer was. Upstream:
/// ``EventWire``. Downstream: ``StreamReader``. Promise: what is not taken in a drain comes first in
/// the next one.
struct EventQueue {
    private let connection: X11Connection
    /// The number of events of this drain that are neither decoded nor taken.
    private(set) var waiting = 0
    /// The events that ``decode(until:)`` took.
    var decoded: [PendingEvent] = []
    private var nextDecoded = 0
    /// Events behind the cut, carried over to the next drain.
    private var carriedOver: [PendingEvent] = []

    /// Maximum decoded events for which memory is kept between drains.
    private static let maxKept = 6144

    init(_ connection: X11Connection) {
        self.connection = connection
    }

    /// Begins a drain and reads what has arrived; returns the number of events.
    mutating func begin() -> Int {
        forgetTaken()
        waiting = connection.readArrived()
        return waiting + carriedOver.count
    }

    /// Removes the decoded events; after a flood it also releases their memory.
    private mutating func forgetTaken() {
        if decoded.capacity > Self.maxKept {
            decoded = []
        } else {
            decoded.removeAll(keepingCapacity: true)
        }
        nextDecoded = 0
    }

    /// Reads what has arrived since the drain began; returns the number of further events.
    mutating func continueReading() -> Int {
        let before = waiting
        waiting = connection.readArrived()
        return max(0, waiting - before)
    }

    // MARK: Decoding ahead

    /// Decodes what arrived up to a serial; later events are carried over to the next drain.
    mutating func decode(until serial: StreamSerial) {
        forgetTaken()
        decodeFurther(until: serial)
    }

    /// Decodes further, like ``decode(until:)``, and keeps what was decoded.
    mutating func decodeFurther(until serial: StreamSerial) {
        decoded += carriedOver
        carriedOver.removeAll(keepingCapacity: true)
        if let first = connection.wire.takeEvents(until: serial, into: &decoded) {
            carriedOver.append(first)
        }
        waiting = 0
    }

    /// Carries decoded events, from an index on, over to the next drain.
    mutating func deferEvents(from first: Int) {
        carriedOver.insert(contentsOf: decoded[first...], at: 0)
        decoded.removeSubrange(first...)
    }

    // MARK: Taking

    /// Whether nothing is left, neither of this drain nor for the next one.
    var isEmpty: Bool { connection.isQueueEmpty && carriedOver.isEmpty }

    /// The next event if it is a motion of axes 0 and 1 without a pixel; it is not taken.
    ///
    /// It is nil if the next event is another one.
    @inline(__always)
    var nextMotion: (header: X11Event.RawHeader, move: X11Event.Move)? {
        guard nextDecoded < decoded.count,
            case .rawMotion(let header, let move) = decoded[nextDecoded].event,
            decoded[nextDecoded].pixel == nil
        else { return nil }
        return (header, move)
    }

    /// Takes the event of ``nextMotion``.
    @inline(__always)
    mutating func takeMotion() { nextDecoded += 1 }

    /// Takes the next event of this drain; nil if there is none.
    mutating func takeNext() -> PendingEvent? {
        guard !connection.isLost else { return nil }
        if nextDecoded < decoded.count {
            defer { nextDecoded += 1 }
            return decoded[nextDecoded]
        }
        guard waiting > 0 else { return nil }
        waiting -= 1
        let (event, serial) = connection.wire.takeEvent()
        return PendingEvent(event: event, serial: serial)
    }
}
