// SPDX-License-Identifier: Apache-2.0

import Events

/// Announces devices so that none is ever confused with another one.
///
/// The server reuses ids. When devices come or go, the two connections reach that event at
/// different times, and the server's replies may be true only of later input. Until both have read
/// on, an id that a notice named is not announced.
struct KnownDevices {
    /// The devices announced last; nil before the first time.
    private var announced: [UInt8: Device]?
    /// The present devices.
    private var current: [UInt8: Device]
    /// Whether a connection reported a change in this drain.
    private(set) var hasChanged = false
    /// The ids that notices named in this drain.
    private var changed = ByteSet()

    init(_ devices: [UInt8: Device]) {
        current = devices
    }

    /// Begins a drain; after connecting, devices are announced before any input.
    mutating func begin(_ sink: inout some CaptureSink & ~Copyable) {
        hasChanged = false
        changed = ByteSet()
        if announced == nil { announce(current, &sink) }
    }

    /// Handles a notice of one connection that devices came or went.
    ///
    /// - Parameters:
    ///   - ids: The devices that the notice named.
    ///   - devices: All present devices, by id.
    ///   - sink: Receives the devices that are certain.
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

    /// Ends a drain; a drain without changes brought both connections to the same point.
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
