// SPDX-License-Identifier: Apache-2.0

import Events

/// The devices and the desktop, each told once something that belongs to it is let through.
///
/// A device of which nothing is let through is never described.
struct Announcements {
    private var devices: [UInt8: Device] = [:]
    /// The devices that are known and not injected.
    private var ownDevices = DeviceSet()
    private var screen: ScreenLayout?
    /// The devices before whose next event nothing new is to be told.
    private var announced = DeviceSet()
    /// The devices ever described: where one of them is gone, that is told too, for its id may be
    /// given to another.
    private var described = DeviceSet()

    /// There are other devices from here on.
    mutating func use(_ new: [UInt8: Device]) {
        for id in UInt8.min...UInt8.max where new[id] != devices[id] { announced.remove(id) }
        devices = new
        ownDevices = DeviceSet()
        for (id, device) in new where !device.isInjected { ownDevices.insert(id) }
    }

    /// Whether programs may have made what a device sends: so it is of one of which nothing is known.
    func mayBeInjected(_ device: UInt8) -> Bool { !ownDevices.contains(device) }

    /// The desktop is another one from here on.
    mutating func use(_ new: ScreenLayout) {
        guard new != screen else { return }
        screen = new
        announced = DeviceSet()
    }

    /// Whether nothing is to be told before an event of a device.
    func isAnnounced(_ device: UInt8) -> Bool {
        announced.contains(device)
    }

    /// Tells what is known of a device and of the desktop.
    mutating func announce(_ id: UInt8, _ sink: inout some GateSink & ~Copyable) {
        announced.insert(id)
        if let screen { sink.take(.screen(AdmittedScreen(screen))) }
        guard devices[id] != nil || described.contains(id) else { return }
        described.insert(id)
        sink.take(.device(AdmittedDevice(id: id, device: devices[id])))
    }
}
