// SPDX-License-Identifier: Apache-2.0

import Events
import Wire

/// All that is asked on the pointer's own connection: what is to be told of there, and what must
/// have its place among the events.
extension EventWire {
    /// Finds the extensions, and says which XInput is spoken.
    ///
    /// - Throws: ``CaptureError`` `unsuitable` without XInput 2.2, or `unreachable`.
    func begin() throws(CaptureError) {
        if let input = find("XInputExtension") {
            (codes.input, codes.mappingEvent) = (input.major, input.event + Self.mapping)
        }
        // XIQueryVersion
        guard codes.input != 0,
            let version = ask(request(codes.input, 47, 2 | 2 << 16)), version.uint16(8) == 2,
            version.uint16(10) >= 2
        else { throw CaptureError(isLost ? .unreachable : .unsuitable) }
        if let shape = find("SHAPE") { (codes.shape, codes.shapeEvent) = shape }
        // RRQueryVersion: it tells of monitors from 1.5 on.
        if let monitors = find("RANDR"),
            let version = ask(request(monitors.major, 0, 1, 5)), version.uint32(8) == 1,
            version.uint32(12) >= 5
        {
            (codes.monitors, codes.monitorEvent) = monitors
        }
        if let resources = find("X-Resource") { codes.resources = resources.major }
    }

    private func find(_ name: String) -> (major: UInt8, event: UInt8)? {
        // QueryExtension
        let length = UInt32(name.utf8.count)
        guard let reply = ask(request(98, 0, length, text: name)), reply[8] != 0 else { return nil }
        return (reply[9], reply[10])
    }

    private func request(
        _ major: UInt8,
        _ minor: UInt8,
        _ body: UInt32...,
        text: String = ""
    ) -> [UInt8] {
        var bytes = [major, minor, 0, 0]
        for word in body { bytes.append(uint32: word) }
        bytes.append(padded: text.utf8)
        bytes[2] = UInt8(bytes.count / 4)
        return bytes
    }

    /// XI_DeviceMappingNotify: the place of the event among those of XInput 1.
    private static let mapping: UInt8 = 11

    // MARK: What is told

    /// Selects events of XInput on the root window (XISelectEvents).
    ///
    /// - Parameters:
    ///   - mask: bit n: the event n.
    ///   - devices: all (0), or all masters (1).
    func selectInput(_ mask: UInt32, devices: UInt32) {
        send(request(codes.input, 46, root, 1, devices | 1 << 16, mask))
        synchronize()
    }

    /// Selects events of a window (ChangeWindowAttributes), and changes of its shape.
    func select(_ mask: UInt32, of window: UInt32) {
        let events = request(2, 0, window, 1 << 11, mask)
        guard codes.shape != 0 else { return send(events) }
        // ShapeSelectInput
        send(events, request(codes.shape, 6, window, 1))
    }

    /// Selects changes of the screen's size (1), its parts (2) and what is plugged in (4)
    /// (RRSelectInput).
    func followMonitors() {
        if codes.monitors != 0 { send(request(codes.monitors, 4, root, 7)) }
        synchronize()
    }

    /// Selects changes of the button maps of devices (SelectExtensionEvent of XInput 1).
    func followButtonMaps(of devices: [UInt8]) {
        for id in devices {
            // The class of an event is its type and its device.
            let wanted = UInt32(id) << 8 | UInt32(codes.mappingEvent)
            send(request(codes.input, 6, root, 1, wanted))
        }
        synchronize()
    }

    // MARK: What has its place

    /// The desktop as it is now; nil where the server does not say.
    func screen() -> ScreenLayout? {
        // GetGeometry
        guard let size = ask(request(14, 0, root)) else { return nil }
        return ScreenLayout(width: size.uint16(16), height: size.uint16(18), monitors: monitors())
    }

    /// The monitors in use, the primary one first; empty where the server tells none (RRGetMonitors).
    private func monitors() -> [ScreenLayout.Monitor] {
        guard codes.monitors != 0, let reply = ask(request(codes.monitors, 42, root, 1)) else {
            return []
        }
        var primary: [ScreenLayout.Monitor] = []
        var others: [ScreenLayout.Monitor] = []
        var at = 32
        for _ in 0..<reply.uint32(12) {
            guard at + 24 <= reply.count else { break }
            let monitor = ScreenLayout.Monitor(
                x: Int16(bitPattern: reply.uint16(at + 8)),
                y: Int16(bitPattern: reply.uint16(at + 10)),
                width: reply.uint16(at + 12),
                height: reply.uint16(at + 14),
                widthMM: UInt16(clamping: reply.uint32(at + 16)),
                heightMM: UInt16(clamping: reply.uint32(at + 20))
            )
            if reply[at + 4] != 0 { primary.append(monitor) } else { others.append(monitor) }
            at += 24 + 4 * Int(reply.uint16(at + 6))
        }
        return primary + others
    }

    /// The process on this host whose connection made a window; nil where the server does not say, or it is
    /// on another host (XResQueryClientIds).
    ///
    /// The kernel told it to the server when the program connected, so that no program can say otherwise.
    func process(of window: UInt32) -> Int32? {
        // One client, and of it the process (2).
        guard codes.resources != 0, let reply = ask(request(codes.resources, 4, 1, window, 2)),
            reply.uint32(8) >= 1, reply.uint32(40) >= 4, reply.uint32(44) > 0
        else { return nil }
        return Int32(exactly: reply.uint32(44))
    }

    /// Where a pointer is, with its fraction of a pixel; nil where the server does not say
    /// (XIQueryDevice).
    ///
    /// XIQueryPointer rounds. The master's first two axes hold what the server goes on counting
    /// from, in the units of the device that moved it last.
    func position(of master: UInt8, on screen: ScreenLayout) -> DeadReckoning.Point? {
        guard let reply = ask(request(codes.input, 48, UInt32(master))), reply.uint16(8) == 1,
            // XIMasterPointer
            reply.uint16(34) == 1
        else { return nil }
        let name = Int(reply.uint16(40))
        var at = 44 + name + (-name & 3)
        var (x, y): (Double?, Double?) = (nil, nil)
        for _ in 0..<reply.uint16(38) {
            guard at + 4 <= reply.count else { break }
            // XIValuatorClass
            if reply.uint16(at) == 2, at + 44 <= reply.count {
                let number = reply.uint16(at + 6)
                let size = number == 0 ? screen.width : screen.height
                let scale = AxisScale(reply.fp3232(at + 12), reply.fp3232(at + 20))
                let value = scale.pixel(reply.fp3232(at + 28), of: size)
                if number == 0 { x = value }
                if number == 1 { y = value }
            }
            at += 4 * max(1, Int(reply.uint16(at + 2)))
        }
        guard let x, let y else { return nil }
        return (x, y)
    }
}

extension [UInt8] {
    /// What is past the end is 0, for an answer as short as that says nothing.
    private func bytes(_ at: Int, _ count: Int) -> UInt64 {
        guard at + count <= self.count else { return 0 }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(self[at + index]) << UInt64(8 * index) }
        return value
    }

    fileprivate func uint16(_ at: Int) -> UInt16 { UInt16(bytes(at, 2)) }

    fileprivate func uint32(_ at: Int) -> UInt32 { UInt32(bytes(at, 4)) }

    fileprivate func fp3232(_ at: Int) -> Double {
        Double(whole: uint32(at), fraction: uint32(at + 4))
    }
}
