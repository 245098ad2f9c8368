// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing
import Wire

/// A private X server with nobody in front of it.
class Desktop {
    let process: Process
    let display: String

    /// Starts Xvfb on a free display, or on a given one.
    convenience init(display wanted: String? = nil) throws {
        try self.init(server: "Xvfb", ["-noreset", "-nolisten", "tcp", "-ac"], display: wanted)
    }

    /// Starts a server on a free display, or on a given one, and waits until it answers.
    init(server: String, _ options: [String], display wanted: String? = nil) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path(server)))
        let pipe = Pipe()
        process.arguments = (wanted.map { [$0] } ?? []) + ["-displayfd", "1"] + options
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        var text = ""
        while !text.contains("\n") {
            let data = pipe.fileHandleForReading.availableData
            try #require(!data.isEmpty, "\(server) ended before it told its display.")
            text += String(decoding: data, as: UTF8.self)
        }
        display = ":" + text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Ends the server at once.
    func stop() {
        process.end()
    }

    deinit { stop() }
}

/// A hand on a private desktop: types, moves, opens windows and grabs, through XTEST.
final class Hand {
    private typealias Key = @convention(c) (OpaquePointer?, UInt32, Int32, UInt) -> Int32
    private typealias Move = @convention(c) (OpaquePointer?, Int32, Int32, UInt) -> Int32

    let display: OpaquePointer
    private let fakeKey: Key
    private let fakeButton: Key
    private let fakeMove: Move

    init(_ desktop: Desktop) throws {
        _ = XInitThreads()
        _ = XSetErrorHandler { _, _ in 0 }
        _ = XSetIOErrorHandler { _ in 0 }
        var opened: OpaquePointer?
        _ = eventually {
            opened = XOpenDisplay(desktop.display)
            return opened != nil
        }
        display = try #require(opened)
        XSetIOErrorExitHandler(display, { _, _ in }, nil)
        // By name, so that no header is needed to build.
        let library = try #require(dlopen("libXtst.so.6", RTLD_NOW))
        fakeKey = unsafeBitCast(try #require(dlsym(library, "XTestFakeKeyEvent")), to: Key.self)
        fakeButton = unsafeBitCast(
            try #require(dlsym(library, "XTestFakeButtonEvent")),
            to: Key.self
        )
        fakeMove = unsafeBitCast(
            try #require(dlsym(library, "XTestFakeRelativeMotionEvent")),
            to: Move.self
        )
    }

    deinit { XCloseDisplay(display) }

    func flush() { XSync(display, 0) }

    /// Opens a window of an application, the whole screen where it is wide, and gives it the focus.
    @discardableResult
    func openWindow(app: String, isWide: Bool = false) -> UInt {
        let root = XDefaultRootWindow(display)
        let window =
            isWide
            ? XCreateSimpleWindow(display, root, 0, 0, 4096, 4096, 0, 0, 0xFFFFFF)
            : XCreateSimpleWindow(display, root, 10, 10, 200, 100, 0, 0, 0xFFFFFF)
        app.withCString { name in
            var hint = XClassHint()
            hint.res_name = UnsafeMutablePointer(mutating: name)
            hint.res_class = UnsafeMutablePointer(mutating: name)
            XSetClassHint(display, window, &hint)
        }
        XMapWindow(display, window)
        flush()
        focus(window)
        return window
    }

    func focus(_ window: UInt) {
        // A window can take the focus once it is viewable, which without a window manager is at once.
        XSetInputFocus(display, window, RevertToParent, 0)
        flush()
    }

    func close(_ window: UInt) {
        XDestroyWindow(display, window)
        flush()
    }

    func keycode(_ name: String) -> UInt32 {
        UInt32(XKeysymToKeycode(display, XStringToKeysym(name)))
    }

    func key(_ name: String, down: Bool) {
        _ = fakeKey(display, keycode(name), down ? 1 : 0, 0)
        XFlush(display)
    }

    /// Presses or releases a key by its number, whatever the layout makes of it.
    func key(code: UInt32, down: Bool) {
        _ = fakeKey(display, code, down ? 1 : 0, 0)
    }

    /// Presses and releases one key after the other.
    func type(_ names: [String], every microseconds: UInt32 = 0) {
        for name in names {
            key(name, down: true)
            key(name, down: false)
            if microseconds > 0 { usleep(microseconds) }
        }
        flush()
    }

    /// Types lower-case letters and spaces.
    func type(text: String, every microseconds: UInt32 = 0) {
        type(text.map { $0 == " " ? "space" : String($0) }, every: microseconds)
    }

    func move(dx: Int32, dy: Int32) {
        _ = fakeMove(display, dx, dy, 0)
        XFlush(display)
    }

    func button(_ number: UInt32, down: Bool) {
        _ = fakeButton(display, number, down ? 1 : 0, 0)
        XFlush(display)
    }

    // MARK: Grabs

    /// Grabs the keyboard as an askpass does.
    func grabKeyboard() -> Bool {
        let root = XDefaultRootWindow(display)
        let result = XGrabKeyboard(display, root, 0, GrabModeAsync, GrabModeAsync, 0)
        flush()
        return result == GrabSuccess
    }

    func ungrabKeyboard() {
        XUngrabKeyboard(display, 0)
        flush()
    }

    /// Grabs the master keyboard through XInput2, as GTK 3 and Qt do.
    func grabDevice() -> Bool {
        var (major, minor): (Int32, Int32) = (2, 3)
        XIQueryVersion(display, &major, &minor)
        var bits: [UInt8] = [0, 0, 0, 0]
        bits[0] = 1 << UInt8(XI_KeyPress)
        let result = bits.withUnsafeMutableBufferPointer { bits in
            var mask = XIEventMask(deviceid: masterKeyboard, mask_len: 4, mask: bits.baseAddress)
            return XIGrabDevice(
                display,
                masterKeyboard,
                XDefaultRootWindow(display),
                0,
                0,
                GrabModeAsync,
                GrabModeAsync,
                0,
                &mask
            )
        }
        flush()
        return result == GrabSuccess
    }

    func ungrabDevice() {
        XIUngrabDevice(display, masterKeyboard, 0)
        flush()
    }

    /// The id of the virtual core keyboard.
    private let masterKeyboard: Int32 = 3
}

extension Desktop {
    /// Takes all of a window's shape of input away, as click-through overlays do.
    func letInputThrough(_ window: UInt) throws {
        let socket = try #require(
            WireSocket("/tmp/.X11-unix/X\(display.dropFirst())", cookie: nil)
        )
        // QueryExtension
        #expect(socket.send([98, 0, 4, 0, 5, 0, 0, 0] + Array("SHAPE".utf8) + [0, 0, 0]))
        let major = try #require(socket.receive(32))[9]
        let id = (0..<4).map { UInt8(truncatingIfNeeded: window >> (8 * UInt($0))) }
        // ShapeRectangles: set the input shape to none.
        #expect(socket.send([major, 1, 4, 0, 0, 2, 0, 0] + id + [0, 0, 0, 0]))
        // GetInputFocus
        #expect(socket.send([43, 0, 1, 0]))
        _ = try #require(socket.receive(32))
    }
}
