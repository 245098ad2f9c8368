// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc

/// One connection to the X server, owned by one thread.
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
    /// The type of the events of ``followShapes()``; no event's before.
    private(set) var shapeEventCode: Int32 = -1
    var keyboardMap: XkbDescPtr?
    /// What tells of monitors; nil where nothing does.
    var monitors: MonitorLibrary?

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
    }

    deinit {
        if let map = unsafe keyboardMap { unsafe XkbFreeKeyboard(map, 0, 1) }
        // Without this, closing would wait for an answer of the server, which may be stuck.
        shutdown(descriptor, Int32(SHUT_RDWR))
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

    /// Whether the server has gone; nothing more can be asked then.
    var isLost: Bool { unsafe lost.pointee }

    var descriptor: Int32 { unsafe XConnectionNumber(display) }

    /// Whether the server is XWayland, which sees only the input of X clients.
    var isXWayland: Bool {
        var codes: (Int32, Int32, Int32) = (0, 0, 0)
        return unsafe XQueryExtension(display, "XWAYLAND", &codes.0, &codes.1, &codes.2) != 0
    }

    /// Also tells when windows that are watched change their shape, which decides where they are hit.
    func followShapes() {
        var (event, error): (Int32, Int32) = (0, 0)
        guard unsafe XShapeQueryExtension(display, &event, &error) != 0 else { return }
        shapeEventCode = event + ShapeNotify
    }

    /// The serial number of the last request: what the server sends behind its answer has no smaller
    /// one.
    var lastRequest: UInt { nextRequest - 1 }

    /// The serial number that the next request will have.
    var nextRequest: UInt { unsafe XNextRequest(display) }

    /// Sends what is buffered and waits until the server has handled it.
    func synchronize() {
        unsafe XSync(display, 0)
    }

    /// Selects XInput2 events on the root window.
    ///
    /// - Parameters:
    ///   - types: the XI event numbers.
    ///   - devices: XIAllDevices or XIAllMasterDevices.
    func selectInput(_ types: [Int32], devices: Int32) {
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
