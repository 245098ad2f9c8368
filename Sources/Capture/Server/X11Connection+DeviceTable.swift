// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// The kind of a device's touches (XInput 2.2).
    enum TouchMode {
        /// On the device, which is a touchscreen (XIDirectTouch).
        case direct
        /// At the pointer (XIDependentTouch).
        case dependent
    }

    /// A device with the meaning of its axes.
    struct DeviceEntry {
        var device: Device
        var axes: PointerAxes
        var isMasterPointer: Bool
        var isKeyboard = false
        var touch: TouchMode?
        /// The button map of the device itself, from button 1 on.
        var ownMap: [UInt8] = []
    }

    /// The ids of all devices.
    func deviceIDs() -> [UInt8] {
        var count: Int32 = 0
        guard let infos = unsafe XIQueryDevice(display, XIAllDevices, &count) else { return [] }
        defer { unsafe XIFreeDeviceInfo(infos) }
        return (0..<Int(count)).compactMap { UInt8(exactly: unsafe infos[$0].deviceid) }
    }

    /// All devices, by id.
    func devices() -> [UInt8: DeviceEntry] {
        var count: Int32 = 0
        guard let infos = unsafe XIQueryDevice(display, XIAllDevices, &count) else { return [:] }
        defer { unsafe XIFreeDeviceInfo(infos) }
        let kinds = deviceKinds()
        let productID = unsafe XInternAtom(display, "Device Product ID", 0)
        let injected = unsafe XInternAtom(display, "XTEST Device", 1)
        var entries: [UInt8: DeviceEntry] = [:]
        for index in 0..<Int(count) {
            let info = unsafe infos[index]
            guard let id = UInt8(exactly: unsafe info.deviceid), let name = unsafe info.name else {
                continue
            }
            var entry = DeviceEntry(
                device: Device(name: unsafe String(cString: name)),
                axes: PointerAxes(),
                isMasterPointer: unsafe info.use == XIMasterPointer
            )
            for number in 0..<Int(unsafe info.num_classes) {
                guard let part = unsafe info.classes[number] else { continue }
                unsafe add(part, to: &entry)
            }
            entry.device.kind = kinds[id] ?? (entry.touch == nil ? .other : .touchscreen)
            entry.isKeyboard = unsafe info.use == XISlaveKeyboard || info.use == XIMasterKeyboard
            if entry.device.kind == .other {
                entry.device.kind = entry.isKeyboard ? .keyboard : .mouse
            }
            if unsafe info.use != XIFloatingSlave {
                entry.device.master = UInt8(clamping: unsafe info.attachment)
            }
            if entry.device.buttons > 0 { entry.ownMap = buttonMap(of: id) }
            let product = deviceNumbers(id, productID)
            (entry.device.vendor, entry.device.product) = (product.0, product.1)
            entry.device.isInjected =
                isSet(injected, of: id) ?? Device.isInjected(byName: entry.device.name)
            entries[id] = entry
        }
        let maps = ButtonMaps(entries)
        for id in entries.keys { entries[id]?.device.buttonMap = maps.whole(of: id) }
        return entries
    }

    /// The button map of a device or a master pointer, from button 1 on.
    private func buttonMap(of id: UInt8) -> [UInt8] {
        var device = unsafe XDevice()
        unsafe device.device_id = XID(id)
        var map = [UInt8](repeating: 0, count: 256)
        let count = unsafe map.withUnsafeMutableBufferPointer {
            unsafe XGetDeviceButtonMapping(display, &device, $0.baseAddress, UInt32($0.count))
        }
        return Array(map.prefix(max(0, Int(count))))
    }

    private func add(
        _ part: UnsafeMutablePointer<XIAnyClassInfo>,
        to entry: inout DeviceEntry
    ) {
        let raw = UnsafeRawPointer(part)
        switch unsafe part.pointee.type {
        case XIButtonClass:
            let buttons = unsafe raw.assumingMemoryBound(to: XIButtonClassInfo.self).pointee
            entry.device.buttons = UInt8(clamping: unsafe buttons.num_buttons)
        case XIValuatorClass:
            let axis = unsafe raw.assumingMemoryBound(to: XIValuatorClassInfo.self).pointee
            guard let number = UInt8(exactly: axis.number), number < 8 else { return }
            let (least, most) = (Int32(near: axis.min), Int32(near: axis.max))
            entry.device.axes.append(
                Device.Axis(
                    number: number,
                    label: atomName(axis.label),
                    isAbsolute: axis.mode == XIModeAbsolute,
                    range: least < most ? least...most : 0...0,
                    resolution: axis.resolution
                )
            )
            entry.axes.add(number: Int(number), isAbsolute: axis.mode == XIModeAbsolute)
        case XIScrollClass:
            let wheel = unsafe raw.assumingMemoryBound(to: XIScrollClassInfo.self).pointee
            guard wheel.number < 8, wheel.increment != 0 else { return }
            entry.axes.scroll.append(
                PointerAxes.Scroll(
                    axis: Int(wheel.number),
                    isVertical: wheel.scroll_type == XIScrollTypeVertical,
                    increment: wheel.increment
                )
            )
        case XITouchClass:
            let touch = unsafe raw.assumingMemoryBound(to: XITouchClassInfo.self).pointee
            entry.touch = touch.mode == XIDirectTouch ? .direct : .dependent
        default: break
        }
    }

    /// The kinds that drivers report; XInput 2 has no request for it, XInput 1 has.
    private func deviceKinds() -> [UInt8: Device.Kind] {
        let names: [(String, Device.Kind)] = [
            ("KEYBOARD", .keyboard), ("MOUSE", .mouse), ("TRACKBALL", .mouse),
            ("TOUCHPAD", .touchpad), ("TOUCHSCREEN", .touchscreen), ("TABLET", .tablet),
        ]
        var kinds: [UInt: Device.Kind] = [:]
        for (name, kind) in names {
            kinds[unsafe XInternAtom(display, name, 0)] = kind
        }
        var count: Int32 = 0
        guard let list = unsafe XListInputDevices(display, &count) else { return [:] }
        defer { unsafe XFreeDeviceList(list) }
        var result: [UInt8: Device.Kind] = [:]
        for index in 0..<Int(count) {
            let info = unsafe list[index]
            guard let id = UInt8(exactly: unsafe info.id) else { continue }
            result[id] = kinds[unsafe info.type]
        }
        return result
    }

    /// Vendor and product id of a device; zeros if its driver does not report them.
    private func deviceNumbers(_ id: UInt8, _ property: Atom) -> (UInt16, UInt16) {
        guard let words = read(property, of: id, items: 2, of: UInt32.self), words.count == 2 else {
            return (0, 0)
        }
        return (UInt16(truncatingIfNeeded: words[0]), UInt16(truncatingIfNeeded: words[1]))
    }

    /// Whether a one-byte property exists and is not 0; nil if the server does not report it.
    private func isSet(_ property: Atom, of id: UInt8) -> Bool? {
        guard property != 0, let bytes = read(property, of: id, items: 1, of: UInt8.self) else {
            return nil
        }
        return bytes.contains { $0 != 0 }
    }

    /// Reads a property of a device.
    ///
    /// - Parameters:
    ///   - property: The property's atom.
    ///   - id: The device.
    ///   - count: Maximum number of items.
    ///   - type: The type of an item.
    /// - Returns: The items, none if the device lacks the property. Nil if the server does not
    ///   report it or the items have another size.
    private func read<Item: FixedWidthInteger & BitwiseCopyable>(
        _ property: Atom,
        of id: UInt8,
        items count: Int,
        of type: Item.Type
    ) -> [Item]? {
        var (found, items, rest): (Atom, UInt, UInt) = (0, 0, 0)
        var format: Int32 = 0
        var data: UnsafeMutablePointer<UInt8>?
        let status = unsafe XIGetProperty(
            display,
            Int32(id),
            property,
            0,
            count,
            0,
            Atom(AnyPropertyType),
            &found,
            &format,
            &items,
            &rest,
            &data
        )
        guard status == 0 else { return nil }
        defer { if let data = unsafe data { unsafe XFree(data) } }
        // The type is None if the property does not exist.
        if found == 0 { return [] }
        guard format == Item.bitWidth, items > 0, let data = unsafe data else { return nil }
        return unsafe data.withMemoryRebound(to: Item.self, capacity: Int(items)) {
            unsafe Array(UnsafeBufferPointer(start: $0, count: Int(items)))
        }
    }

    private func atomName(_ atom: Atom) -> String {
        guard atom != 0, let name = unsafe XGetAtomName(display, atom) else { return "" }
        defer { unsafe XFree(name) }
        return unsafe String(cString: name)
    }
}

extension X11Connection {
    /// The pixel at which the server shows a pointer; nil if it does not report one.
    func pixel(of master: UInt8) -> Pixel? {
        var (root, child): (Window, Window) = (0, 0)
        var position: (x: Double, y: Double, inWindow: (x: Double, y: Double)) = (0, 0, (0, 0))
        var buttons = unsafe XIButtonState()
        var (modifiers, group) = (XIModifierState(), XIGroupState())
        let isHere = unsafe XIQueryPointer(
            display,
            Int32(master),
            self.root,
            &root,
            &child,
            &position.x,
            &position.y,
            &position.inWindow.x,
            &position.inWindow.y,
            &buttons,
            &modifiers,
            &group
        )
        guard isHere != 0 else { return nil }
        if let mask = unsafe buttons.mask { unsafe XFree(mask) }
        return DeadReckoning.pixel((position.x, position.y))
    }

    /// The server's motion history of a device from a time on, as far back as it reaches.
    ///
    /// It has everything that moved a pointer or pressed its buttons with the device. It is empty
    /// without a start.
    func history(of id: UInt8, since start: UInt32?) -> [PositionSenders.Moment] {
        guard let start else { return [] }
        var device = unsafe XDevice()
        unsafe device.device_id = XID(id)
        var (count, mode, axes): (Int32, Int32, Int32) = (0, 0, 0)
        let list = unsafe XGetDeviceMotionEvents(
            display,
            &device,
            UInt(start),
            UInt(CurrentTime),
            &count,
            &mode,
            &axes
        )
        guard let list = unsafe list else { return [] }
        defer { unsafe XFreeDeviceMotionEvents(list) }
        return (0..<Int(count)).map { index in
            let values = unsafe list[index].data
            return PositionSenders.Moment(
                time: unsafe UInt32(truncatingIfNeeded: list[index].time),
                x: axes > 0 ? Double(unsafe values?[0] ?? 0) : 0,
                y: axes > 1 ? Double(unsafe values?[1] ?? 0) : 0
            )
        }
    }
}

extension Int32 {
    /// The nearest integer, clamped to the bounds of the type; 0 for NaN and infinities.
    init(near value: Double) {
        if value.magnitude < 0x1p31 {
            self = Int32(value)
            // Most values are integers.
            if Double(self) == value { return }
        }
        guard value.isFinite else {
            self = 0
            return
        }
        self = Int32(Swift.min(Swift.max(value.rounded(), -2_147_483_648), 2_147_483_647))
    }
}
