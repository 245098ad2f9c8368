// SPDX-License-Identifier: Apache-2.0

import Events

/// The fingers that are down, and to whose window what they do belongs.
///
/// A finger belongs to the window it came down in, which may be another than the pointer's: the
/// context of the pointer says nothing of it until it is known that both are in one window. A finger
/// that comes down alone takes the pointer with it: the server moves the pointer there in the same
/// moment, and where that leads into another window tells so directly behind the finger
/// (``Landing/crossed``). Else the server is asked for the window there, and the answer holds where
/// nothing was said of windows since (``Landing/inside(_:)``). What is in another window than the
/// pointer, or where nobody can say, is unknown.
struct Fingers {
    /// What is known of where a finger came down.
    enum Landing {
        /// The pointer came with it into the window it is in now.
        case crossed
        /// A child of the root, 0 for the root itself.
        case inside(UInt)
        case unknown
    }

    private struct Contact: Hashable {
        let device: UInt8
        /// The server's number of the touch.
        let id: UInt32
    }

    private enum Owner {
        /// Whatever the pointer is in, for that follows the finger.
        case pointer
        /// The window, until the pointer, which was moved away, leaves it.
        case beside(UInt)
        /// The window, as long as the pointer is in it too.
        case window(UInt)
        case nobody
    }

    private struct Finger {
        let number: UInt8
        var owner: Owner

        /// Whether the server moves the pointer with it.
        var hasPointer: Bool {
            switch owner {
            case .pointer, .beside: true
            case .window, .nobody: false
            }
        }
    }

    private var down: [Contact: Finger] = [:]
    /// Of the devices whose touches are places of the screen, their axes.
    private var screens: [UInt8: AxisScale.Desktop] = [:]

    init(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        use(devices)
    }

    /// There are other devices from here on.
    mutating func use(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        down = down.filter { devices[$0.key.device] != nil }
        screens = devices.compactMapValues { $0.isTouchscreen ? AxisScale.desktop($0.device) : nil }
    }

    /// Whether a device is a screen, where a place of the device is a place of the desktop.
    func isScreen(_ device: UInt8) -> Bool { screens[device] != nil }

    /// The pixel under a finger; nil for one on no screen.
    func pixel(_ header: X11Event.RawHeader, _ axes: X11Event.Axes, on desk: Desk) -> Pixel? {
        guard let scales = screens[header.device], axes.move.present == 3 else { return nil }
        return PointerPath.pixel(desk.place(axes.move.made, scales))
    }

    /// Whether a window that is found somewhere was there already before events that came since.
    ///
    /// - Parameters:
    ///   - window: the child of the root, 0 for the root itself.
    ///   - events: all that was told up to when it was found.
    /// - Returns: false where a window that was there before has moved or gone, or this one is new.
    static func wasThere(_ window: UInt, before events: some Sequence<X11Event>) -> Bool {
        var new: Set<UInt> = []
        for event in events {
            switch event {
            case .created(let window): new.insert(window)
            case .destroyed(let window), .unmapped(let window), .reparented(let window),
                .rearranged(let window):
                if !new.contains(window) { return false }
            default: continue
            }
        }
        return !new.contains(window)
    }

    /// Takes the next event of a finger.
    ///
    /// - Parameters:
    ///   - device: the physical device.
    ///   - id: the server's number of the touch.
    ///   - phase: what it did.
    ///   - landing: where it came down, with its first event.
    ///   - pointed: the child of the root the pointer is in; nil where that is not known.
    /// - Returns: its number, whether what it did belongs to the pointer's context, and whether the
    ///   pointer is where it is, or with its last event was near.
    mutating func take(
        _ device: UInt8,
        _ id: UInt32,
        _ phase: Touch.Phase,
        _ landing: Landing,
        _ pointed: UInt?
    ) -> (number: UInt8, isOfPointer: Bool, hasPointer: Bool) {
        let contact = Contact(device: device, id: id)
        if down[contact] == nil { down[contact] = land(contact, phase, landing, pointed) }
        guard let finger = down[contact] else { return (0, false, false) }
        if phase == .up { down[contact] = nil }
        return switch finger.owner {
        case .pointer: (finger.number, true, isScreen(device))
        case .beside(let window): (finger.number, window == pointed, phase == .up)
        case .window(let window): (finger.number, window == pointed, false)
        case .nobody: (finger.number, false, false)
        }
    }

    /// The pointer went on.
    ///
    /// - Parameters:
    ///   - following: how.
    ///   - window: in which it is; nil where that is not known.
    mutating func note(_ following: PointerTracker.Following, in window: UInt?) {
        for (contact, finger) in down where finger.hasPointer && isScreen(contact.device) {
            switch following {
            case .nobody, .finger: continue
            case .beside: down[contact]?.owner = window.map { .beside($0) } ?? .nobody
            // Over which windows the finger goes nobody can say.
            case .lost: down[contact]?.owner = .nobody
            }
        }
    }

    private func land(
        _ contact: Contact,
        _ phase: Touch.Phase,
        _ landing: Landing,
        _ pointed: UInt?
    ) -> Finger {
        let others = down.filter { $0.key.device == contact.device }.map(\.value.number)
        let number = (UInt8.min..<UInt8.max).first { !others.contains($0) } ?? UInt8.max
        // A finger that was down before anything was watched has come down nobody knows where.
        guard phase == .down else { return Finger(number: number, owner: .nobody) }
        // What is no screen has one place for all its fingers: the pointer's.
        guard isScreen(contact.device) else { return Finger(number: number, owner: .pointer) }
        // The server takes the pointer to a finger that is alone on its device; one of another
        // device may have it already.
        let isAlone = others.isEmpty && !down.contains { $0.value.hasPointer }
        switch landing {
        case .crossed where isAlone: return Finger(number: number, owner: .pointer)
        case .inside(let window) where window == pointed:
            return Finger(number: number, owner: isAlone ? .pointer : .window(window))
        case .crossed, .inside, .unknown: return Finger(number: number, owner: .nobody)
        }
    }
}
