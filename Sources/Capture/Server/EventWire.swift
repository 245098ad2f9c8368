// SPDX-License-Identifier: Apache-2.0

import CLinux
import Events
import Glibc
import Wire

/// One event stream, the keyboard's or the pointer's, decoded from the bytes of the protocol.
///
/// Xlib with XCB moves each event through four buffers, of which it wipes none. Here an event stays
/// where the kernel put it until it is taken.
///
/// Upstream: the X server. Downstream: ``StreamReader``. Promise: events are in order, each with
/// its serial on this connection, and taken bytes are wiped.
///
/// This connection selects events and sends only requests whose reply must be ordered against them
/// (see `EventWire+Requests.swift` and `EventWire+Keyboard.swift`). The rest go through Xlib, on a
/// connection that selects nothing.
@safe final class EventWire {
    /// The numbers that the server assigned to extensions.
    struct Codes {
        var input: UInt8 = 0
        /// The event code of DeviceMappingNotify.
        var mappingEvent: UInt8 = 0
        var shape: UInt8 = 0
        /// The event code; without the extension it is 0, which no event has.
        var shapeEvent: UInt8 = 0
        var monitors: UInt8 = 0
        var monitorEvent: UInt8 = 0
        var resources: UInt8 = 0
        var keyboard: UInt8 = 0
        /// The event code shared by all XKB events; 0 as long as none is selected.
        var keyboardEvent: UInt8 = 0
        /// The opcode of SHAPE and its event code, for the windows of the mark alone.
        var markShape: UInt8 = 0
        var markEvent: UInt8 = 0
    }

    /// Bytes for the events of two drains; a flood gets more temporarily.
    private let usualRoom: Int
    /// Minimum free buffer space before each `recv`, in bytes.
    private static let leastRead = 16 * 1024
    /// Maximum `recv` calls per drain.
    private static let maxReads = 256

    var codes = Codes()
    let root: UInt32
    private(set) var isLost = false
    /// The number of events that were read and not taken.
    private(set) var unread = 0
    /// The ids of the mark's windows, whose events are counted and otherwise ignored.
    var markIDs: ClientIDs?
    /// The number of changes of these windows that were read since it was set to 0.
    var markNotices = 0

    private let socket: WireSocket
    private var buffer: UnsafeMutableRawBufferPointer
    /// Offsets behind the taken bytes, behind those searched for replies, and behind all bytes.
    private var (taken, seen, filled) = (0, 0, 0)
    /// The serials of the last request, of the last reply, and of the event taken last.
    private var (sent, answered, known) = (
        StreamSerial.start, StreamSerial.start, StreamSerial.start
    )
    private let atoms: WindowAtoms

    /// Uses a socket for the event stream.
    ///
    /// - Parameters:
    ///   - socket: A connected socket on which no request was sent yet.
    ///   - root: The root window of the screen.
    ///   - atoms: The properties whose changes are reported.
    ///   - room: The usual size of the buffer in bytes; by default for a thousand motions a second.
    init(_ socket: WireSocket, root: UInt32, _ atoms: WindowAtoms, room: Int = 512 * 1024) {
        self.socket = socket
        self.atoms = atoms
        self.root = root
        usualRoom = room
        unsafe buffer = .allocate(byteCount: room, alignment: 8)
    }

    deinit {
        unsafe clinux_wipe(buffer.baseAddress, filled)
        unsafe buffer.deallocate()
    }

    var descriptor: Int32 { socket.descriptor }

    /// The default colormap of the screen.
    var colormap: UInt32 { socket.colormap }

    /// Bits of a pixel of the screen.
    var depth: UInt8 { socket.depth }

    /// The ids that this client may give to what it creates.
    var ids: ClientIDs { ClientIDs(base: socket.resourceBase, mask: socket.resourceMask) }

    /// The size of the buffer in bytes.
    var room: Int { unsafe buffer.count }

    /// The serial of the next request.
    var nextRequest: StreamSerial { sent.next }

    /// Whether the server has handled all requests.
    var isDone: Bool { answered == sent }

    // MARK: Requests

    /// Sends requests without a reply.
    func send(_ requests: [UInt8]...) { send(requests) }

    /// Sends requests without a reply.
    func send(_ requests: [[UInt8]]) {
        // Events carry only 16 bits of the sequence number, so fewer requests than 2^16 may pass
        // between two messages of the server.
        if sent.isAhead(of: .later(known, answered), byMoreThan: 0x4000) { synchronize() }
        sent = sent.advanced(by: requests.count)
        if !isLost, !socket.send(Array(requests.joined())) { isLost = true }
    }

    /// Sends a request and waits for its reply; earlier events are read meanwhile.
    ///
    /// - Returns: The reply; nil if the server refuses the request or the connection is lost.
    func ask(_ request: [UInt8]) -> WireReader? {
        sent = sent.next
        if !isLost, !socket.send(request) { isLost = true }
        while !isLost {
            while let packet = nextUnseen() {
                guard packet.type <= 1 else {
                    count(packet)
                    continue
                }
                guard packet.sequence == sent.low else { continue }
                answered = sent
                let answer = packet.type == 1 ? WireReader(packet.bytes) : nil
                lookThrough()
                return answer
            }
            read(mayWait: true)
        }
        return nil
    }

    /// Waits until the server has handled all requests.
    ///
    /// - Returns: The serial of the last request; events read from now on happened after it.
    @discardableResult func synchronize() -> StreamSerial {
        _ = ask(Self.synchronize)
        return sent
    }

    /// GetInputFocus, the cheapest request with a reply.
    private static let synchronize: [UInt8] = [43, 0, 1, 0]

    // MARK: Reading

    /// Reads what has arrived, without waiting.
    ///
    /// - Returns: The number of events not taken yet.
    func readArrived() -> Int {
        // A client may produce events without end.
        for _ in 0..<Self.maxReads where !isLost && read(mayWait: false) > 0 {}
        lookThrough()
        return unread
    }

    /// Counts the events among the bytes not yet searched, which contain no awaited reply.
    private func lookThrough() {
        while let packet = nextUnseen() {
            if packet.type > 1 { count(packet) }
        }
        if unread == 0 { finish() }
    }

    /// Counts an event that was read.
    private func count(_ packet: Packet) {
        unread += 1
        if packet.type != 35, let markIDs, isChange(packet, of: markIDs) { markNotices += 1 }
    }

    /// Whether an event says that a window was changed or covered.
    private func isChange(_ packet: Packet, of ids: ClientIDs) -> Bool {
        switch packet.type {
        // VisibilityNotify, unless it is wholly visible
        case 15: packet.byte(8) != 0 && ids.contains(packet.uint32(4))
        // Destroy, Unmap, Reparent, Configure, Gravity
        case 17, 18, 21, 22, 24: ids.contains(packet.uint32(8))
        // PropertyNotify
        case 28: ids.contains(packet.uint32(4))
        default: packet.type == codes.markEvent && ids.contains(packet.uint32(4))
        }
    }

    /// The server's timestamp of the first raw event that was read and not taken; nil for none.
    var oldestStamp: UInt32? {
        var at = taken
        while at < seen {
            let packet = unsafe Packet(UnsafeRawBufferPointer(rebasing: buffer[at..<seen]))
            if packet.type == 35, packet.byte(1) == codes.input,
                (13...24).contains(packet.uint16(8))
            {
                return packet.uint32(12)
            }
            at += packet.size
        }
        return nil
    }

    /// The next packet that was read and not searched yet; nil while it is incomplete.
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

    /// Calls `recv` once and returns the number of bytes.
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
        // If more than half is in use, the buffer is too small.
        move(toRoom: filled - taken > size / 2 ? 2 * size : size)
    }

    /// Moves the bytes not taken to the front of a buffer of the given size and leaves no copy.
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

    /// Takes the next event; one must be unread.
    ///
    /// - Returns: The event and its serial.
    @inline(__always)
    func takeEvent() -> (event: X11Event, serial: StreamSerial) {
        unread -= 1
        while true {
            let packet = unsafe Packet(UnsafeRawBufferPointer(rebasing: buffer[taken..<seen]))
            taken += packet.size
            // KeymapNotify has no sequence number; nobody selects it, but any client can send it.
            if packet.type & 0x7F != 11 {
                known.advance(toLow: packet.sequence)
                // An event with a number beyond the last request cannot be ordered.
                if sent.isBefore(known) { isLost = true }
            }
            // Replies were taken when they arrived.
            guard packet.type > 1 else { continue }
            let isInput = packet.type == 35 && packet.byte(1) == codes.input
            let event = isInput ? X11Event(input: packet) : otherEvent(packet)
            let serial = known
            if unread == 0 { finish() }
            return (event, serial)
        }
    }

    /// Takes and drops everything that was read.
    func skip() {
        while unread > 0 { _ = takeEvent() }
    }

    /// Takes events up to a serial.
    ///
    /// - Parameters:
    ///   - serial: The serial of the first request whose later events are not taken.
    ///   - events: Receives the events before it.
    /// - Returns: The first event after it, which is taken too; nil if there is none yet.
    func takeEvents(
        until serial: StreamSerial,
        into events: inout [PendingEvent]
    ) -> PendingEvent? {
        events.reserveCapacity(events.count + unread)
        while unread > 0 {
            let (event, number) = takeEvent()
            let next = PendingEvent(event: event, serial: number)
            guard number.isBefore(serial) else { return next }
            events.append(next)
        }
        return nil
    }

    /// Wipes all searched bytes after everything was taken.
    private func finish() {
        taken = seen
        known = .later(known, answered)
        let rest = filled - taken
        move(toRoom: rest > usualRoom / 2 ? unsafe buffer.count : usualRoom)
    }

    /// Decodes an event of the core protocol or of an extension other than XInput.
    private func otherEvent(_ packet: Packet) -> X11Event {
        if (16...26).contains(packet.type), let markIDs, markIDs.contains(packet.uint32(8)) {
            return .other
        }
        switch packet.type {
        case 7, 8:
            let window = packet.id(12)
            let mode = X11Event.FocusMode(packet.byte(30))
            let detail = X11Event.FocusDetail(packet.byte(1))
            let pixel = Pixel(
                x: Int16(bitPattern: packet.uint16(20)),
                y: Int16(bitPattern: packet.uint16(22))
            )
            return packet.type == 7
                ? .entered(window: window, mode: mode, detail: detail, at: pixel)
                : .left(window: window, mode: mode, detail: detail, at: pixel)
        case 9, 10:
            let window = packet.id(4)
            let mode = X11Event.FocusMode(packet.byte(8))
            let detail = X11Event.FocusDetail(packet.byte(1))
            return packet.type == 9
                ? .focusIn(window: window, mode: mode, detail: detail)
                : .focusOut(window: window, mode: mode, detail: detail)
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
        case codes.keyboardEvent: return X11Event(keyboard: packet)
        case codes.shapeEvent: return .rearranged(window: packet.id(4))
        case codes.monitorEvent, codes.monitorEvent &+ 1: return .screenChanged
        // Events sent by other clients have the highest bit set.
        default: return .other
        }
    }
}

/// The ids of what one client of the server creates.
struct ClientIDs {
    var base: UInt32
    var mask: UInt32

    func contains(_ id: UInt32) -> Bool { id & ~mask == base }
}

extension X11Event {
    /// Decodes an XInput2 event (XI2proto.h).
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
        case 13, 14:
            let keycode = UInt8(clamping: packet.uint32(16))
            self = .rawKey(header, keycode: keycode, isDown: type == 13)
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

    /// Decodes an XKB event (XKBproto.h).
    fileprivate init(keyboard packet: Packet) {
        let device = packet.byte(8)
        switch packet.byte(1) {
        // XkbNewKeyboardNotify
        case 0: self = .keyMapChanged(device: device, keycodes: ByteSet(0...255), isReplaced: true)
        // XkbMapNotify
        case 1:
            let keycodes = ByteSet(mapChange: packet)
            self =
                keycodes.map { .keyMapChanged(device: device, keycodes: $0, isReplaced: false) }
                ?? .other
        // XkbStateNotify
        case 2:
            let held = HeldModifiers(modifiers: packet.byte(9), group: packet.byte(13))
            self = .modifiersChanged(keyboard: device, held)
        // XkbControlsNotify
        case 3: self = .keyboardControls(device: device, enabled: packet.uint32(16))
        default: self = .other
        }
    }
}

extension X11Event.FocusMode {
    /// Decodes the mode of a focus or crossing event.
    fileprivate init(_ mode: UInt8) {
        switch mode {
        case 1: self = .grab
        case 2: self = .ungrab
        default: self = .plain
        }
    }
}

extension X11Event.FocusDetail {
    /// Decodes the detail of a focus or crossing event.
    fileprivate init(_ detail: UInt8) {
        switch detail {
        // Ancestor, Nonlinear
        case 0, 3: self = .this
        case 2: self = .inferior
        // Virtual, NonlinearVirtual
        case 1, 4: self = .virtual
        default: self = .nowhere
        }
    }
}

extension ByteSet {
    /// The devices with changes in a hierarchy event; each has flags that describe its change.
    fileprivate init(hierarchy packet: Packet) {
        self.init()
        for index in 0..<Int(packet.uint16(20)) {
            let at = 32 + 12 * index
            guard at + 12 <= packet.size else { return }
            let id = packet.uint16(at)
            if packet.uint32(at + 8) != 0, id < 256 { insert(UInt8(id)) }
        }
    }

    /// The keys whose keysyms may have changed by an XkbMapNotify; nil if there are none.
    fileprivate init?(mapChange packet: Packet) {
        // Key actions (16), behaviours (32) and explicit components (8) do not affect keysyms.
        switch packet.uint16(10) & ~(8 | 16 | 32) {
        case 0: return nil
        // Keysyms alone
        case 2:
            let (first, count) = (packet.byte(16), packet.byte(17))
            guard count > 0 else { return nil }
            self.init(first...max(first, UInt8(clamping: Int(first) + Int(count) - 1)))
        default: self.init(0...255)
        }
    }
}

/// The values of a raw event: a mask of valuators, then accelerated values, then as many raw ones.
private struct RawValues {
    var present: UInt8 = 0
    var move = X11Event.Move()
    /// The offset of the raw values.
    private var rawOffset = 0

    @inline(__always)
    init(_ packet: Packet) {
        let words = Int(packet.uint16(22))
        // Most events have exactly valuators 0 and 1.
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

/// A message of the server in the buffer, possibly followed by others.
///
/// A field that is read must lie within ``size``, which is at least 32 bytes.
@safe private struct Packet {
    static let leastSize = 32
    /// More bytes than any reply or event has.
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
        // Replies and generic events have a length field.
        let isLong = type == 1 || type & 0x7F == 35
        size = isLong ? 32 + 4 * Int(unsafe start.load(fromByteOffset: 4, as: UInt32.self)) : 32
    }

    /// The low 16 bits of the sequence number of the last request that the server had handled.
    var sequence: UInt16 { uint16(2) }

    var bytes: [UInt8] { unsafe Array(UnsafeRawBufferPointer(start: start, count: size)) }

    func byte(_ at: Int) -> UInt8 { unsafe start.load(fromByteOffset: at, as: UInt8.self) }

    func uint16(_ at: Int) -> UInt16 { unsafe start.load(fromByteOffset: at, as: UInt16.self) }

    func uint32(_ at: Int) -> UInt32 { unsafe start.load(fromByteOffset: at, as: UInt32.self) }

    func id(_ at: Int) -> UInt { UInt(uint32(at)) }

    func fp3232(_ at: Int) -> Double { Double(whole: uint32(at), fraction: uint32(at + 4)) }
}

extension Double {
    /// Decodes a fixed-point number of XInput2 (FP3232): 32 integral and 32 fractional bits.
    @inline(__always)
    init(whole: UInt32, fraction: UInt32) {
        self = Double(Int64(Int32(bitPattern: whole)) << 32 | Int64(fraction)) * 0x1p-32
    }
}
