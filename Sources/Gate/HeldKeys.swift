// SPDX-License-Identifier: Apache-2.0

import Events

/// The keys that went down and were admitted, so that each is stored as released just once.
///
/// A release tells what its press told and no more: a letter pressed alone and released under Ctrl
/// stays a letter. A release without an admitted press is not stored.
struct HeldKeys {
    /// A key of one keyboard: on two keyboards the same key may be down at once.
    private struct HeldKey: Hashable, Comparable, Redacted {
        var keycode: UInt8
        var device: UInt8

        static func < (left: HeldKey, right: HeldKey) -> Bool {
            (left.keycode, left.device) < (right.keycode, right.device)
        }
    }

    private var held: [HeldKey: AdmittedEvent.Key] = [:]

    /// Notes an admitted press.
    mutating func press(_ keycode: UInt8, device: UInt8, _ key: AdmittedEvent.Key) {
        held[HeldKey(keycode: keycode, device: device)] = key
    }

    /// Whether a key that was admitted and is down is a modifier.
    func isModifier(_ keycode: UInt8, device: UInt8) -> Bool {
        held[HeldKey(keycode: keycode, device: device)]?.keyClass == .modifier
    }

    /// Whether a modifier was admitted and is down.
    var hasModifier: Bool { held.values.contains { $0.keyClass == .modifier } }

    /// The release that belongs to the press of this key, or nil when none was admitted.
    mutating func release(
        _ keycode: UInt8,
        device: UInt8,
        at time: EventTime
    ) -> AdmittedEvent? {
        let key = HeldKey(keycode: keycode, device: device)
        return held.removeValue(forKey: key).map { Self.release($0, device, at: time) }
    }

    /// The releases of all keys still held, for a moment after which they cannot be seen.
    mutating func releaseAll(at time: EventTime) -> [AdmittedEvent] {
        held.keys.sorted().compactMap { release($0.keycode, device: $0.device, at: time) }
    }

    /// The releases of all keys of a device that are still held.
    mutating func releaseAll(of device: UInt8, at time: EventTime) -> [AdmittedEvent] {
        held.keys.filter { $0.device == device }.sorted()
            .compactMap { release($0.keycode, device: device, at: time) }
    }

    private static func release(
        _ pressed: AdmittedEvent.Key,
        _ device: UInt8,
        at time: EventTime
    ) -> AdmittedEvent {
        var key = pressed
        key.isDown = false
        return AdmittedEvent(time: time, device: device, payload: .key(key))
    }
}
