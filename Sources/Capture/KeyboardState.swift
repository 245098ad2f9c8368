// SPDX-License-Identifier: Apache-2.0

import Events

/// Names the keys: each by the map of its own device and the modifiers in force at its moment.
///
/// Every keyboard may have a map of its own, and maps change while keys wait to be read. What the
/// server says of a map holds from its answer on, up to the next notice that the map changed. A key
/// outside of that has no keysym and the class that tells nothing: never what the server would say
/// now. Maps are kept in memory only.
///
/// Modifiers come from the server's state notifications and never from presses and releases, for
/// a release may be withheld during a grab.
struct KeyboardState {
    /// The modifiers and the group in force, by the master keyboard.
    private var held: [UInt8: Followed<X11Event.HeldModifiers>] = [:]
    /// By the device that keys come from.
    private var layouts: [UInt8: Followed<DeviceLayout>] = [:]
    private var areDevicesOutdated = false

    init() {}

    init(_ connection: X11Connection) throws(CaptureError) {
        try connection.startKeyboardExtension()
        learnDevices(connection)
        guard !layouts.isEmpty else {
            throw CaptureError(connection.isLost ? .unreachable : .unsuitable)
        }
    }

    /// The key as the map of its device names it at this place of the stream.
    mutating func key(
        _ header: X11Event.RawHeader,
        _ keycode: UInt8,
        isDown: Bool,
        serial: UInt
    ) -> RawEvent.Key {
        guard let layout = layouts[header.device]?.value(for: keycode, at: serial),
            let held = held[header.master]?.value(at: serial)
        else {
            return RawEvent.Key(
                keycode: keycode,
                isDown: isDown,
                keyClass: .key,
                modifiers: [],
                keysym: 0
            )
        }
        return layout.key(keycode, isDown: isDown, held)
    }

    /// Takes what the server says of keyboards, in the order of the stream.
    mutating func take(_ event: X11Event, serial: UInt) {
        switch event {
        case .modifiersChanged(let keyboard, let modifiers):
            held[keyboard]?.replace(with: modifiers, at: serial)
        case .keyMapChanged(let device, let keycodes):
            layouts[device]?.change(keycodes, at: serial)
        case .devicesChanged(let ids):
            areDevicesOutdated = true
            // Behind this place the id may be another device's, of which nobody has asked.
            held = held.filter { !ids.contains($0.key) || $0.value.since > serial }
            layouts = layouts.filter { !ids.contains($0.key) || $0.value.since > serial }
        default: break
        }
    }

    /// All is read: asks for what is not known any more, for the keys to come.
    mutating func endReading(_ connection: X11Connection) {
        if areDevicesOutdated {
            areDevicesOutdated = false
            learnDevices(connection)
        }
        for (id, layout) in layouts where layout.isOutdated {
            let new = connection.keyMap(of: id).map { DeviceLayout($0) }
            layouts[id]?.learn(new, at: connection.nextRequest - 1)
        }
    }

    /// Finds out which keyboards there are, and asks for what is not followed yet.
    private mutating func learnDevices(_ connection: X11Connection) {
        let keyboards = connection.keyboards()
        held = held.filter { keyboards.masters.contains($0.key) }
        for id in keyboards.masters where held[id] == nil {
            held[id] = Followed(since: connection.nextRequest)
            connection.followModifiers(of: id)
            let now = connection.modifiers(of: id)
            held[id]?.learn(now, at: connection.nextRequest - 1)
        }
        layouts = layouts.filter { keyboards.sources.contains($0.key) }
        for id in keyboards.sources where layouts[id] == nil {
            layouts[id] = Followed(since: connection.nextRequest)
            connection.followMap(of: id)
            let map = connection.keyMap(of: id).map { DeviceLayout($0) }
            layouts[id]?.learn(map, at: connection.nextRequest - 1)
        }
    }
}

/// What the server has said of something that changes, at the places of the stream where it holds.
///
/// An answer holds behind its request; a notice of a change ends that, but for an answer that was
/// given after the change.
struct Followed<Value> {
    /// The number of the request with which the notices were asked for.
    let since: UInt
    /// Whether it is to be asked for again.
    private(set) var isOutdated = false
    /// What holds at the place that was reached; nil where nobody knows.
    private var value: Value?
    /// The keys for which that holds no more.
    private var changed = ByteSet()
    /// What holds from a place on that was not reached yet.
    private var answer: (value: Value?, serial: UInt)?

    init(since: UInt) {
        self.since = since
    }

    /// The server has answered.
    ///
    /// - Parameters:
    ///   - value: what it said; nil where it said nothing.
    ///   - serial: the number of the request that it answered.
    mutating func learn(_ value: Value?, at serial: UInt) {
        answer = (value, serial)
        isOutdated = false
    }

    /// What holds at a place in the stream; nil where nobody knows.
    mutating func value(at serial: UInt) -> Value? {
        reach(serial)
        return value
    }

    /// What holds for a key at a place in the stream; nil where nobody knows.
    mutating func value(for keycode: UInt8, at serial: UInt) -> Value? {
        reach(serial)
        return changed.contains(keycode) ? nil : value
    }

    /// A notice: from here on it is another value, which the server did not tell.
    mutating func change(_ keycodes: ByteSet, at serial: UInt) {
        reach(serial)
        changed.formUnion(keycodes)
        if answer == nil { isOutdated = true }
    }

    /// A notice that says what holds from here on.
    mutating func replace(with value: Value, at serial: UInt) {
        reach(serial)
        self.value = value
    }

    private mutating func reach(_ serial: UInt) {
        guard let answer, serial >= answer.serial else { return }
        (value, changed) = (answer.value, ByteSet())
        self.answer = nil
    }
}
