// SPDX-License-Identifier: Apache-2.0

import Events

/// The devices and the desktop, each told once something that belongs to it is let through.
///
/// A device of which nothing is let through is never described.
struct Surroundings {
    private var devices: [UInt8: Device] = [:]
    private var screen: ScreenLayout?
    /// Bit n of word m: nothing new is to be told before an event of the device 64 m + n.
    private var told = InlineArray<4, UInt64>(repeating: 0)

    /// The devices ever described: where one of them is gone, that is told too, for its id may be
    /// given to another.
    private var described: Set<UInt8> = []

    init() {}

    /// There are other devices from here on.
    mutating func use(_ new: [UInt8: Device]) {
        for id in UInt8.min...UInt8.max where new[id] != devices[id] { setTold(id, false) }
        devices = new
    }

    /// The desktop is another one from here on.
    mutating func use(_ new: ScreenLayout) {
        guard new != screen else { return }
        screen = new
        forgetTold()
    }

    /// What is told later begins from nothing.
    mutating func forgetTold() {
        told = InlineArray<4, UInt64>(repeating: 0)
    }

    /// Whether nothing is to be told before an event of a device.
    func areTold(_ device: UInt8) -> Bool {
        told[Int(device >> 6)] & 1 << UInt64(device & 63) != 0
    }

    /// Tells what is known of a device and of the desktop.
    mutating func tell(_ id: UInt8, _ sink: inout some GateSink & ~Copyable) {
        setTold(id, true)
        if let screen { sink.take(.screen(AdmittedScreen(screen))) }
        guard devices[id] != nil || described.contains(id) else { return }
        described.insert(id)
        sink.take(.device(AdmittedDevice(id: id, device: devices[id])))
    }

    private mutating func setTold(_ id: UInt8, _ isTold: Bool) {
        let bit: UInt64 = 1 << UInt64(id & 63)
        if isTold { told[Int(id >> 6)] |= bit } else { told[Int(id >> 6)] &= ~bit }
    }
}
