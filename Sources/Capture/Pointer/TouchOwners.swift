// SPDX-License-Identifier: Apache-2.0

import Events

/// The fingers that are down, and to whose window what they do belongs.
///
/// A finger belongs to the window it came down in, which may be another than the pointer's: the
/// pointer's context is that of a finger only while both are certainly in one window. Where a finger
/// came down is told by the server in one of two ways. One that comes down alone takes the pointer
/// with it, and where that leads into another window the crossing stands directly behind the finger
/// (``Landing/crossed``). Else the server is asked for the window there, and the answer holds where
/// no window came, went or changed since (``Landing/inside(_:)``). Everything else is unknown until
/// the finger is lifted. All windows here are children of the root, which is 0.
struct TouchOwners {
    /// What is known of where a finger came down.
    enum TouchOrigin {
        /// The pointer came with it into the window it is in now.
        case crossed
        case inside(UInt)
        case unknown
    }

    private struct Contact: Hashable {
        let device: UInt8
        /// The server's number of the touch.
        let id: UInt32
    }

    private enum Owner {
        case window(UInt)
        /// Of a device that is no screen: all its fingers are where the pointer is.
        case pointer
        case nobody
    }

    private struct Finger {
        let number: UInt8
        let owner: Owner
        /// When it was heard of last, by the server's clock.
        var latest: UInt32
    }

    /// A device with fingers.
    private struct Pad {
        let master: UInt8
        /// How a screen spreads its axes; nil for what is no screen (XIDependentTouch).
        let scales: AxisScale.Desktop?
    }

    /// Milliseconds after which a silent finger may be one whose end was not told, as when another
    /// program takes the device for itself.
    private static let silence: Int32 = 60_000

    private var down: [Contact: Finger] = [:]
    private var pads: [UInt8: Pad] = [:]

    /// There are other devices from here on: one that is gone, or another pointer's, has no fingers.
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

    /// Whether a device is a screen, where a place of the device is a place of the desktop.
    func isScreen(_ device: UInt8) -> Bool { pads[device]?.scales != nil }

    /// The pixel under a finger; nil for one on no screen.
    func pixel(_ header: X11Event.RawHeader, _ axes: X11Event.Axes, on desktop: DesktopGeometry)
        -> Pixel?
    {
        guard let scales = pads[header.device]?.scales, axes.move.present == 3 else { return nil }
        return DeadReckoning.pixel(desktop.position(axes.move.accelerated, scales))
    }

    /// Whether a window that is found somewhere was there already before events that came since.
    ///
    /// - Parameters:
    ///   - window: the window that is there.
    ///   - events: all that was told up to when it was found.
    /// - Returns: false where a window that was there before has changed or gone, or this one is new.
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
    ///   - header: whose and when.
    ///   - id: the server's number of the touch.
    ///   - phase: what it did.
    ///   - landing: where it came down, with its first event.
    ///   - pointed: the window the pointer is in; nil where that is not known.
    /// - Returns: its number, and whether what it did belongs to the pointer's context.
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
        // One that was down before has come down nobody knows where.
        guard phase == .down, let pad = pads[device] else { return .nobody }
        guard pad.scales != nil else { return .pointer }
        switch (landing, pointed) {
        case (.crossed, let window?) where isAlone: return .window(window)
        case (.inside(let window), _): return .window(window)
        default: return .nobody
        }
    }
}
