// SPDX-License-Identifier: Apache-2.0

import Events

/// The fingers that are down, and the windows that own them.
///
/// A finger belongs to the window in which it came down, which may differ from the pointer's. So a
/// finger has the pointer's context only while both are certainly in one window. The server reports
/// the origin of a touch in one of two ways. A finger that comes down alone moves the pointer, and
/// the crossing into another window directly follows the touch (``TouchOrigin/crossed``). Otherwise
/// the server is queried for the window there. The reply holds if no window came, went or changed
/// since (``TouchOrigin/inside(_:)``). In all other cases the owner is unknown until the finger is
/// lifted. All windows here are children of the root, which is 0.
struct TouchOwners {
    /// The known origin of a touch.
    enum TouchOrigin {
        /// The pointer entered its present window with the touch.
        case crossed
        case inside(UInt)
        case unknown
    }

    private struct Contact: Hashable {
        let device: UInt8
        /// The server's touch id.
        let id: UInt32
    }

    private enum Owner {
        case window(UInt)
        /// A touchpad: all its fingers are where the pointer is.
        case pointer
        case nobody
    }

    private struct Finger {
        let number: UInt8
        let owner: Owner
        /// The server time of its last event.
        var latest: UInt32
    }

    /// A device with touches.
    private struct Pad {
        let master: UInt8
        /// The scales of a touchscreen's axes; nil for a touchpad (XIDependentTouch).
        let scales: AxisScale.Desktop?
    }

    /// Milliseconds after which a silent finger may have ended unreported, as when another program
    /// grabs the device.
    private static let silence: Int32 = 60_000

    private var down: [Contact: Finger] = [:]
    private var pads: [UInt8: Pad] = [:]

    /// Replaces the devices; one that is gone or attached to another master loses its fingers.
    mutating func use(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        let old = pads
        pads = devices.compactMapValues { entry in
            let (master, scales) = (entry.device.master, AxisScale.desktop(entry.device))
            return switch entry.touch {
            case .direct: scales.map { Pad(master: master, scales: $0) }
            case .dependent: Pad(master: master, scales: nil)
            case nil: nil
            }
        }
        down = down.filter { contact, _ in
            let master = pads[contact.device]?.master
            return master != nil && master != 0 && master == old[contact.device]?.master
        }
    }

    /// Whether a device is a touchscreen, whose positions are positions of the desktop.
    func isScreen(_ device: UInt8) -> Bool { pads[device]?.scales != nil }

    /// The pixel under a finger; nil if it is not on a touchscreen.
    func pixel(_ header: X11Event.RawHeader, _ axes: X11Event.Axes, on desktop: DesktopGeometry)
        -> Pixel?
    {
        guard let scales = pads[header.device]?.scales, axes.move.present == 3 else { return nil }
        return DeadReckoning.pixel(desktop.position(axes.move.accelerated, scales))
    }

    /// Whether a window found at a position was already there before the given events.
    ///
    /// - Parameters:
    ///   - window: The window found.
    ///   - events: All events until it was found.
    /// - Returns: False if an earlier window has changed or gone, or this one is new.
    static func wasThere(_ window: UInt, before events: some Sequence<X11Event>) -> Bool {
        var new: Set<UInt> = []
        for event in events {
            switch event {
            case .created(let window, _): new.insert(window)
            case .destroyed(let window), .unmapped(let window), .reparented(let window, _),
                .rearranged(let window):
                if !new.contains(window) { return false }
            case .screenChanged: return false
            default: continue
            }
        }
        return !new.contains(window)
    }

    /// Takes the next event of a finger.
    ///
    /// - Parameters:
    ///   - header: The event's header.
    ///   - id: The server's touch id.
    ///   - phase: What the finger did.
    ///   - landing: The origin of the touch, for its first event.
    ///   - pointed: The window that contains the pointer; nil if unknown.
    /// - Returns: The finger's number, and whether the event belongs to the pointer's context.
    mutating func take(
        _ header: X11Event.RawHeader,
        _ id: UInt32,
        _ phase: Touch.Phase,
        _ landing: TouchOrigin,
        _ pointed: UInt?
    ) -> (number: UInt8, isOfPointer: Bool) {
        let contact = Contact(device: header.device, id: id)
        var finger = down[contact] ?? land(header, phase, landing, pointed)
        finger.latest = header.time
        down[contact] = phase == .up ? nil : finger
        switch finger.owner {
        case .window(let window): return (finger.number, window == pointed)
        case .pointer: return (finger.number, true)
        case .nobody: return (finger.number, false)
        }
    }

    private mutating func land(
        _ header: X11Event.RawHeader,
        _ phase: Touch.Phase,
        _ landing: TouchOrigin,
        _ pointed: UInt?
    ) -> Finger {
        down = down.filter { contact, finger in
            contact.device != header.device
                || Int32(bitPattern: header.time &- finger.latest) < Self.silence
        }
        let others = down.filter { $0.key.device == header.device }.map(\.value.number)
        let number = (UInt8.min..<UInt8.max).first { !others.contains($0) } ?? UInt8.max
        let owner = owner(header.device, phase, landing, pointed, isAlone: others.isEmpty)
        return Finger(number: number, owner: owner, latest: header.time)
    }

    private func owner(
        _ device: UInt8,
        _ phase: Touch.Phase,
        _ landing: TouchOrigin,
        _ pointed: UInt?,
        isAlone: Bool
    ) -> Owner {
        // The origin of a finger that was down before is unknown.
        guard phase == .down, let pad = pads[device] else { return .nobody }
        guard pad.scales != nil else { return .pointer }
        switch (landing, pointed) {
        case (.crossed, let window?) where isAlone: return .window(window)
        case (.inside(let window), _): return .window(window)
        default: return .nobody
        }
    }
}
