// SPDX-License-Identifier: Apache-2.0

import Events

/// The keys that were admitted as pressed, so that each is stored as released exactly once.
///
/// A release has the class, keysym and modifiers of its press: a letter pressed alone and released
/// under Ctrl stays a letter. A release without an admitted press is not stored.
struct HeldKeys {
    /// A key of one keyboard; two keyboards may hold the same keycode at once.
    private struct HeldKey: Hashable, Comparable, Redacted {
        var keycode: UInt8
        var device: UInt8

        static func < (left: HeldKey, right: HeldKey) -> Bool {
            (left.keycode, left.device) < (right.keycode, right.device)
        }
    }

    private var held: [HeldKey: StoredKey] = [:]

    /// Records an admitted press.
    mutating func press(_ keycode: UInt8, device: UInt8, _ key: StoredKey) {
        held[HeldKey(keycode: keycode, device: device)] = key
    }

    /// Whether a held key is a modifier.
    func isModifier(_ keycode: UInt8, device: UInt8) -> Bool {
        held[HeldKey(keycode: keycode, device: device)]?.keyClass == .modifier
    }

    /// Whether any held key is a modifier.
    var hasModifier: Bool { held.values.contains { $0.keyClass == .modifier } }

    /// The release for the admitted press of this key; nil if there was none.
    mutating func release(
        _ keycode: UInt8,
        device: UInt8,
        at time: EventTime
    ) -> AdmittedEvent? {
        let key = HeldKey(keycode: keycode, device: device)
        return held.removeValue(forKey: key).map { Self.release($0, device, at: time) }
    }

    /// The releases of all held keys, for a moment after which their real ones cannot be seen.
    mutating func releaseAll(at time: EventTime) -> [AdmittedEvent] {
        held.keys.sorted().compactMap { release($0.keycode, device: $0.device, at: time) }
    }

    /// The releases of all held keys of a device.
    mutating func releaseAll(of device: UInt8, at time: EventTime) -> [AdmittedEvent] {
        held.keys.filter { $0.device == device }.sorted()
            .compactMap { release($0.keycode, device: device, at: time) }
    }

    private static func release(
        _ pressed: StoredKey,
        _ device: UInt8,
        at time: EventTime
    ) -> AdmittedEvent {
        var key = pressed
        key.isDown = false
        return AdmittedEvent(time: time, device: device, payload: .key(key))
    }
}
