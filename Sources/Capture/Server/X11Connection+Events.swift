// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// Reads what has arrived into the queue, without waiting.
    ///
    /// - Returns: The number of events that can be taken.
    func readArrived() -> Int {
        guard !isLost else { return 0 }
        if let wire {
            // Discard what Xlib's connection gets unasked, such as MappingNotify.
            while unsafe XEventsQueued(display, QueuedAlready) > 0 {
                unsafe XNextEvent(display, event)
            }
            return wire.readArrived()
        }
        if !isQueueEmpty {
            // With events in its queue, as a round trip leaves them, XEventsQueued reads nothing.
            // XCheckIfEvent searches for an event that does not exist and reads meanwhile.
            _ = unsafe XCheckIfEvent(display, event, { _, _, _ in 0 }, nil)
        }
        return Int(unsafe XEventsQueued(display, QueuedAfterReading))
    }

    /// Whether all events read were taken.
    var isQueueEmpty: Bool {
        if isLost { return true }
        if let wire { return wire.unread == 0 }
        return unsafe XEventsQueued(display, QueuedAlready) == 0
    }

    /// Takes the next event of the queue, which must not be empty.
    ///
    /// - Returns: The event, and the serial of the last request that the server had handled.
    func takeEvent() -> (event: X11Event, serial: UInt) {
        if let wire { return wire.takeEvent() }
        unsafe XNextEvent(display, event)
        let serial = unsafe event.pointee.xany.serial
        // An event sent by another client says nothing about real input.
        guard unsafe event.pointee.xany.send_event == 0 else { return (.other, serial) }
        switch unsafe event.pointee.type {
        case Int32(mci_input_type): return (takeInputEvent(), serial)
        case FocusIn:
            let focus = unsafe FocusFields(event.pointee.xfocus)
            return (
                .focusIn(
                    window: focus.window,
                    mode: focus.mode,
                    detail: focus.detail
                ), serial
            )
        case FocusOut:
            let focus = unsafe FocusFields(event.pointee.xfocus)
            return (
                .focusOut(
                    window: focus.window,
                    mode: focus.mode,
                    detail: focus.detail
                ), serial
            )
        case EnterNotify:
            let crossing = unsafe CrossingFields(event.pointee.xcrossing)
            return (
                .entered(
                    window: crossing.window,
                    mode: crossing.mode,
                    detail: crossing.detail,
                    at: crossing.pixel
                ), serial
            )
        case CreateNotify:
            let created = unsafe event.pointee.xcreatewindow
            return unsafe (.created(window: created.window, parent: created.parent), serial)
        case DestroyNotify:
            return (.destroyed(window: unsafe event.pointee.xdestroywindow.window), serial)
        case UnmapNotify: return (.unmapped(window: unsafe event.pointee.xunmap.window), serial)
        case ReparentNotify:
            let moved = unsafe event.pointee.xreparent
            return unsafe (.reparented(window: moved.window, parent: moved.parent), serial)
        case PropertyNotify:
            let window = unsafe event.pointee.xproperty.window
            let property = atoms.property(unsafe event.pointee.xproperty.atom)
            return (property.map { .propertyChanged(window: window, $0) } ?? .other, serial)
        case keyboardEventCode: return (keyboardEvent(), serial)
        default: return (.other, serial)
        }
    }

    private func takeInputEvent() -> X11Event {
        let raw = unsafe UnsafeRawPointer(event).assumingMemoryBound(to: mci_input_event.self)
        let type = unsafe raw.pointee.any.evtype
        guard type >= XI_RawKeyPress, type <= XI_RawTouchEnd else {
            guard type == XI_HierarchyChanged else { return .other }
            var ids = ByteSet()
            unsafe withUnsafeBytes(of: raw.pointee.changed) { changed in
                for id in UInt8.min...UInt8.max
                where unsafe changed[Int(id) / 8] & 1 << (id % 8) != 0 {
                    ids.insert(id)
                }
            }
            return .devicesChanged(ids)
        }
        let header = X11Event.RawHeader(
            time: unsafe raw.pointee.time,
            device: UInt8(clamping: unsafe raw.pointee.sourceid),
            master: UInt8(clamping: unsafe raw.pointee.deviceid),
            isEmulated: unsafe raw.pointee.flags & XIPointerEmulated != 0
        )
        let detail = UInt8(clamping: unsafe raw.pointee.detail)
        switch type {
        case XI_RawKeyPress: return .rawKey(header, keycode: detail, isDown: true)
        case XI_RawKeyRelease: return .rawKey(header, keycode: detail, isDown: false)
        case XI_RawButtonPress: return .rawButton(header, number: detail, isDown: true)
        case XI_RawButtonRelease: return .rawButton(header, number: detail, isDown: false)
        default: return .other
        }
    }

    private func keyboardEvent() -> X11Event {
        let start = unsafe UnsafeRawPointer(event)
        let any = unsafe start.assumingMemoryBound(to: XkbAnyEvent.self).pointee
        let id = UInt8(clamping: unsafe any.device)
        switch unsafe any.xkb_type {
        case XkbStateNotify:
            let state = unsafe start.assumingMemoryBound(to: XkbStateNotifyEvent.self)
            let held = X11Event.HeldModifiers(
                modifiers: UInt8(truncatingIfNeeded: unsafe state.pointee.mods),
                group: UInt8(truncatingIfNeeded: unsafe state.pointee.group)
            )
            return .modifiersChanged(keyboard: id, held)
        case XkbMapNotify:
            let map = unsafe start.assumingMemoryBound(to: XkbMapNotifyEvent.self).pointee
            return unsafe Self.change(of: map).map {
                .keyMapChanged(device: id, keycodes: $0, isReplaced: false)
            } ?? .other
        case XkbNewKeyboardNotify:
            return .keyMapChanged(device: id, keycodes: ByteSet(0...255), isReplaced: true)
        case XkbControlsNotify:
            let controls = unsafe start.assumingMemoryBound(to: XkbControlsNotifyEvent.self)
            return .keyboardControls(
                device: UInt8(truncatingIfNeeded: unsafe controls.pointee.device),
                enabled: unsafe controls.pointee.enabled_ctrls
            )
        default: return .other
        }
    }

    /// The keys whose keysyms may have changed; nil if there are none.
    private static func change(of map: XkbMapNotifyEvent) -> ByteSet? {
        // Key actions, behaviours and explicit components do not affect keysyms.
        let silent = XkbKeyActionsMask | XkbKeyBehaviorsMask | XkbExplicitComponentsMask
        switch unsafe map.changed & ~UInt32(silent) {
        case 0: return nil
        case UInt32(XkbKeySymsMask):
            guard unsafe map.num_key_syms > 0 else { return nil }
            let first = unsafe map.first_key_sym
            let last = unsafe Int(first) + Int(map.num_key_syms) - 1
            return ByteSet(first...max(first, UInt8(clamping: last)))
        default: return ByteSet(0...255)
        }
    }
}

private struct CrossingFields {
    let window: UInt
    let mode: X11Event.FocusMode
    let detail: X11Event.FocusDetail
    let pixel: Pixel

    init(_ event: XCrossingEvent) {
        window = unsafe event.window
        mode = X11Event.FocusMode(unsafe event.mode)
        detail = X11Event.FocusDetail(unsafe event.detail)
        pixel = unsafe Pixel(x: Int16(clamping: event.x_root), y: Int16(clamping: event.y_root))
    }
}

private struct FocusFields {
    let window: UInt
    let mode: X11Event.FocusMode
    let detail: X11Event.FocusDetail

    init(_ event: XFocusChangeEvent) {
        window = unsafe event.window
        mode = X11Event.FocusMode(unsafe event.mode)
        detail = X11Event.FocusDetail(unsafe event.detail)
    }
}

extension X11Event.FocusMode {
    init(_ mode: Int32) {
        switch mode {
        case NotifyGrab: self = .grab
        case NotifyUngrab: self = .ungrab
        default: self = .plain
        }
    }
}

extension X11Event.FocusDetail {
    init(_ detail: Int32) {
        switch detail {
        case NotifyAncestor, NotifyNonlinear: self = .this
        case NotifyInferior: self = .inferior
        case NotifyVirtual, NotifyNonlinearVirtual: self = .virtual
        default: self = .nowhere
        }
    }
}
