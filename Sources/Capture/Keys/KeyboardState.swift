// SPDX-License-Identifier: Apache-2.0

import Events

/// Translates keys, each by its device's map and the modifiers that were in effect at that moment.
///
/// Every device has its own map. Programs translate keys by the map of a master keyboard, which
/// copies the map of the device that types when that device changes. Maps change while keys wait to
/// be read. A map holds from the server's reply until the next notice that it changed. Outside
/// that, a key has no keysym and the class `key`: it never gets what the server would say now. Maps
/// are kept in memory only.
///
/// Modifiers come from the server's state notifications and never from key presses and releases,
/// because a release may be withheld during a grab.
struct KeyboardState {
    /// The slave devices with keys, by id.
    private var sources: [UInt8: Source] = [:]
    /// The master keyboards, by id.
    private var masters: [UInt8: Master] = [:]
    private var areDevicesOutdated = false

    private struct Source {
        var layout: Followed<DeviceLayout>
        let master: UInt8
        /// The keys whose change the master may not have copied.
        var apart = ByteSet()
    }

    private struct Master {
        var layout: Followed<DeviceLayout>
        var held: Followed<X11Event.HeldModifiers>
        /// The keys that changed since the master copied a device's map.
        var apart = ByteSet()
    }

    init() {}

    init(_ connection: X11Connection) throws(CaptureError) {
        learnDevices(connection)
        guard !masters.isEmpty else {
            throw CaptureError(connection.isLost ? .unreachable : .unsuitable)
        }
    }

    /// Translates a key at this position of the stream.
    mutating func key(
        _ header: X11Event.RawHeader,
        _ keycode: UInt8,
        isDown: Bool,
        serial: StreamSerial
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

    /// The map that translates a key; nil if it is unknown.
    private mutating func layout(
        _ header: X11Event.RawHeader,
        _ keycode: UInt8,
        _ serial: StreamSerial
    ) -> DeviceLayout? {
        if let layout = masters[header.master]?.layout.value(for: keycode, at: serial) {
            return layout
        }
        // The master copied this map when the device began to type.
        guard let master = masters[header.master], !master.apart.contains(keycode),
            let source = sources[header.device], source.master == header.master,
            !source.apart.contains(keycode)
        else { return nil }
        return sources[header.device]?.layout.value(for: keycode, at: serial)
    }

    // MARK: Notices

    /// Takes a notice about keyboards, in stream order.
    mutating func take(_ event: X11Event, serial: StreamSerial) {
        switch event {
        case .modifiersChanged(let keyboard, let modifiers):
            masters[keyboard]?.held.replace(with: modifiers, at: serial)
        case .keyMapChanged(let device, let keycodes, let isReplaced):
            mapDidChange(device, keycodes, isReplaced, serial)
        case .devicesChanged(let ids):
            areDevicesOutdated = true
            // From here on the id may belong to another device, which was not queried.
            sources = sources.filter {
                !ids.contains($0.key) || serial.isBefore($0.value.layout.since)
            }
            masters = masters.filter {
                !ids.contains($0.key) || serial.isBefore($0.value.layout.since)
            }
        default: break
        }
    }

    private mutating func mapDidChange(
        _ device: UInt8,
        _ keycodes: ByteSet,
        _ isReplaced: Bool,
        _ serial: StreamSerial
    ) {
        sources[device]?.layout.change(keycodes, at: serial)
        sources[device]?.apart.formUnion(keycodes)
        masters[device]?.layout.change(keycodes, at: serial)
        guard isReplaced else {
            masters[device]?.apart.formUnion(keycodes)
            return
        }
        guard masters[device] != nil else { return }
        // The master copies the map of the next typing device; a device with another map reports
        // its own change.
        masters[device]?.apart = ByteSet()
        for (id, source) in sources where source.master == device { sources[id]?.apart = ByteSet() }
    }

    /// Ends a drain: queries what is no longer known, for later keys.
    mutating func endReading(_ connection: X11Connection) {
        if areDevicesOutdated {
            areDevicesOutdated = false
            learnDevices(connection)
        }
        for (id, source) in sources where source.layout.isOutdated {
            Self.read(&sources[id, default: source].layout, of: id, connection)
        }
        for (id, master) in masters where master.layout.isOutdated {
            Self.read(&masters[id, default: master].layout, of: id, connection)
        }
    }

    /// Queries the present keyboards and begins to follow new ones.
    private mutating func learnDevices(_ connection: X11Connection) {
        let keyboards = connection.keyboards()
        masters = masters.filter { keyboards.masters.contains($0.key) }
        for id in keyboards.masters where masters[id] == nil {
            let layout = Self.followLayout(of: id, connection)
            let wire = connection.wire
            var held = Followed<X11Event.HeldModifiers>(since: wire.nextRequest)
            wire.followModifiers(of: id)
            // On the wire itself, so that the reply has an exact position among the notices.
            let serial = wire.nextRequest
            held.learn(Dated(wire.modifiers(of: id), at: serial))
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
        var layout = Followed<DeviceLayout>(since: connection.wire.nextRequest)
        connection.wire.followMap(of: id)
        read(&layout, of: id, connection)
        return layout
    }

    private static func read(
        _ layout: inout Followed<DeviceLayout>,
        of id: UInt8,
        _ connection: X11Connection
    ) {
        layout.learn(connection.dated { connection.keyMap(of: id).map { DeviceLayout($0) } })
    }
}

/// A changing value of the server, at the position of the stream that was reached.
struct Followed<Value> {
    /// The serial of the request that selected the notices.
    let since: StreamSerial
    /// Whether the value must be queried again.
    private(set) var isOutdated = false
    /// The value at the position that was reached; nil if unknown.
    private var value: Value?
    /// The keys for which the value no longer holds.
    private var changed = ByteSet()
    /// A reply that does not hold yet.
    private var answer: Dated<Value?>?

    init(since: StreamSerial) {
        self.since = since
    }

    /// Takes a reply of the server; nil if there was none.
    mutating func learn(_ reply: Dated<Value?>) {
        answer = reply
        isOutdated = false
    }

    /// The value at a serial; nil if unknown.
    mutating func value(at serial: StreamSerial) -> Value? {
        reach(serial)
        return value
    }

    /// The value for a key at a serial; nil if unknown.
    mutating func value(for keycode: UInt8, at serial: StreamSerial) -> Value? {
        reach(serial)
        return changed.contains(keycode) ? nil : value
    }

    /// Takes a notice without the new value: it is unknown from here on for these keys.
    mutating func change(_ keycodes: ByteSet, at serial: StreamSerial) {
        reach(serial)
        changed.formUnion(keycodes)
        dropAnswer(changedAt: serial)
        if answer == nil { isOutdated = true }
    }

    /// Takes a notice with the new value.
    mutating func replace(with value: Value, at serial: StreamSerial) {
        reach(serial)
        self.value = value
        dropAnswer(changedAt: serial)
    }

    /// Drops a reply that may or may not include a change.
    private mutating func dropAnswer(changedAt serial: StreamSerial) {
        if let answer, answer.isOutdated(byChangeAt: serial) { self.answer = nil }
    }

    private mutating func reach(_ serial: StreamSerial) {
        guard let answer, answer.holds(at: serial) else { return }
        (value, changed) = (answer.value, ByteSet())
        self.answer = nil
    }
}
