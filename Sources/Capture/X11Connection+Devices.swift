// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// Key types, keysyms and modifiers: XkbAllClientInfoMask, a macro Swift does not import.
    private static var clientMap: Int32 { XkbKeyTypesMask | XkbKeySymsMask | XkbModifierMapMask }

    /// Reads the keyboard's map and begins to follow modifiers, group and map.
    ///
    /// - Returns: the modifiers and the group in force now.
    /// - Throws: ``CaptureError`` `unsuitable` where the server has no XKB.
    func followKeyboard() throws(CaptureError) -> (modifiers: UInt8, group: UInt8) {
        var (opcode, event, error, major, minor): (Int32, Int32, Int32, Int32, Int32)
        (opcode, event, error, major, minor) = (0, 0, 0, 1, 0)
        guard unsafe XkbQueryExtension(display, &opcode, &event, &error, &major, &minor) != 0 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        keyboardEventCode = event
        let core = UInt32(XkbUseCoreKbd)
        let state = UInt(XkbModifierStateMask | XkbGroupStateMask)
        unsafe XkbSelectEventDetails(display, core, UInt32(XkbStateNotify), state, state)
        let maps = UInt32((1 << XkbMapNotify) | (1 << XkbNewKeyboardNotify))
        unsafe XkbSelectEvents(display, core, maps, maps)
        guard loadKeyboardMap() else { throw CaptureError(isLost ? .unreachable : .unsuitable) }
        var now = XkbStateRec()
        guard unsafe XkbGetState(display, core, &now) == 0 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        return (now.mods, now.group)
    }

    /// Reads the keyboard's map anew; false when the server does not give it.
    func loadKeyboardMap() -> Bool {
        if let old = unsafe keyboardMap { unsafe XkbFreeKeyboard(old, 0, 1) }
        unsafe keyboardMap = XkbGetMap(
            display,
            UInt32(Self.clientMap),
            UInt32(XkbUseCoreKbd)
        )
        return unsafe keyboardMap != nil
    }

    /// The keysym of a key under modifiers and group, without a round trip; 0 is none.
    func keysym(keycode: UInt8, modifiers: UInt8, group: UInt8) -> UInt32 {
        guard let map = unsafe keyboardMap else { return 0 }
        var consumed: UInt32 = 0
        var keysym: KeySym = 0
        let state = UInt32(modifiers) | UInt32(group & 3) << 13
        guard unsafe XkbTranslateKeyCode(map, keycode, state, &consumed, &keysym) != 0 else {
            return 0
        }
        return UInt32(truncatingIfNeeded: keysym)
    }

    /// The keysyms on the keys of each of the eight modifier bits, from Shift to Mod5.
    func modifierKeysyms() -> [[UInt32]] {
        guard let mapping = unsafe XGetModifierMapping(display) else { return [] }
        defer { unsafe XFreeModifiermap(mapping) }
        let width = Int(unsafe mapping.pointee.max_keypermod)
        return (0..<8).map { row in
            (0..<width).compactMap { column in
                guard let keys = unsafe mapping.pointee.modifiermap else { return nil }
                let keycode = unsafe keys[row * width + column]
                return keycode == 0 ? nil : keysym(keycode: keycode, modifiers: 0, group: 0)
            }
        }
    }

    /// The axes of every device, by its id.
    func pointerAxes() -> [PointerAxes] {
        var result = [PointerAxes](repeating: PointerAxes(), count: 256)
        var count: Int32 = 0
        guard let devices = unsafe XIQueryDevice(display, XIAllDevices, &count) else {
            return result
        }
        defer { unsafe XIFreeDeviceInfo(devices) }
        for index in 0..<Int(count) {
            let device = unsafe devices[index]
            var axes = PointerAxes()
            for number in 0..<Int(unsafe device.num_classes) {
                if let info = unsafe device.classes[number] { unsafe axes.add(info) }
            }
            result[Int(UInt8(clamping: unsafe device.deviceid))] = axes
        }
        return result
    }
}

extension X11Connection {
    /// The names of all devices, by their id.
    func deviceNames() -> [UInt8: String] {
        var names: [UInt8: String] = [:]
        var count: Int32 = 0
        guard let devices = unsafe XIQueryDevice(display, XIAllDevices, &count) else { return [:] }
        defer { unsafe XIFreeDeviceInfo(devices) }
        for index in 0..<Int(count) {
            let device = unsafe devices[index]
            guard let id = UInt8(exactly: unsafe device.deviceid), let name = unsafe device.name
            else { continue }
            names[id] = unsafe String(cString: name)
        }
        return names
    }
}

extension PointerAxes {
    fileprivate mutating func add(_ info: UnsafeMutablePointer<XIAnyClassInfo>) {
        let raw = UnsafeRawPointer(info)
        switch unsafe info.pointee.type {
        case XIValuatorClass:
            let axis = unsafe raw.assumingMemoryBound(to: XIValuatorClassInfo.self).pointee
            if axis.number < 2 && axis.mode == XIModeAbsolute { isAbsolute = true }
        case XIScrollClass:
            let wheel = unsafe raw.assumingMemoryBound(to: XIScrollClassInfo.self).pointee
            guard wheel.number < 8, wheel.increment != 0 else { return }
            scroll.append(
                Scroll(
                    axis: Int(wheel.number),
                    isVertical: wheel.scroll_type == XIScrollTypeVertical,
                    increment: wheel.increment
                )
            )
        default: break
        }
    }
}
