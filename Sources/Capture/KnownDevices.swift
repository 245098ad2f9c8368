// SPDX-License-Identifier: Apache-2.0

import Events

/// The devices, told so that none ever stands for another device's input.
///
/// Ids are given again. When devices come or go, the connections have not come to that place of
/// their streams at the same time: until both have, an id whose name changed is nobody's.
struct KnownDevices {
    /// What was told last; nil before the first time.
    private var told: [UInt8: Device]?
    /// What there is now.
    private var current: [UInt8: Device]
    private var hasChanged = false

    init(_ devices: [UInt8: Device]) {
        current = devices
    }

    /// A reading begins: after a connection the devices come before any input.
    mutating func begin(_ sink: inout some CaptureSink & ~Copyable) {
        hasChanged = false
        if told == nil { tell(current, &sink) }
    }

    /// One of the connections told that devices came or went.
    mutating func change(to devices: [UInt8: Device], _ sink: inout some CaptureSink & ~Copyable) {
        current = devices
        hasChanged = true
        tell(devices.filter { told?[$0.key]?.name == $0.value.name }, &sink)
    }

    /// A reading ends: one without changes has brought both connections to the same place.
    mutating func finish(_ sink: inout some CaptureSink & ~Copyable) {
        if !hasChanged { tell(current, &sink) }
    }

    private mutating func tell(
        _ devices: [UInt8: Device],
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        guard devices != told else { return }
        told = devices
        sink.take(.devices(devices))
    }
}
