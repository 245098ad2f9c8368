// SPDX-License-Identifier: Apache-2.0

import Events

/// The names of the devices, told so that none ever stands for another device's input.
///
/// Ids are given again. When devices come or go, the connections have not come to that place of
/// their streams at the same time: until both have, an id that changed has no name.
struct DeviceNames {
    /// What was told last; nil before the first time.
    private var told: [UInt8: String]?
    /// What there is now.
    private var current: [UInt8: String]
    private var hasChanged = false

    init(_ names: [UInt8: String]) {
        current = names
    }

    /// A reading begins: after a connection the names come before any input.
    mutating func begin(_ sink: (CaptureEvent) -> Void) {
        hasChanged = false
        if told == nil { tell(current, sink) }
    }

    /// One of the connections told that devices came or went.
    mutating func change(to names: [UInt8: String], _ sink: (CaptureEvent) -> Void) {
        current = names
        hasChanged = true
        tell(names.filter { told?[$0.key] == $0.value }, sink)
    }

    /// A reading ends: one without changes has brought both connections to the same place.
    mutating func finish(_ sink: (CaptureEvent) -> Void) {
        if !hasChanged { tell(current, sink) }
    }

    private mutating func tell(_ names: [UInt8: String], _ sink: (CaptureEvent) -> Void) {
        guard names != told else { return }
        told = names
        sink(.devices(names))
    }
}
