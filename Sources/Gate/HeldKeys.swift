// SPDX-License-Identifier: Apache-2.0

import Events

/// The keys that went down and were admitted, so that each is stored as released just once.
///
/// A release tells what its press told and no more: a letter pressed alone and released under Ctrl
/// stays a letter. A release without an admitted press is not stored.
struct HeldKeys {
    private struct Held {
        var device: UInt8
        var key: AdmittedEvent.Key
    }

    private var held: [UInt8: Held] = [:]

    /// Notes an admitted press.
    mutating func press(_ keycode: UInt8, device: UInt8, _ key: AdmittedEvent.Key) {
        held[keycode] = Held(device: device, key: key)
    }

    /// The release that belongs to the press of this key, or nil when none was admitted.
    mutating func release(_ keycode: UInt8, at time: EventTime) -> AdmittedEvent? {
        held.removeValue(forKey: keycode).map { Self.release($0, at: time) }
    }

    /// The releases of all keys still held, for a moment after which they cannot be seen.
    mutating func releaseAll(at time: EventTime) -> [AdmittedEvent] {
        held.keys.sorted().compactMap { release($0, at: time) }
    }

    private static func release(_ held: Held, at time: EventTime) -> AdmittedEvent {
        var key = held.key
        key.isDown = false
        return AdmittedEvent(time: time, device: held.device, payload: .key(key))
    }
}
