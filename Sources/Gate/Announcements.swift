// SPDX-License-Identifier: Apache-2.0

import Events

/// Announces devices and the desktop once, before the first admitted event they belong to.
///
/// A device without admitted events is never described.
struct Announcements {
    private var devices: [UInt8: Device] = [:]
    /// The known devices that are not injected.
    private var ownDevices = DeviceSet()
    private var screen: ScreenLayout?
    /// The devices whose description downstream is current.
    private var announced = DeviceSet()
    /// The devices ever described.
    ///
    /// If one of them disappears, that is announced too, because another device may get its id.
    private var described = DeviceSet()

    /// Replaces the device table from here on.
    mutating func use(_ new: [UInt8: Device]) {
        for id in UInt8.min...UInt8.max where new[id] != devices[id] { announced.remove(id) }
        devices = new
        ownDevices = DeviceSet()
        for (id, device) in new where !device.isInjected { ownDevices.insert(id) }
    }

    /// Whether a device's events may come from programs; an unknown device counts as injected.
    func mayBeInjected(_ device: UInt8) -> Bool { !ownDevices.contains(device) }

    /// Replaces the desktop layout from here on.
    mutating func use(_ new: ScreenLayout) {
        guard new != screen else { return }
        screen = new
        announced = DeviceSet()
    }

    /// Whether a device can be used without announcing it first.
    func isAnnounced(_ device: UInt8) -> Bool {
        announced.contains(device)
    }

    /// Emits the descriptions of a device and of the desktop.
    mutating func announce(_ id: UInt8, _ sink: inout some GateSink & ~Copyable) {
        announced.insert(id)
        if let screen { sink.take(.screen(AdmittedScreen(screen))) }
        guard devices[id] != nil || described.contains(id) else { return }
        described.insert(id)
        sink.take(.device(AdmittedDevice(id: id, device: devices[id])))
    }
}
