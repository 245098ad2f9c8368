// SPDX-License-Identifier: Apache-2.0

import CLinux
import Events
import Glibc
import Wire

/// The pointer's events, read from the bytes of the protocol.
///
/// Of all that happens movements are most, and Xlib with XCB below it moves each of them through
/// four places in memory. Here an event stays where the kernel put it until it is taken. Upstream:
/// the X server. Downstream: ``Lane``. Promise: events in their order, each with its place among the
/// requests of this connection; what was taken is wiped.
///
/// Only what says what to tell is asked here, and what must have its place among the events (see
/// `EventWire+Requests.swift`); all else is asked through Xlib on a connection that is told nothing.
@safe final class EventWire {
    /// The numbers that the server gave to extensions.
    struct Codes {
        var input: UInt8 = 0
        /// The type of DeviceMappingNotify.
        var mappingEvent: UInt8 = 0
        var shape: UInt8 = 0
        /// The type of the event; no event's where there is no such extension.
        var shapeEvent: UInt8 = 0
        var monitors: UInt8 = 0
        var monitorEvent: UInt8 = 0
        var resources: UInt8 = 0
    }

    /// The room for what waits between two readings at a thousand events a second; a flood takes
    /// more, and gives it back.
    private static let usualRoom = 512 * 1024
    /// So much room is left at least before the kernel is asked for more.
    private static let leastRead = 16 * 1024
    /// So often at most the kernel is asked at one reading.
    private static let maxReads = 256

    var codes = Codes()
    let root: UInt32
    private(set) var isLost = false
    /// The events that were read and not taken.
    private(set) var unread = 0

    private let socket: WireSocket
    private var buffer: UnsafeMutableRawBufferPointer
    /// The bytes that were taken, those that were looked through for answers, and all.
    private var (taken, seen, filled) = (0, 0, 0)
    /// The numbers of the last request, of the last one that was answered, and of the one that the
    /// server knew at the event taken last.
    private var (sent, answered, known): (UInt, UInt, UInt) = (0, 0, 0)
    private let atoms: WindowAtoms

    /// Speaks on a socket.
    ///
    /// - Parameters:
    ///   - socket: on which nothing was asked yet.
    ///   - root: of the screen.
    ///   - atoms: the properties whose changes are told.
    init(_ socket: WireSocket, root: UInt32, _ atoms: WindowAtoms) {
        self.socket = socket
        self.atoms = atoms
        self.root = root
        unsafe buffer = .allocate(byteCount: Self.usualRoom, alignment: 8)
    }

    deinit {
        unsafe clinux_wipe(buffer.baseAddress, filled)
        unsafe buffer.deallocate()
    }

    var descriptor: Int32 { socket.descriptor }

    /// The bytes that there is room for.
    var room: Int { unsafe buffer.count }

    /// The number of the next request.
    var nextRequest: UInt { sent + 1 }

    /// Whether the server has done all that was sent.
    var isDone: Bool { answered == sent }

    // MARK: Requests

    /// Sends requests that have no answer.
    func send(_ requests: [UInt8]...) {
        // The server tells the last 16 bits of a request's number: no more than these may pass
        // between two things it says.
        if sent > max(known, answered) + 0x4000 { synchronize() }
        sent += UInt(requests.count)
        if !isLost, !socket.send(Array(requests.joined())) { isLost = true }
    }

    /// Sends a request and waits for its answer; the events before it are read then.
    ///
    /// - Returns: nil where the server refuses the request or has gone.
    func ask(_ request: [UInt8]) -> [UInt8]? {
        sent += 1
        if !isLost, !socket.send(request) { isLost = true }
        while !isLost {
            while let packet = nextUnseen() {
                guard packet.type <= 1 else {
                    unread += 1
                    continue
                }
                guard packet.sequence == UInt16(truncatingIfNeeded: sent) else { continue }
                answered = sent
                let answer = packet.type == 1 ? packet.bytes : nil
                lookThrough()
                return answer
            }
            read(mayWait: true)
        }
        return nil
    }

    /// Waits until the server has done all that was sent.
    ///
    /// - Returns: the place in the stream: what is told from behind it on happened later.
    @discardableResult func synchronize() -> UInt {
        _ = ask(Self.synchronize)
        return sent
    }

    /// GetInputFocus, the cheapest request that has an answer.
    private static let synchronize: [UInt8] = [43, 0, 1, 0]

    // MARK: Reading

    /// Reads what has arrived, without waiting.
    ///
    /// - Returns: the number of events not taken yet.
    func readArrived() -> Int {
        // Somebody may go on without end.
        for _ in 0..<Self.maxReads where !isLost && read(mayWait: false) > 0 {}
        lookThrough()
        return unread
    }

    /// Counts the events among what was read and not looked at, in which there is no answer.
    private func lookThrough() {
        while let packet = nextUnseen() {
            if packet.type > 1 { unread += 1 }
        }
        if unread == 0 { finish() }
    }

    /// The next packet that was read and not looked at; nil while it is not whole.
    private func nextUnseen() -> Packet? {
        guard filled - seen >= Packet.leastSize else { return nil }
        let packet = unsafe Packet(UnsafeRawBufferPointer(rebasing: buffer[seen..<filled]))
        guard packet.size <= Packet.maxSize else {
            isLost = true
            return nil
        }
        guard packet.size <= filled - seen else { return nil }
        seen += packet.size
        return packet
    }

    /// Reads once; the number of bytes.
    @discardableResult private func read(mayWait: Bool) -> Int {
        makeRoom()
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        guard let count = unsafe socket.receive(into: room, mayWait: mayWait) else {
            isLost = true
            return 0
        }
        filled += count
        return count
    }

    private func makeRoom() {
        let size = unsafe buffer.count
        guard size - filled < Self.leastRead else { return }
        // Where most of it is in use there is too little.
        move(toRoom: filled - taken > size / 2 ? 2 * size : size)
    }

    /// Moves what was not taken to the front of so much room, and leaves no copy.
    private func move(toRoom size: Int) {
        let old = unsafe buffer
        let isNew = old.count != size
        if isNew { unsafe buffer = .allocate(byteCount: size, alignment: 8) }
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: old[taken..<filled]))
        let kept = isNew ? 0 : filled - taken
        unsafe clinux_wipe(old.baseAddress?.advanced(by: kept), filled - kept)
        if isNew { unsafe old.deallocate() }
        (taken, seen, filled) = (0, seen - taken, filled - taken)
    }

    /// Takes the next event; there must be an unread one.
    ///
    /// - Returns: the event, and the number of the last request that the server had seen.
    @inline(__always)
    func takeEvent() -> (event: X11Event, serial: UInt) {
        unread -= 1
        while true {
            let packet = unsafe Packet(UnsafeRawBufferPointer(rebasing: buffer[taken..<seen]))
            taken += packet.size
            // KeymapNotify, which nobody selects but anybody can send, has no number.
            if packet.type & 0x7F != 11 {
                known += UInt(packet.sequence &- UInt16(truncatingIfNeeded: known))
                // Nobody knows the place of an event behind all requests.
                if known > sent { isLost = true }
            }
            // An answer was taken when it came.
            guard packet.type > 1 else { continue }
            let isInput = packet.type == 35 && packet.byte(1) == codes.input
            let event = isInput ? X11Event(input: packet) : otherEvent(packet)
            let serial = known
            if unread == 0 { finish() }
            return (event, serial)
        }
    }

    /// Takes events up to a place in the stream.
    ///
    /// - Parameters:
    ///   - serial: of the first request behind the place.
    ///   - events: gets those before it.
    /// - Returns: the first event behind it, which is taken too; nil where there is none yet.
    func takeEvents(until serial: UInt, into events: inout [PendingEvent]) -> PendingEvent? {
        events.reserveCapacity(events.count + unread)
        while unread > 0 {
            let (event, number) = takeEvent()
            guard number < serial else { return PendingEvent(event: event, serial: number) }
            events.append(PendingEvent(event: event, serial: number))
        }
        return nil
    }

    /// All that was looked through is taken: nothing of it stays.
    private func finish() {
        taken = seen
        known = max(known, answered)
        let rest = filled - taken
        move(toRoom: rest > Self.usualRoom / 2 ? unsafe buffer.count : Self.usualRoom)
    }

    /// An event of the core protocol, or of an extension that is none of input.
    private func otherEvent(_ packet: Packet) -> X11Event {
        switch packet.type {
        case 7, 8:
            let window = packet.id(12)
            let mode = X11Event.FocusMode(Int32(packet.byte(30)))
            let detail = X11Event.FocusDetail(Int32(packet.byte(1)))
            let pixel = Pixel(
                x: Int16(bitPattern: packet.uint16(20)),
                y: Int16(bitPattern: packet.uint16(22))
            )
            return packet.type == 7
                ? .entered(window: window, mode: mode, detail: detail, at: pixel)
                : .left(window: window, mode: mode, detail: detail, at: pixel)
        case 16: return .created(window: packet.id(8), parent: packet.id(4))
        case 17: return .destroyed(window: packet.id(8))
        case 18: return .unmapped(window: packet.id(8))
        case 19, 26: return .rearranged(window: packet.id(8))
        case 21: return .reparented(window: packet.id(8), parent: packet.id(12))
        case 22:
            let window = packet.id(8)
            return window == UInt(root) ? .screenChanged : .rearranged(window: window)
        case 28:
            let property = atoms.property(packet.id(8))
            return property.map { .propertyChanged(window: packet.id(4), $0) } ?? .other
        case codes.mappingEvent:
            // MappingPointer
            return packet.byte(4) == 2 ? .buttonMapChanged : .other
        case codes.shapeEvent: return .rearranged(window: packet.id(4))
        case codes.monitorEvent, codes.monitorEvent + 1: return .screenChanged
        // What another client has sent has the highest bit.
        default: return .other
        }
    }
}

extension X11Event {
    /// An event of XInput (XI2proto.h).
    @inline(__always)
    fileprivate init(input packet: Packet) {
        let type = packet.uint16(8)
        let header = RawHeader(
            time: packet.uint32(12),
            device: UInt8(clamping: packet.uint16(20)),
            master: UInt8(clamping: packet.uint16(10)),
            isEmulated: packet.uint32(24) & 0x10000 != 0
        )
        switch type {
        case 17:
            let values = RawValues(packet)
            self =
                values.present & ~3 == 0
                ? .rawMotion(header, values.move) : .rawAxes(header, values.axes(packet))
        case 15, 16:
            let number = UInt8(clamping: packet.uint32(16))
            self = .rawButton(header, number: number, isDown: type == 15)
        case 22, 23, 24:
            let phase: Touch.Phase = type == 22 ? .down : type == 23 ? .move : .up
            self = .rawTouch(header, id: packet.uint32(16), phase, RawValues(packet).axes(packet))
        case 11: self = .devicesChanged(ByteSet(hierarchy: packet))
        default: self = .other
        }
    }
}

extension ByteSet {
    /// The devices that an event says something new of: with each stands what became of it.
    fileprivate init(hierarchy packet: Packet) {
        self.init()
        for index in 0..<Int(packet.uint16(20)) {
            let at = 32 + 12 * index
            guard at + 12 <= packet.size else { return }
            let id = packet.uint16(at)
            if packet.uint32(at + 8) != 0, id < 256 { insert(UInt8(id)) }
        }
    }
}

/// The values of a raw event: a mask of all axes, a value for each bit of it, and as many counts.
private struct RawValues {
    var present: UInt8 = 0
    var move = X11Event.Move()
    /// Where the counts begin.
    private var rawOffset = 0

    @inline(__always)
    init(_ packet: Packet) {
        let words = Int(packet.uint16(22))
        // Most move along both axes and no other.
        if words == 2, packet.size == 72, packet.uint32(32) == 3, packet.uint32(36) == 0 {
            move.present = 3
            move.accelerated = (packet.fp3232(40), packet.fp3232(48))
            move.raw = (packet.fp3232(56), packet.fp3232(64))
            present = 3
            return
        }
        guard words > 0, 32 + 4 * words <= packet.size else { return }
        var axes = 0
        for word in 0..<words { axes += packet.uint32(32 + 4 * word).nonzeroBitCount }
        let values = 32 + 4 * words
        guard values + 16 * axes <= packet.size else { return }
        present = packet.byte(32)
        rawOffset = values + 8 * axes
        move.present = present & 3
        if present & 1 != 0 {
            move.accelerated.x = packet.fp3232(values)
            move.raw.x = packet.fp3232(rawOffset)
        }
        if present & 2 != 0 {
            let next = present & 1 != 0 ? 8 : 0
            move.accelerated.y = packet.fp3232(values + next)
            move.raw.y = packet.fp3232(rawOffset + next)
        }
    }

    func axes(_ packet: Packet) -> X11Event.Axes {
        var axes = X11Event.Axes()
        axes.present = present
        axes.move = move
        var next = rawOffset + 8 * (present & 3).nonzeroBitCount
        for axis in 2..<8 where present & 1 << UInt8(axis) != 0 {
            axes.others[axis - 2] = packet.fp3232(next)
            next += 8
        }
        return axes
    }
}

/// Something the server says, in the buffer, behind which other things may stand.
///
/// A field that is asked for must lie within ``size``, of which 32 bytes are certain.
@safe private struct Packet {
    static let leastSize = 32
    /// More than any answer or event has.
    static let maxSize = 4 << 20

    private let start: UnsafeRawPointer
    let type: UInt8
    let size: Int

    init(_ memory: UnsafeRawBufferPointer) {
        guard let start = memory.baseAddress, memory.count >= Self.leastSize else {
            preconditionFailure("A packet has 32 bytes.")
        }
        unsafe self.start = start
        type = unsafe start.load(as: UInt8.self)
        // Answers, and events of newer extensions, may be longer.
        let isLong = type == 1 || type & 0x7F == 35
        size = isLong ? 32 + 4 * Int(unsafe start.load(fromByteOffset: 4, as: UInt32.self)) : 32
    }

    /// The last 16 bits of the number of the last request that the server had seen.
    var sequence: UInt16 { uint16(2) }

    var bytes: [UInt8] { unsafe Array(UnsafeRawBufferPointer(start: start, count: size)) }

    func byte(_ at: Int) -> UInt8 { unsafe start.load(fromByteOffset: at, as: UInt8.self) }

    func uint16(_ at: Int) -> UInt16 { unsafe start.load(fromByteOffset: at, as: UInt16.self) }

    func uint32(_ at: Int) -> UInt32 { unsafe start.load(fromByteOffset: at, as: UInt32.self) }

    func id(_ at: Int) -> UInt { UInt(uint32(at)) }

    func fp3232(_ at: Int) -> Double { Double(whole: uint32(at), fraction: uint32(at + 4)) }
}

extension Double {
    /// A number of the wire (FP3232): 32 bits before the point and as many behind it.
    @inline(__always)
    init(whole: UInt32, fraction: UInt32) {
        self = Double(Int64(Int32(bitPattern: whole)) << 32 | Int64(fraction)) * 0x1p-32
    }
}
