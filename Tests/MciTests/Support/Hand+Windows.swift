// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

/// A window as a test wants it.
struct WindowPlan {
    var app = ""
    var instance: String?
    var title: String?
    var frame = (x: Int32(10), y: Int32(10), width: UInt32(200), height: UInt32(100))
    /// Whether window managers leave it alone, as a menu.
    var isPopup = false
    var owner: UInt?
    var parent: UInt?
}

extension Hand {
    var root: UInt { XDefaultRootWindow(display) }

    /// Starts a window manager, which puts windows into frames.
    func startManager(of desktop: Desktop) throws -> Process {
        let manager = Process()
        manager.executableURL = URL(
            fileURLWithPath: try #require(Program.path("openbox"), "Use: make test")
        )
        manager.environment = ["DISPLAY": desktop.display, "HOME": "/nonexistent"]
        manager.standardError = FileHandle.nullDevice
        manager.standardOutput = FileHandle.nullDevice
        try manager.run()
        // It overlooks windows that are opened while it starts.
        let isReady = eventually {
            let probe = open(WindowPlan(app: "Probe"))
            defer { close(probe) }
            return eventually(within: 0.3) { isManaged(probe) }
        }
        try #require(isReady)
        return manager
    }

    /// Lets a window take touches, as most programs do.
    func selectTouches(_ window: UInt) {
        var (major, minor): (Int32, Int32) = (2, 2)
        XIQueryVersion(display, &major, &minor)
        var bits = [UInt8](repeating: 0, count: 4)
        for type in XI_TouchBegin...XI_TouchEnd { bits[Int(type) / 8] |= 1 << (type % 8) }
        bits.withUnsafeMutableBufferPointer {
            var mask = XIEventMask(deviceid: XIAllMasterDevices, mask_len: 4, mask: $0.baseAddress)
            XISelectEvents(display, window, &mask, 1)
        }
        flush()
    }

    /// Opens a window, which gets no focus by that.
    func open(_ plan: WindowPlan) -> UInt {
        var attributes = XSetWindowAttributes()
        attributes.override_redirect = plan.isPopup ? 1 : 0
        attributes.event_mask = FocusChangeMask
        let window = XCreateWindow(
            display,
            plan.parent ?? root,
            plan.frame.x,
            plan.frame.y,
            plan.frame.width,
            plan.frame.height,
            0,
            0,
            UInt32(InputOutput),
            nil,
            UInt(CWOverrideRedirect | CWEventMask),
            &attributes
        )
        if !plan.app.isEmpty { setClass(window, plan.app, plan.instance ?? plan.app) }
        if let title = plan.title { setTitle(window, title) }
        if let owner = plan.owner { XSetTransientForHint(display, window, owner) }
        XMapRaised(display, window)
        flush()
        return window
    }

    func setClass(_ window: UInt, _ app: String, _ instance: String) {
        app.withCString { app in
            instance.withCString { instance in
                var hint = XClassHint()
                hint.res_name = UnsafeMutablePointer(mutating: instance)
                hint.res_class = UnsafeMutablePointer(mutating: app)
                XSetClassHint(display, window, &hint)
            }
        }
    }

    /// Names a window, in UTF-8 or the old way.
    func setTitle(_ window: UInt, _ title: String, old: Bool = false) {
        if old {
            XStoreName(display, window, title)
        } else {
            let bytes = Array(title.utf8)
            let name = XInternAtom(display, "_NET_WM_NAME", 0)
            let type = XInternAtom(display, "UTF8_STRING", 0)
            XChangeProperty(display, window, name, type, 8, 0, bytes, Int32(bytes.count))
        }
        flush()
    }

    func setNumber(_ window: UInt, _ name: String, _ value: UInt) {
        var value = value
        withUnsafeBytes(of: &value) { bytes in
            let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let atom = XInternAtom(display, name, 0)
            XChangeProperty(display, window, atom, 6, 32, 0, data, 1)
        }
        flush()
    }

    func raise(_ window: UInt) {
        XRaiseWindow(display, window)
        flush()
    }

    func place(_ window: UInt, x: Int32, y: Int32) {
        XMoveWindow(display, window, x, y)
        flush()
    }

    /// Takes a window away from the screen; it can be mapped again.
    func unmap(_ window: UInt) {
        XUnmapWindow(display, window)
        flush()
    }

    func map(_ window: UInt) {
        XMapRaised(display, window)
        flush()
    }

    var focused: UInt {
        var window: UInt = 0
        var revert: Int32 = 0
        XGetInputFocus(display, &window, &revert)
        return window
    }

    /// Where the pointer is on the screen.
    var pointer: (x: Int32, y: Int32) {
        var (root, child): (UInt, UInt) = (0, 0)
        var place: (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        var state: UInt32 = 0
        XQueryPointer(
            display,
            self.root,
            &root,
            &child,
            &place.0,
            &place.1,
            &place.2,
            &place.3,
            &state
        )
        return (place.0, place.1)
    }

    /// Moves the pointer to a place with a single movement.
    func move(toX x: Int32, y: Int32) {
        let now = pointer
        move(dx: x - now.x, dy: y - now.y)
        flush()
    }

    /// Where a window is on the screen.
    func origin(of window: UInt) -> (x: Int32, y: Int32) {
        var child: UInt = 0
        var place: (Int32, Int32) = (0, 0)
        XTranslateCoordinates(display, window, root, 0, 0, &place.0, &place.1, &child)
        return place
    }

    /// Asks the window manager to bring a window to the front.
    func activate(_ window: UInt) {
        var event = XEvent()
        event.xclient.type = ClientMessage
        event.xclient.window = window
        event.xclient.message_type = XInternAtom(display, "_NET_ACTIVE_WINDOW", 0)
        event.xclient.format = 32
        event.xclient.data.l.0 = 2
        XSendEvent(display, root, 0, SubstructureRedirectMask | SubstructureNotifyMask, &event)
        flush()
    }

    /// Grabs the pointer as a menu or a drag does.
    func grabPointer(_ window: UInt, ownerEvents: Bool = false) -> Bool {
        let mask = UInt32(ButtonPressMask | ButtonReleaseMask | PointerMotionMask)
        let result = XGrabPointer(
            display,
            window,
            ownerEvents ? 1 : 0,
            mask,
            GrabModeAsync,
            GrabModeAsync,
            0,
            0,
            0
        )
        flush()
        return result == GrabSuccess
    }

    func ungrabPointer() {
        XUngrabPointer(display, 0)
        flush()
    }

    /// Whether a window has a property.
    func has(_ property: String, _ window: UInt) -> Bool {
        var (type, count, rest): (UInt, UInt, UInt) = (0, 0, 0)
        var format: Int32 = 0
        var data: UnsafeMutablePointer<UInt8>?
        let atom = XInternAtom(display, property, 0)
        XGetWindowProperty(
            display,
            window,
            atom,
            0,
            1,
            0,
            0,
            &type,
            &format,
            &count,
            &rest,
            &data
        )
        if let data { XFree(data) }
        return type != 0
    }

    /// Whether a window manager has taken the window in.
    func isManaged(_ window: UInt) -> Bool { has("WM_STATE", window) && isViewable(window) }

    func isViewable(_ window: UInt) -> Bool {
        var attributes = XWindowAttributes()
        return XGetWindowAttributes(display, window, &attributes) != 0
            && attributes.map_state == IsViewable
    }

    /// Wants to hear of the keys and buttons a window gets.
    func listen(_ window: UInt) {
        XSelectInput(display, window, KeyPressMask | ButtonPressMask | ButtonReleaseMask)
        flush()
    }

    /// The keys that windows of this program got since the last call, by keycode and time.
    func heardKeys() -> [UInt64] {
        var event = XEvent()
        var keys: [UInt64] = []
        flush()
        while XCheckMaskEvent(display, KeyPressMask, &event) != 0 {
            let time = UInt64(event.xkey.time & 0xFFFF_FFFF)
            keys.append(UInt64(event.xkey.keycode) << 32 | time)
        }
        return keys
    }

    /// Adds a second pointer and keyboard with devices of their own.
    func addMaster(name: String) {
        var text = Array(name.utf8CString)
        text.withUnsafeMutableBufferPointer { text in
            var info = XIAnyHierarchyChangeInfo()
            info.add.type = XIAddMaster
            info.add.name = text.baseAddress
            info.add.send_core = 1
            info.add.enable = 1
            XIChangeHierarchy(display, &info, 1)
            flush()
        }
    }

    /// Moves a device to another master, or lets it float.
    func attach(_ device: UInt8, to master: UInt8?) {
        var change = XIAnyHierarchyChangeInfo()
        if let master {
            change.attach = XIAttachSlaveInfo(
                type: XIAttachSlave,
                deviceid: Int32(device),
                new_master: Int32(master)
            )
        } else {
            change.detach = XIDetachSlaveInfo(type: XIDetachSlave, deviceid: Int32(device))
        }
        XIChangeHierarchy(display, &change, 1)
        flush()
    }
}
