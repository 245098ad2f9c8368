// SPDX-License-Identifier: Apache-2.0

import Events

/// The devices, told so that none ever stands for another device's input.
///
/// Ids are given again. When devices come or go, the connections have not come to that place of
/// their streams at the same time, and what the server says then may be true of later input only:
/// until both have read on, an id of which a notice told is nobody's.
struct KnownDevices {
    /// What was told last; nil before the first time.
    private var announced: [UInt8: Device]?
    /// What there is now.
    private var current: [UInt8: Device]
    /// Whether one of the connections told of a change in this reading.
    private(set) var hasChanged = false
    /// The ids of which notices told in this reading.
    private var changed = ByteSet()

    init(_ devices: [UInt8: Device]) {
        current = devices
    }

    /// A reading begins: after a connection the devices come before any input.
    mutating func begin(_ sink: inout some CaptureSink & ~Copyable) {
        hasChanged = false
        changed = ByteSet()
        if announced == nil { announce(current, &sink) }
    }

    /// One of the connections told that devices came or went.
    ///
    /// - Parameters:
    ///   - ids: the devices of which it told.
    ///   - devices: all there are now, by their id.
    ///   - sink: is told those that are certain.
    mutating func change(
        _ ids: ByteSet,
        to devices: [UInt8: Device],
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        current = devices
        hasChanged = true
        changed.formUnion(ids)
        let certain = devices.filter { id, device in
            !changed.contains(id) && announced?[id]?.name == device.name
        }
        announce(certain, &sink)
    }

    /// A reading ends: one without changes has brought both connections to the same place.
    mutating func finish(_ sink: inout some CaptureSink & ~Copyable) {
        if !hasChanged { announce(current, &sink) }
    }

    private mutating func announce(
        _ devices: [UInt8: Device],
        _ sink: inout some CaptureSink & ~Copyable
    ) {
        guard devices != announced else { return }
        announced = devices
        sink.take(.devices(devices))
    }
}
