// SPDX-License-Identifier: Apache-2.0

import CX11
import Glibc
import System

/// The names of the properties that say whose a window is.
struct WindowAtoms {
    // Predefined by the protocol.
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

    /// What a change of a property changes; nil for one that is never read.
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
    /// Both parts of a window's own WM_CLASS; nil when it has no class.
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

    /// The window that this one says it belongs to; nil for none and for a whole group.
    func owner(of window: UInt) -> UInt? {
        word(atoms.transientFor, of: window).flatMap { $0 == 0 || $0 == root ? nil : $0 }
    }

    /// Whether a window manager looks after the window.
    func isManaged(_ window: UInt) -> Bool { word(atoms.state, of: window) != nil }

    /// The window that stands for the whole program.
    func leader(of window: UInt) -> UInt? { word(atoms.leader, of: window) }

    /// The process that a window says it is of.
    func process(of window: UInt) -> Int32? {
        word(atoms.netProcess, of: window).flatMap { Int32(exactly: $0) }
    }

    /// Whether a window says that its program runs on another host.
    func isRemote(_ window: UInt) -> Bool {
        guard let property = read(atoms.clientMachine, of: window), property.isWhole else {
            return false
        }
        let name = CurrentProcess.hostName
        guard !name.isEmpty else { return true }
        func first(_ bytes: some Sequence<UInt8>) -> [UInt8] {
            // Some say their host with its domain and some without.
            Array(bytes.prefix { $0 != 0 && $0 != UInt8(ascii: ".") })
        }
        let reported = first(property.bytes)
        return reported != first(name.utf8) && reported != Array("localhost".utf8)
    }

    /// A window's title: empty where it has none, nil where it is too long or not legible.
    func title(of window: UInt) -> ServerText? {
        for atom in [atoms.netName, atoms.name] {
            guard let property = read(atom, of: window) else { return nil }
            if property.type != 0 { return text(property) }
        }
        return ServerText("")
    }

    /// A property as it stands in the server.
    private struct Property {
        /// 0 where the window has no such property.
        var type: UInt
        /// The bits of one item; Xlib hands 32 of them over as a long.
        var format: Int32
        var bytes: [UInt8]
        var isWhole: Bool
    }

    /// Titles longer than this many bytes are not read.
    private static var longest: Int { 16_384 }

    /// Reads a property; nil when the window is gone.
    private func read(_ atom: UInt, of window: UInt, atMost limit: Int = longest) -> Property? {
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

    /// The text of a property that is text and was read whole.
    private func text(_ property: Property) -> ServerText? {
        guard property.isWhole, property.format == 8 else { return nil }
        switch property.type {
        case atoms.utf8: return ServerText(property.bytes, isUTF8: true)
        case atoms.string: return ServerText(property.bytes, isUTF8: false)
        default: return compoundText(property).map { ServerText($0) }
        }
    }

    /// The first 32-bit value of a property; nil where there is none.
    private func word(_ atom: UInt, of window: UInt) -> UInt? {
        guard let property = read(atom, of: window, atMost: 4), property.format == 32,
            property.bytes.count >= MemoryLayout<UInt>.size
        else { return nil }
        return unsafe property.bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt.self) }
    }

    /// Text in the older encoding of many scripts.
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
