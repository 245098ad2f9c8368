// SPDX-License-Identifier: Apache-2.0

import Wire

/// The requests of the keyboard's stream (XKBproto.h).
extension EventWire {
    /// The receiver of keys.
    enum KeyTarget: Equatable {
        /// The window that has the focus.
        case window(UInt)
        /// The window under the pointer: the focus is PointerRoot, or the root window has it.
        case pointer
        case nowhere
    }

    /// The kinds of XKB events, by their bits in a selection.
    private enum Notice {
        static let newKeyboard: UInt16 = 1 << 0
        static let map: UInt16 = 1 << 1
        static let state: UInt16 = 1 << 2
        static let controls: UInt16 = 1 << 3
    }

    /// Finds the extensions for the keyboard and negotiates XInput 2.0.
    ///
    /// The server withholds raw keys while another client holds a keyboard grab, for clients of 2.0
    /// only.
    ///
    /// - Throws: ``CaptureError`` `unsuitable` without XInput 2.0, XKB or SHAPE,
    ///   or `unreachable`.
    func beginKeyboard() throws(CaptureError) {
        guard findInput(minor: 0) == 0, let keyboard = find("XKEYBOARD"),
            // XkbUseExtension, version 1.0
            let isSupported = ask(request(keyboard.major, 0, 1))?.byte(at: 1), isSupported != 0
        else { throw CaptureError(isLost ? .unreachable : .unsuitable) }
        (codes.keyboard, codes.keyboardEvent) = keyboard
        if let resources = find("X-Resource") { codes.resources = resources.major }
        // Without it, the mark would take the clicks on what lies under it.
        guard let shape = find("SHAPE") else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        (codes.markShape, codes.markEvent) = shape
        findMonitors()
    }

    /// Begins to follow the modifiers and the group of a master keyboard.
    func followModifiers(of keyboard: UInt8) {
        // Two words of details: the affected bits and their values, of XkbModifierStateMask and
        // XkbGroupStateMask.
        let details: UInt32 = 1 << 0 | 1 << 4
        selectKeyboard(keyboard, Notice.state, details: [details | details << 16])
    }

    /// Begins to follow the map of a device.
    func followMap(of device: UInt8) {
        selectKeyboard(device, Notice.newKeyboard | Notice.map, all: Notice.newKeyboard)
    }

    /// Begins to follow the XKB controls of a keyboard.
    func followControls(of keyboard: UInt8) {
        selectKeyboard(keyboard, Notice.controls, all: Notice.controls)
    }

    /// Selects XKB events of a device (XkbSelectEvents), with every component of its map.
    private func selectKeyboard(
        _ device: UInt8,
        _ notices: UInt16,
        all: UInt16 = 0,
        details: [UInt32] = []
    ) {
        let components: UInt32 = notices & Notice.map != 0 ? 0xFF : 0
        var bytes = request(
            codes.keyboard,
            1,
            UInt32(device) | UInt32(notices) << 16,
            UInt32(all) << 16,
            components | components << 16
        )
        for word in details { bytes.append(uint32: word) }
        bytes[2] = UInt8(bytes.count / 4)
        send(bytes)
    }

    /// The modifiers and the group of a master keyboard; nil if there is none (XkbGetState).
    func modifiers(of keyboard: UInt8) -> X11Event.HeldModifiers? {
        guard let reply = ask(request(codes.keyboard, 4, UInt32(keyboard))),
            let modifiers = reply.byte(at: 8), let group = reply.byte(at: 12)
        else { return nil }
        return X11Event.HeldModifiers(modifiers: modifiers, group: group)
    }

    /// The enabled XKB controls of a keyboard; nil if the server does not report them
    /// (XkbGetControls).
    func controls(of keyboard: UInt8) -> UInt32? {
        ask(request(codes.keyboard, 6, UInt32(keyboard)))?.uint32(at: 56)
    }

    /// Queries the receiver of keys; nil if the server does not report it (GetInputFocus).
    func keyTarget() -> KeyTarget? {
        guard let target = ask(request(43, 0))?.uint32(at: 8) else { return nil }
        switch target {
        case 0: return .nowhere
        // PointerRoot
        case 1, root: return .pointer
        case let window: return .window(UInt(window))
        }
    }

    /// The process that owns a window's connection (XResQueryClientIds).
    ///
    /// Nil if the server does not know it or the process is on another host.
    ///
    /// The kernel reported it to the server at connection time, so no program can forge it.
    func process(of window: UInt) -> Int32? {
        // One client, and only its process id (2).
        let window = UInt32(truncatingIfNeeded: window)
        guard codes.resources != 0, let reply = ask(request(codes.resources, 4, 1, window, 2)),
            let count = reply.uint32(at: 8), count >= 1,
            let length = reply.uint32(at: 40), length >= 4,
            let process = reply.uint32(at: 44), process > 0
        else { return nil }
        return Int32(exactly: process)
    }
}
