// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System
import Wire

/// One connection to the X server, owned by one thread.
///
/// The pointer's is a pair: what is told comes on an ``EventWire``, and most is asked through Xlib,
/// which is told nothing. A place among the events that belongs to an answer is then found by asking
/// on the wire as well, which waits until the server has come there.
///
/// The files `X11Connection*.swift` are the only ones that call Xlib. A server that ends makes the
/// connection ``isLost`` and never ends the process; protocol errors (a window that is already
/// gone) show as absent answers.
@safe final class X11Connection {
    /// What the connection is for, which decides the XInput version it negotiates.
    enum Role {
        /// XInput 2.0 on the master devices: the server withholds raw keys while another client
        /// holds a keyboard grab, which it does for a 2.0 client only.
        case keyboard
        /// XInput 2.2: buttons and motion also during implicit grabs.
        case pointer
    }

    let display: OpaquePointer
    let root: UInt
    /// The major opcode of XInput, which marks its events.
    let inputOpcode: Int32
    /// The names of the properties that are read.
    let atoms: WindowAtoms
    /// The event code that all XKB events share.
    var keyboardEventCode: Int32 = -1
    /// Where the pointer's events come.
    private(set) var wire: EventWire?
    /// What is to be told of each window, where that is told to Xlib.
    var selected: [UInt: Int] = [:]
    /// Who can tell whose connection made a window.
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

    /// Another connection to the same server; nil where it does not answer or lets nobody in.
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
        // A server in a container calls its socket by a name that may be another one here.
        return WireSocket(beside: connection, cookie: cookie)
            ?? WireSocket(name.socket, cookie: cookie)
    }

    deinit {
        // Without this, closing would wait for an answer of the server, which may be stuck.
        unsafe shutdown(XConnectionNumber(display), Int32(SHUT_RDWR))
        unsafe XCloseDisplay(display)
        // The event buffer held raw input.
        unsafe UnsafeMutableRawPointer(event).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: MemoryLayout<XEvent>.size
        )
        unsafe event.deallocate()
        unsafe lost.deallocate()
    }

    /// A window is gone, and its number may be another's.
    func forget(_ window: UInt) { selected[window] = nil }

    /// Whether the server has gone; nothing more can be asked then.
    var isLost: Bool { unsafe lost.pointee || wire?.isLost ?? false }

    /// Where events come.
    var descriptor: Int32 { unsafe wire?.descriptor ?? XConnectionNumber(display) }

    /// Whether the server is XWayland, which sees only the input of X clients.
    var isXWayland: Bool {
        var codes: (Int32, Int32, Int32) = (0, 0, 0)
        return unsafe XQueryExtension(display, "XWAYLAND", &codes.0, &codes.1, &codes.2) != 0
    }

    /// The number that the next request among the events will have: what is told from behind it on has
    /// no smaller one.
    var nextRequest: UInt { unsafe wire?.nextRequest ?? XNextRequest(display) }

    /// The place in the stream before what is asked next: what is told behind it may have happened
    /// since.
    var serialBeforeQuery: UInt { wire?.synchronize() ?? nextRequest }

    /// The place in the stream behind the last answer: what is told behind it happened since.
    var serialAfterReply: UInt { wire?.synchronize() ?? nextRequest - 1 }

    /// Sends what is buffered and waits until the server has handled it.
    func synchronize() {
        unsafe XSync(display, 0)
        wire?.synchronize()
    }

    /// Selects XInput2 events on the root window.
    ///
    /// - Parameters:
    ///   - types: the XI event numbers.
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

/// Xlib's handlers are process-wide and the default ones end the process.
private func installErrorHandlers() {
    // Protocol errors: answers are checked where they are read.
    _ = unsafe XSetErrorHandler { _, _ in 0 }
    // The end of a connection: the per-display handler below marks it.
    _ = unsafe XSetIOErrorHandler { _ in 0 }
}

private func connectionDidEnd(_ display: OpaquePointer?, _ flag: UnsafeMutableRawPointer?) {
    unsafe flag?.storeBytes(of: true, as: Bool.self)
}
