// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System
import Wire

/// One connection to the X server, used by one thread only.
///
/// The pointer's is a pair: an ``EventWire`` delivers events, and most queries go through Xlib, on
/// a connection that selects nothing. To order a reply against the events, a request is made on the
/// wire as well, which waits until the server has handled it.
///
/// The files `X11Connection*.swift` are the only ones that call Xlib. If the server ends, the
/// connection becomes ``isLost``; the process never ends. Protocol errors (a window that is already
/// gone) show as missing replies.
@safe final class X11Connection {
    /// The purpose of a connection, which decides the XInput version to negotiate.
    enum Role {
        /// XInput 2.0 on the master devices.
        ///
        /// The server withholds raw keys while another client holds a keyboard grab, for 2.0
        /// clients only.
        case keyboard
        /// XInput 2.2: buttons and motions also during implicit grabs.
        case pointer
    }

    let display: OpaquePointer
    let root: UInt
    /// The major opcode of XInput, which identifies its events.
    let inputOpcode: Int32
    /// The atoms of the properties that are read.
    let atoms: WindowAtoms
    /// The event code shared by all XKB events.
    var keyboardEventCode: Int32 = -1
    /// The pointer's event stream; nil for the keyboard.
    private(set) var wire: EventWire?
    /// The event masks selected through Xlib, by window.
    var selected: [UInt: Int] = [:]
    /// The connection that can query which process owns a window.
    var processes: EventWire?

    let event: UnsafeMutablePointer<XEvent>
    private let lost: UnsafeMutablePointer<Bool>

    /// Opens the display of the environment.
    ///
    /// - Throws: ``CaptureError`` `unreachable` or `unsuitable`.
    init(role: Role) throws(CaptureError) {
        installErrorHandlers()
        guard let display = unsafe XOpenDisplay(nil) else { throw CaptureError(.unreachable) }
        unsafe self.display = display
        unsafe lost = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
        unsafe lost.initialize(to: false)
        unsafe event = UnsafeMutablePointer<XEvent>.allocate(capacity: 1)
        unsafe event.initialize(to: XEvent())
        root = unsafe XDefaultRootWindow(display)
        unsafe XSetIOErrorExitHandler(display, connectionDidEnd, lost)

        atoms = unsafe WindowAtoms(display)

        var opcode: Int32 = 0
        var firstEvent: Int32 = 0
        var firstError: Int32 = 0
        let found = unsafe XQueryExtension(
            display,
            "XInputExtension",
            &opcode,
            &firstEvent,
            &firstError
        )
        inputOpcode = opcode
        let wanted: (major: Int32, minor: Int32) = role == .keyboard ? (2, 0) : (2, 2)
        var (major, minor) = wanted
        guard found != 0,
            unsafe XIQueryVersion(display, &major, &minor) == 0,
            major == wanted.major,
            role == .keyboard ? minor == 0 : minor >= 2
        else { throw CaptureError(isLost ? .unreachable : .unsuitable) }
        unsafe mci_read_input_events(display, opcode)
        guard role == .pointer else { return }
        guard let socket = openSocket() else { throw CaptureError(.unreachable) }
        let wire = EventWire(socket, root: UInt32(truncatingIfNeeded: root), atoms)
        self.wire = wire
        try wire.begin()
    }

    /// Opens another connection to the same server; nil if no server answers or it refuses.
    private func openSocket() -> WireSocket? {
        func value(_ name: String) -> String? {
            unsafe getenv(name).map { unsafe String(cString: $0) }
        }
        let (host, connection) = (CurrentProcess.hostName, unsafe XConnectionNumber(display))
        guard let name = value("DISPLAY").flatMap({ DisplayName($0, ownHost: host) }) else {
            return WireSocket(beside: connection, cookie: nil)
        }
        let folders = ["HOME": value("HOME"), "XAUTHORITY": value("XAUTHORITY")]
        let cookie = XAuthority.cookie(
            for: name.number,
            host: host,
            environment: folders.compactMapValues(\.self)
        )
        // A server in a container may report a socket name that means something else here.
        return WireSocket(beside: connection, cookie: cookie)
            ?? WireSocket(name.socket, cookie: cookie)
    }

    deinit {
        // Without this, closing would wait for the server, which may be stuck.
        unsafe shutdown(XConnectionNumber(display), Int32(SHUT_RDWR))
        unsafe XCloseDisplay(display)
        // The event buffer contained raw input.
        unsafe UnsafeMutableRawPointer(event).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: MemoryLayout<XEvent>.size
        )
        unsafe event.deallocate()
        unsafe lost.deallocate()
    }

    /// Forgets a destroyed window, whose id may be reused.
    func forget(_ window: UInt) { selected[window] = nil }

    /// Whether the connection is lost, after which nothing can be queried.
    var isLost: Bool { unsafe lost.pointee || wire?.isLost ?? false }

    /// The file descriptor that becomes readable when events arrive.
    var descriptor: Int32 { unsafe wire?.descriptor ?? XConnectionNumber(display) }

    /// Whether the server is Xwayland, which sees only the input of X clients.
    var isXWayland: Bool {
        var codes: (Int32, Int32, Int32) = (0, 0, 0)
        return unsafe XQueryExtension(display, "XWAYLAND", &codes.0, &codes.1, &codes.2) != 0
    }

    /// The sequence number of the next request on the event connection.
    ///
    /// Events after that request have this serial or a larger one.
    var nextRequest: UInt { unsafe wire?.nextRequest ?? XNextRequest(display) }

    /// The serial before the next query: events with it or a larger one may be newer than the
    /// query.
    var serialBeforeQuery: UInt { wire?.synchronize() ?? nextRequest }

    /// The serial after the last reply: events with it or a larger one are newer than the reply.
    var serialAfterReply: UInt { wire?.synchronize() ?? nextRequest - 1 }

    /// Sends buffered requests and waits until the server has handled them.
    func synchronize() {
        unsafe XSync(display, 0)
        wire?.synchronize()
    }

    /// Selects XInput2 events on the root window.
    ///
    /// - Parameters:
    ///   - types: The XInput2 event types.
    ///   - devices: XIAllDevices or XIAllMasterDevices.
    func selectInput(_ types: [Int32], devices: Int32) {
        if let wire {
            let mask: UInt32 = types.reduce(0) { $0 | 1 << UInt32($1) }
            return wire.selectInput(mask, devices: UInt32(devices))
        }
        var bits = [UInt8](repeating: 0, count: 4)
        for type in types { bits[Int(type) / 8] |= 1 << (type % 8) }
        unsafe bits.withUnsafeMutableBufferPointer { bits in
            var mask = unsafe XIEventMask(
                deviceid: devices,
                mask_len: Int32(bits.count),
                mask: bits.baseAddress
            )
            _ = unsafe XISelectEvents(display, root, &mask, 1)
        }
    }
}

/// Replaces Xlib's process-wide handlers, whose defaults end the process.
private func installErrorHandlers() {
    // Protocol errors: replies are checked where they are read.
    _ = unsafe XSetErrorHandler { _, _ in 0 }
    // End of a connection: the handler of each display records it.
    _ = unsafe XSetIOErrorHandler { _ in 0 }
}

private func connectionDidEnd(_ display: OpaquePointer?, _ flag: UnsafeMutableRawPointer?) {
    unsafe flag?.storeBytes(of: true, as: Bool.self)
}
