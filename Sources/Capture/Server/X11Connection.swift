// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System
import Wire

/// One event stream of the X server, and the queries beside it; used by one thread only.
///
/// An ``EventWire`` delivers the events. Most queries go through Xlib, on a connection that selects
/// nothing, which the keyboard's and the pointer's stream share. To order a reply against the
/// events, a request is made on the wire as well, which waits until the server has handled it.
///
/// The files `X11Connection*.swift` are the only ones that call Xlib. Protocol errors (a window that
/// is already gone) show as missing replies.
@safe final class X11Connection {
    /// The purpose of a connection, which decides the XInput version to negotiate.
    enum Role {
        /// XInput 2.0 on the master devices, and XKB.
        case keyboard
        /// XInput 2.2.
        case pointer
    }

    let root: UInt
    /// The atoms of the properties that are read.
    let atoms: WindowAtoms
    /// The event stream.
    let wire: EventWire
    /// The event masks selected, by window.
    private var selected: [UInt: Int] = [:]
    private let xlib: XlibConnection

    /// Opens a stream.
    ///
    /// - Parameters:
    ///   - xlib: The connection for queries, to the same server.
    ///   - role: The purpose.
    /// - Throws: ``CaptureError`` `unreachable` or `unsuitable`.
    init(_ xlib: XlibConnection, role: Role) throws(CaptureError) {
        self.xlib = xlib
        atoms = unsafe WindowAtoms(xlib.display)
        root = unsafe XDefaultRootWindow(xlib.display)
        guard let socket = xlib.openSocket() else { throw CaptureError(.unreachable) }
        let root = UInt32(truncatingIfNeeded: root)
        switch role {
        case .keyboard:
            // Nobody types more than some kilobytes between two drains.
            wire = EventWire(socket, root: root, atoms, room: 64 * 1024)
            try wire.beginKeyboard()
        case .pointer:
            wire = EventWire(socket, root: root, atoms)
            try wire.beginPointer()
        }
    }

    /// Opens a stream of the display of the environment, with queries of its own.
    ///
    /// - Parameter role: The purpose.
    /// - Throws: ``CaptureError`` `unreachable` or `unsuitable`.
    convenience init(role: Role) throws(CaptureError) {
        try self.init(XlibConnection(), role: role)
    }

    /// The number that the server gives to a name.
    func atom(_ name: String) -> UInt32 {
        UInt32(truncatingIfNeeded: unsafe XInternAtom(display, name, 0))
    }

    /// Xlib's connection.
    var display: OpaquePointer { unsafe xlib.display }

    /// Selects events of a window in addition to those selected; returns all.
    func select(_ mask: Int, of window: UInt) -> Int {
        // A selection replaces the previous one.
        let mask = mask | (selected[window] ?? 0)
        selected[window] = mask
        return mask
    }

    /// Forgets a destroyed window, whose id may be reused.
    func forget(_ window: UInt) { selected[window] = nil }

    /// Whether the connection is lost, after which nothing can be queried.
    var isLost: Bool { wire.isLost || xlib.isLost }

    /// The file descriptor that becomes readable when events arrive.
    var descriptor: Int32 { wire.descriptor }

    /// Asks the server through Xlib, and dates the answer by the positions of the stream before and
    /// after it.
    func dated<Value>(_ ask: () -> Value) -> Dated<Value> {
        // Events with this serial or a later one may be newer than the query.
        let asked = wire.synchronize()
        let value = ask()
        // Events with this serial or a later one are newer than the reply.
        return Dated(value, asked: asked, validFrom: wire.synchronize())
    }

    /// Asks again after changes of the answer were selected.
    ///
    /// - Parameters:
    ///   - first: The answer before.
    ///   - ask: Asks for it; nil if there is none.
    /// - Returns: The answer, certain from before this question on; nil if it has changed.
    func confirmed<Value: Equatable>(_ first: Value, _ ask: () -> Value?) -> Dated<Value>? {
        let asked = wire.synchronize()
        return ask() == first ? Dated(first, at: asked) : nil
    }

    /// Waits until the server has handled all requests of the stream.
    func synchronize() { wire.synchronize() }

    /// Reads what has arrived, without waiting.
    ///
    /// - Returns: The number of events that can be taken.
    func readArrived() -> Int {
        guard !isLost else { return 0 }
        xlib.discardEvents()
        return wire.readArrived()
    }

    /// Whether all events read were taken.
    var isQueueEmpty: Bool { isLost || wire.unread == 0 }

    /// Selects XInput2 events on the root window.
    ///
    /// - Parameters:
    ///   - types: The XInput2 event types.
    ///   - devices: XIAllDevices or XIAllMasterDevices.
    func selectInput(_ types: [Int32], devices: Int32) {
        wire.selectInput(types.reduce(0) { $0 | 1 << UInt32($1) }, devices: UInt32(devices))
    }
}
