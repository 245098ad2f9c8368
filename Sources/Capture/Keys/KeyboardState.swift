// SPDX-License-Identifier: Apache-2.0

import Events

/// Names the keys: each by the map that was in force for its device, and the modifiers, at its moment.
///
/// Every device has a map of its own. A keyboard of the screen (a master), by which programs name
/// keys, takes over the map of the device that types for it when that was another one before. Maps
/// change while keys wait to be read. What the server says of a map holds from its answer on, up to
/// the next notice that the map changed. A key outside of that has no keysym and the class that tells
/// nothing: never what the server would say now. Maps are kept in memory only.
///
/// Modifiers come from the server's state notifications and never from presses and releases, for
/// a release may be withheld during a grab.
struct KeyboardState {
    /// The devices that keys come from, by their id.
    private var sources: [UInt8: Source] = [:]
    /// The keyboards of the screen, by their id.
    private var masters: [UInt8: Master] = [:]
    private var areDevicesOutdated = false

    private struct Source {
        var layout: Followed<DeviceLayout>
        let master: UInt8
        /// The keys whose change the master may not have taken over.
        var apart = ByteSet()
    }

    private struct Master {
        var layout: Followed<DeviceLayout>
        var held: Followed<X11Event.HeldModifiers>
        /// The keys that have changed since it took over the map of a device.
        var apart = ByteSet()
    }

    init() {}

    init(_ connection: X11Connection) throws(CaptureError) {
        try connection.startKeyboardExtension()
        learnDevices(connection)
        guard !masters.isEmpty else {
            throw CaptureError(connection.isLost ? .unreachable : .unsuitable)
        }
    }

    /// The key as it is named at this place of the stream.
    mutating func key(
        _ header: X11Event.RawHeader,
        _ keycode: UInt8,
        isDown: Bool,
        serial: UInt
    ) -> RawEvent.Key {
        guard let layout = layout(header, keycode, serial),
            let held = masters[header.master]?.held.value(at: serial)
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

    /// The map by which a key has its name; nil where nobody knows.
    private mutating func layout(
        _ header: X11Event.RawHeader,
        _ keycode: UInt8,
        _ serial: UInt
    ) -> DeviceLayout? {
        if let layout = masters[header.master]?.layout.value(for: keycode, at: serial) {
            return layout
        }
        // What it took over when this device began to type.
        guard let master = masters[header.master], !master.apart.contains(keycode),
            let source = sources[header.device], source.master == header.master,
            !source.apart.contains(keycode)
        else { return nil }
        return sources[header.device]?.layout.value(for: keycode, at: serial)
    }

    // MARK: Notices

    /// Takes what the server says of keyboards, in the order of the stream.
    mutating func take(_ event: X11Event, serial: UInt) {
        switch event {
        case .modifiersChanged(let keyboard, let modifiers):
            masters[keyboard]?.held.replace(with: modifiers, at: serial)
        case .keyMapChanged(let device, let keycodes, let isReplaced):
            mapDidChange(device, keycodes, isReplaced, serial)
        case .devicesChanged(let ids):
            areDevicesOutdated = true
            // Behind this place the id may be another device's, of which nobody has asked.
            sources = sources.filter { !ids.contains($0.key) || $0.value.layout.since > serial }
            masters = masters.filter { !ids.contains($0.key) || $0.value.layout.since > serial }
        default: break
        }
    }

    private mutating func mapDidChange(
        _ device: UInt8,
        _ keycodes: ByteSet,
        _ isReplaced: Bool,
        _ serial: UInt
    ) {
        sources[device]?.layout.change(keycodes, at: serial)
        sources[device]?.apart.formUnion(keycodes)
        masters[device]?.layout.change(keycodes, at: serial)
        guard isReplaced else {
            masters[device]?.apart.formUnion(keycodes)
            return
        }
        guard masters[device] != nil else { return }
        // By that of the device that types next; where it is another one, that tells its own change.
        masters[device]?.apart = ByteSet()
        for (id, source) in sources where source.master == device { sources[id]?.apart = ByteSet() }
    }

    /// All is read: asks for what is not known any more, for the keys to come.
    mutating func endReading(_ connection: X11Connection) {
        if areDevicesOutdated {
            areDevicesOutdated = false
            learnDevices(connection)
        }
        for (id, source) in sources where source.layout.isOutdated {
            let new = connection.keyMap(of: id).map { DeviceLayout($0) }
            sources[id]?.layout.learn(new, at: connection.nextRequest - 1)
        }
        for (id, master) in masters where master.layout.isOutdated {
            let new = connection.keyMap(of: id).map { DeviceLayout($0) }
            masters[id]?.layout.learn(new, at: connection.nextRequest - 1)
        }
    }

    /// Finds out which keyboards there are, and asks for what is not followed yet.
    private mutating func learnDevices(_ connection: X11Connection) {
        let keyboards = connection.keyboards()
        masters = masters.filter { keyboards.masters.contains($0.key) }
        for id in keyboards.masters where masters[id] == nil {
            let layout = Self.followLayout(of: id, connection)
            var held = Followed<X11Event.HeldModifiers>(since: connection.nextRequest)
            connection.followModifiers(of: id)
            let now = connection.modifiers(of: id)
            held.learn(now, at: connection.nextRequest - 1)
            masters[id] = Master(layout: layout, held: held)
        }
        sources = sources.filter { keyboards.sources[$0.key] == $0.value.master }
        for (id, master) in keyboards.sources where sources[id] == nil {
            sources[id] = Source(layout: Self.followLayout(of: id, connection), master: master)
        }
    }

    private static func followLayout(
        of id: UInt8,
        _ connection: X11Connection
    ) -> Followed<DeviceLayout> {
        var layout = Followed<DeviceLayout>(since: connection.nextRequest)
        connection.followMap(of: id)
        let now = connection.keyMap(of: id).map { DeviceLayout($0) }
        layout.learn(now, at: connection.nextRequest - 1)
        return layout
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
