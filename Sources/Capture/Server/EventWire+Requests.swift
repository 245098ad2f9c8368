// SPDX-License-Identifier: Apache-2.0

import Events
import Wire

/// The requests on a stream's own connection: selections, and queries whose reply must be ordered
/// against its events.
extension EventWire {
    /// Finds the extensions for the pointer and negotiates the version of XInput.
    ///
    /// - Throws: ``CaptureError`` `unsuitable` without XInput 2.2, or `unreachable`.
    func beginPointer() throws(CaptureError) {
        // Clients of 2.2 get buttons and motions also during implicit grabs.
        guard findInput(minor: 2) >= 2 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        if let shape = find("SHAPE") { (codes.shape, codes.shapeEvent) = shape }
        findMonitors()
    }

    /// Finds the extension that names monitors.
    func findMonitors() {
        // RRQueryVersion: monitors exist from RandR 1.5 on.
        if let monitors = find("RANDR"),
            let version = ask(request(monitors.major, 0, 1, 5)), version.uint32(at: 8) == 1,
            let minor = version.uint32(at: 12), minor >= 5
        {
            (codes.monitors, codes.monitorEvent) = monitors
        }
    }

    /// Negotiates the version of XInput 2.
    ///
    /// - Parameter minor: The wanted minor version.
    /// - Returns: The minor version that the server grants; -1 without XInput 2.
    func findInput(minor: UInt32) -> Int {
        if let input = find("XInputExtension") {
            // A hostile server may send any code: one that wraps around matches no event.
            (codes.input, codes.mappingEvent) = (input.major, input.event &+ Self.mapping)
        }
        // XIQueryVersion
        guard codes.input != 0, let version = ask(request(codes.input, 47, 2 | minor << 16)),
            version.uint16(at: 8) == 2, let minor = version.uint16(at: 10)
        else { return -1 }
        return Int(minor)
    }

    func find(_ name: String) -> (major: UInt8, event: UInt8)? {
        // QueryExtension
        let length = UInt32(name.utf8.count)
        guard let reply = ask(request(98, 0, length, text: name)),
            let isPresent = reply.byte(at: 8), isPresent != 0,
            let major = reply.byte(at: 9), let event = reply.byte(at: 10)
        else { return nil }
        return (major, event)
    }

    func request(
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

    /// The offset of XI_DeviceMappingNotify from the first event code of XInput 1.
    private static let mapping: UInt8 = 11

    // MARK: Selections

    /// Selects XInput2 events on the root window (XISelectEvents).
    ///
    /// - Parameters:
    ///   - mask: A bit mask; bit n selects event type n.
    ///   - devices: All devices (0), or all master devices (1).
    func selectInput(_ mask: UInt32, devices: UInt32) {
        send(request(codes.input, 46, root, 1, devices | 1 << 16, mask))
        synchronize()
    }

    /// Selects events of a window (ChangeWindowAttributes) and changes of its shape.
    func select(_ mask: UInt32, of window: UInt32) {
        let events = request(2, 0, window, 1 << 11, mask)
        guard codes.shape != 0 else { return send(events) }
        // ShapeSelectInput
        send(events, request(codes.shape, 6, window, 1))
    }

    /// Selects changes of screen size (1), CRTCs (2) and outputs (4) (RRSelectInput).
    func followMonitors() {
        if codes.monitors != 0 { send(request(codes.monitors, 4, root, 7)) }
        synchronize()
    }

    /// Selects changes of the button maps of devices (SelectExtensionEvent of XInput 1).
    func followButtonMaps(of devices: [UInt8]) {
        for id in devices {
            // An XInput 1 event class consists of the event code and the device id.
            let wanted = UInt32(id) << 8 | UInt32(codes.mappingEvent)
            send(request(codes.input, 6, root, 1, wanted))
        }
        synchronize()
    }

    // MARK: Ordered queries

    /// The current desktop layout; nil if the server does not report it.
    func screen() -> ScreenLayout? {
        // GetGeometry
        guard let size = ask(request(14, 0, root)), let width = size.uint16(at: 16),
            let height = size.uint16(at: 18), let monitors = monitors()
        else { return nil }
        return ScreenLayout(width: width, height: height, monitors: monitors)
    }

    /// The active monitors, the primary one first; empty if the server reports none, nil if its
    /// reply is too short (RRGetMonitors).
    private func monitors() -> [ScreenLayout.Monitor]? {
        guard codes.monitors != 0, let reply = ask(request(codes.monitors, 42, root, 1)) else {
            return []
        }
        var primary: [ScreenLayout.Monitor] = []
        var others: [ScreenLayout.Monitor] = []
        var at = 32
        guard let count = reply.uint32(at: 12) else { return nil }
        for _ in 0..<count {
            guard let isPrimary = reply.byte(at: at + 4), let outputs = reply.uint16(at: at + 6),
                let x = reply.int16(at: at + 8), let y = reply.int16(at: at + 10),
                let width = reply.uint16(at: at + 12), let height = reply.uint16(at: at + 14),
                let widthMM = reply.uint32(at: at + 16), let heightMM = reply.uint32(at: at + 20)
            else { return nil }
            let monitor = ScreenLayout.Monitor(
                x: x,
                y: y,
                width: width,
                height: height,
                widthMM: UInt16(clamping: widthMM),
                heightMM: UInt16(clamping: heightMM)
            )
            if isPrimary != 0 { primary.append(monitor) } else { others.append(monitor) }
            at += 24 + 4 * Int(outputs)
        }
        return primary + others
    }

    /// A pointer's position with its fraction (XIQueryDevice); nil if the server does not report
    /// it.
    ///
    /// XIQueryPointer rounds. The master's first two valuators hold the exact position, in the
    /// units of the device that moved it last.
    func position(of master: UInt8, on screen: ScreenLayout) -> DeadReckoning.Point? {
        guard let reply = ask(request(codes.input, 48, UInt32(master))), reply.uint16(at: 8) == 1,
            // XIMasterPointer
            reply.uint16(at: 34) == 1, let classes = reply.uint16(at: 38),
            let name = reply.uint16(at: 40).map({ Int($0) })
        else { return nil }
        var at = 44 + name + (-name & 3)
        var (x, y): (Double?, Double?) = (nil, nil)
        for _ in 0..<classes {
            guard let kind = reply.uint16(at: at), let words = reply.uint16(at: at + 2) else {
                return nil
            }
            // XIValuatorClass
            if kind == 2 {
                guard let number = reply.uint16(at: at + 6), let least = reply.fp3232(at: at + 12),
                    let most = reply.fp3232(at: at + 20), let position = reply.fp3232(at: at + 28)
                else { return nil }
                let size = number == 0 ? screen.width : screen.height
                let value = AxisScale(least, most).pixel(position, of: size)
                if number == 0 { x = value }
                if number == 1 { y = value }
            }
            at += 4 * max(1, Int(words))
        }
        guard let x, let y else { return nil }
        return (x, y)
    }
}

extension WireReader {
    /// The number in XInput2's fixed-point format at an offset; nil past the end.
    fileprivate func fp3232(at offset: Int) -> Double? {
        guard let whole = uint32(at: offset), let fraction = uint32(at: offset + 4) else {
            return nil
        }
        return Double(whole: whole, fraction: fraction)
    }
}
