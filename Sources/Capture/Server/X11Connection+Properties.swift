// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System

/// The atoms of the properties that identify a window's application.
struct WindowAtoms {
    // Predefined atoms of the protocol.
    let name: UInt = 39
    let clientMachine: UInt = 36
    let windowClass: UInt = 67
    let transientFor: UInt = 68
    let string: UInt = 31

    let state: UInt
    let leader: UInt
    let netName: UInt
    let netProcess: UInt
    let utf8: UInt

    /// What a change of a property affects; nil for a property that is never read.
    func property(_ atom: UInt) -> X11Event.Property? {
        switch atom {
        case netName, name: .title
        case windowClass, transientFor, netProcess, clientMachine, leader, state: .identity
        default: nil
        }
    }
}

extension WindowAtoms {
    init(_ display: OpaquePointer) {
        self.init(
            state: unsafe XInternAtom(display, "WM_STATE", 0),
            leader: unsafe XInternAtom(display, "WM_CLIENT_LEADER", 0),
            netName: unsafe XInternAtom(display, "_NET_WM_NAME", 0),
            netProcess: unsafe XInternAtom(display, "_NET_WM_PID", 0),
            utf8: unsafe XInternAtom(display, "UTF8_STRING", 0)
        )
    }
}

extension X11Connection {
    /// The class and instance of a window's own WM_CLASS, at most 128 characters each; nil without
    /// a class.
    func ownClass(of window: UInt) -> (app: ServerText, instance: ServerText)? {
        var hint = unsafe XClassHint()
        guard unsafe XGetClassHint(display, window, &hint) != 0 else { return nil }
        defer {
            if let name = unsafe hint.res_name { unsafe XFree(name) }
            if let name = unsafe hint.res_class { unsafe XFree(name) }
        }
        func text(_ name: UnsafeMutablePointer<CChar>?) -> ServerText {
            guard let name = unsafe name else { return ServerText("") }
            let bytes = unsafe UnsafeRawBufferPointer(start: name, count: strlen(name))
            return unsafe ServerText(Array(bytes), isUTF8: false).prefix(128)
        }
        let app = unsafe text(hint.res_class)
        return app.text.isEmpty ? nil : unsafe (app, text(hint.res_name))
    }

    /// The owner that a window names (WM_TRANSIENT_FOR); nil for none and for a whole group.
    func owner(of window: UInt) -> UInt? {
        word(atoms.transientFor, of: window).flatMap { $0 == 0 || $0 == root ? nil : $0 }
    }

    /// Whether a window manager manages the window (it has WM_STATE).
    func isManaged(_ window: UInt) -> Bool { word(atoms.state, of: window) != nil }

    /// The leader window of the client (WM_CLIENT_LEADER).
    func leader(of window: UInt) -> UInt? { word(atoms.leader, of: window) }

    /// The process id that the window states (_NET_WM_PID).
    func process(of window: UInt) -> Int32? {
        word(atoms.netProcess, of: window).flatMap { Int32(exactly: $0) }
    }

    /// Whether a window states that its program runs on another host (WM_CLIENT_MACHINE).
    func isRemote(_ window: UInt) -> Bool {
        guard let property = read(atoms.clientMachine, of: window), property.isWhole else {
            return false
        }
        let name = CurrentProcess.hostName
        guard !name.isEmpty else { return true }
        func first(_ bytes: some Sequence<UInt8>) -> [UInt8] {
            // Some programs state their host with its domain, others without.
            Array(bytes.prefix { $0 != 0 && $0 != UInt8(ascii: ".") })
        }
        let reported = first(property.bytes)
        return reported != first(name.utf8) && reported != Array("localhost".utf8)
    }

    /// The title of a window: empty if it has none, nil if it is too long or unreadable.
    func title(of window: UInt) -> ServerText? {
        for atom in [atoms.netName, atoms.name] {
            guard let property = read(atom, of: window) else { return nil }
            if property.type != 0 { return text(property) }
        }
        return ServerText("")
    }

    /// A property as the server stores it.
    private struct Property {
        /// The type atom; 0 if the window lacks the property.
        var type: UInt
        /// The bits of one item: 8, 16 or 32; Xlib returns 32-bit items as longs.
        var format: Int32
        var bytes: [UInt8]
        var isWhole: Bool
    }

    /// Maximum bytes of a title.
    private static var maxWords: Int { 16_384 }

    /// Reads a property; nil if the window is gone.
    private func read(_ atom: UInt, of window: UInt, atMost limit: Int = maxWords) -> Property? {
        var (type, count, rest): (UInt, UInt, UInt) = (0, 0, 0)
        var format: Int32 = 0
        var data: UnsafeMutablePointer<UInt8>?
        let status = unsafe XGetWindowProperty(
            display,
            window,
            atom,
            0,
            limit / 4,
            0,
            0,
            &type,
            &format,
            &count,
            &rest,
            &data
        )
        guard status == 0, !isLost else { return nil }
        defer { if let data = unsafe data { unsafe XFree(data) } }
        let size = Int(count) * (format == 32 ? MemoryLayout<UInt>.size : Int(format) / 8)
        let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
        return Property(type: type, format: format, bytes: bytes, isWhole: rest == 0)
    }

    /// The text of a property; nil if it is not text or was truncated.
    private func text(_ property: Property) -> ServerText? {
        guard property.isWhole, property.format == 8 else { return nil }
        switch property.type {
        case atoms.utf8: return ServerText(property.bytes, isUTF8: true)
        case atoms.string: return ServerText(property.bytes, isUTF8: false)
        default: return compoundText(property).map { ServerText($0) }
        }
    }

    /// The first 32-bit value of a property; nil if there is none.
    private func word(_ atom: UInt, of window: UInt) -> UInt? {
        guard let property = read(atom, of: window, atMost: 4), property.format == 32,
            property.bytes.count >= MemoryLayout<UInt>.size
        else { return nil }
        return unsafe property.bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt.self) }
    }

    /// Decodes text in the older encoding of many scripts (COMPOUND_TEXT).
    private func compoundText(_ property: Property) -> String? {
        var bytes = property.bytes + [0]
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer -> String? in
            var text = unsafe XTextProperty(
                value: buffer.baseAddress,
                encoding: property.type,
                format: 8,
                nitems: UInt(buffer.count - 1)
            )
            var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
            var count: Int32 = 0
            let status = unsafe Xutf8TextPropertyToTextList(display, &text, &list, &count)
            defer { if let list = unsafe list { unsafe XFreeStringList(list) } }
            guard status == 0, count > 0, let first = unsafe list?.pointee else { return nil }
            return unsafe String(cString: first)
        }
    }
}
