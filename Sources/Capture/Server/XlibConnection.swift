// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System
import Wire

/// Xlib's connection to the X server, for queries: it selects no events.
///
/// If the server ends, the connection becomes ``isLost``; the process never ends.
@safe final class XlibConnection {
    let display: OpaquePointer
    private let lost: UnsafeMutablePointer<Bool>

    /// Opens the display of the environment.
    ///
    /// - Throws: ``CaptureError`` `unreachable`, or `unsuitable` without XInput 2.2.
    init() throws(CaptureError) {
        installErrorHandlers()
        guard let display = unsafe XOpenDisplay(nil) else { throw CaptureError(.unreachable) }
        unsafe self.display = display
        unsafe lost = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
        unsafe lost.initialize(to: false)
        unsafe XSetIOErrorExitHandler(display, connectionDidEnd, lost)
        var (major, minor): (Int32, Int32) = (2, 2)
        guard unsafe XIQueryVersion(display, &major, &minor) == 0, major == 2, minor >= 2 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
    }

    deinit {
        // Without this, closing would wait for the server, which may be stuck.
        unsafe shutdown(XConnectionNumber(display), Int32(SHUT_RDWR))
        unsafe XCloseDisplay(display)
        unsafe lost.deallocate()
    }

    /// Whether the connection is lost.
    var isLost: Bool { unsafe lost.pointee }

    /// Whether the server is Xwayland, which sees only the input of X clients.
    var isXWayland: Bool {
        var codes: (Int32, Int32, Int32) = (0, 0, 0)
        return unsafe XQueryExtension(display, "XWAYLAND", &codes.0, &codes.1, &codes.2) != 0
    }

    /// Discards what every client gets without selecting it, such as MappingNotify.
    func discardEvents() {
        guard unsafe XEventsQueued(display, QueuedAlready) > 0 else { return }
        let event = UnsafeMutablePointer<XEvent>.allocate(capacity: 1)
        defer { unsafe event.deallocate() }
        while unsafe XEventsQueued(display, QueuedAlready) > 0 {
            unsafe XNextEvent(display, event)
        }
    }

    /// Opens another connection to the same server; nil if no server answers or it refuses.
    func openSocket() -> WireSocket? {
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
