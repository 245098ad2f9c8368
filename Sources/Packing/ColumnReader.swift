// SPDX-License-Identifier: Apache-2.0

import Events

/// Reads the sections of a decompressed batch.
struct ColumnReader {
    private var sections: [BatchLayout.Section: Cursor] = [:]
    private var itemCount = 0

    /// Maximum seconds of a typing run; a batch is always shorter.
    private static let maxSeconds: Int64 = 3600

    /// Finds the sections and skips unknown ones.
    init(_ columns: [UInt8]) throws(PackingError) {
        var cursor = Cursor(columns, 0..<columns.count)
        while !cursor.isAtEnd {
            let id = try cursor.byte()
            let range = try cursor.range()
            guard let section = BatchLayout.Section(rawValue: id) else { continue }
            guard sections[section] == nil else { throw PackingError(.badColumns) }
            sections[section] = Cursor(columns, range)
        }
    }

    mutating func header() throws(PackingError) -> BatchHeader {
        guard var cursor = sections[.header] else { throw PackingError(.badColumns) }
        guard BatchLayout.readable.contains(try cursor.varint()) else {
            throw PackingError(.unknownVersion)
        }
        let sequence = try cursor.varint()
        guard let count = Int(exactly: try cursor.varint()), count <= BatchLayout.maxColumns else {
            throw PackingError(.badColumns)
        }
        itemCount = count
        let base = EventTime(try cursor.zigzag())
        let wallOffset = try cursor.zigzag()
        var bootID: [UInt8] = []
        for _ in 0..<16 { bootID.append(try cursor.byte()) }
        return BatchHeader(
            sequence: sequence,
            bootID: bootID,
            wallOffset: wallOffset,
            keyDetail: try cursor.byte(),
            flags: try cursor.byte(),
            base: base,
            app: try cursor.text()
        )
    }

    func items(base: EventTime) throws(PackingError) -> [OpenedItem] {
        var columns = Columns { sections[$0] ?? Cursor([], 0..<0) }
        let hasTitles = !columns[.titles].isAtEnd

        // Each item has a time, so a forged count cannot reserve memory for more items.
        guard itemCount <= columns[.times].left else { throw PackingError(.badColumns) }
        var time = base.milliseconds
        var items: [OpenedItem] = []
        items.reserveCapacity(itemCount)
        for _ in 0..<itemCount {
            let code = try columns[.kinds].runByte()
            let hasPixel = code & BatchLayout.hasPixel != 0
            guard let kind = BatchLayout.Kind(rawValue: code & ~BatchLayout.hasPixel),
                kind.hasDevice || !hasPixel
            else { throw PackingError(.badColumns) }
            time &+= try columns[.times].zigzag()
            let device = kind.hasDevice ? try columns[.devices].runByte() : 0
            let pixel = hasPixel ? try columns[.pixels].pixel() : nil
            let payload: OpenedItem.Payload
            switch kind {
            case .key:
                let code = try columns[.keys].byte()
                guard let keyClass = KeyClass(rawValue: code & BatchLayout.keyClass) else {
                    throw PackingError(.badColumns)
                }
                let hasKeysym = code & BatchLayout.keyHasKeysym != 0
                let key = StoredKey(
                    isDown: code & BatchLayout.keyIsDown != 0,
                    keyClass: keyClass,
                    modifiers: Modifiers(rawValue: try columns[.modifiers].runByte()),
                    keysym: hasKeysym
                        ? UInt32(truncatingIfNeeded: try columns[.keysyms].varint()) : 0
                )
                payload = .input(.key(key))
            case .button:
                let code = try columns[.buttons].varint()
                guard let number = UInt8(exactly: code >> 1) else {
                    throw PackingError(.badColumns)
                }
                payload = .input(.button(number: number, isDown: code & 1 != 0))
            case .typing:
                guard let length = Int64(exactly: try columns[.typing].varint()),
                    length <= Self.maxSeconds
                else { throw PackingError(.badColumns) }
                payload = .input(.typing(EventTime(time &+ length * 1000)))
            case .motion:
                let byte = try columns[.motions].byte()
                if byte == BatchLayout.wideMotion {
                    let (dx, dy) = (
                        try columns[.wideMotions].int32(), try columns[.wideMotions].int32()
                    )
                    payload = .input(.motion(dx: dx, dy: dy))
                } else {
                    let (dx, dy) = (Int8(bitPattern: byte) >> 4, Int8(bitPattern: byte << 4) >> 4)
                    payload = .input(.motion(dx: Int32(dx), dy: Int32(dy)))
                }
            case .scroll:
                let (dx, dy) = (try columns[.scrolls].int32(), try columns[.scrolls].int32())
                payload = .input(.scroll(dx: dx, dy: dy))
            case .axes:
                payload = .input(.axes(try columns[.axes].axes()))
            case .touch:
                let code = try columns[.buttons].varint()
                let phase = Touch.Phase(rawValue: UInt8(code % BatchLayout.touchPhases))
                guard let phase, let finger = UInt8(exactly: code / BatchLayout.touchPhases) else {
                    throw PackingError(.badColumns)
                }
                let values = try columns[.axes].axes()
                payload = .input(.touch(Touch(finger: finger, phase: phase, values: values)))
            case .focus:
                let app = try columns[.apps].text()
                let title = hasTitles ? try columns[.titles].text() : ""
                payload = .focus(app: app, title: title.isEmpty ? nil : title)
            case .gap:
                let reason = GapReason(rawValue: try columns[.gaps].byte())
                let stream = try columns[.gaps].byte()
                let duration = try columns[.gaps].zigzag()
                guard stream <= 2 else { throw PackingError(.badColumns) }
                payload = .gap(
                    reason,
                    to: EventTime(time &+ duration),
                    stream: stream == 0 ? nil : InputStream(rawValue: stream - 1)
                )
            }
            items.append(
                OpenedItem(time: EventTime(time), device: device, payload: payload, pixel: pixel)
            )
        }
        guard columns.allSatisfy(\.isAtEnd) else { throw PackingError(.badColumns) }
        return items
    }

    /// The devices with events in the batch, by XInput2 id.
    func devices() throws(PackingError) -> [UInt8: Device] {
        guard var cursor = sections[.deviceTable] else { return [:] }
        var devices: [UInt8: Device] = [:]
        while !cursor.isAtEnd {
            let id = try cursor.byte()
            guard devices[id] == nil else { throw PackingError(.badColumns) }
            devices[id] = try cursor.device()
        }
        if var origins = sections[.origins] {
            while !origins.isAtEnd {
                let id = try origins.byte()
                guard devices[id] != nil else { throw PackingError(.badColumns) }
                devices[id]?.isInjected = try origins.byte() != 0
            }
        } else {
            // The batch predates the origins section.
            for (id, device) in devices {
                devices[id]?.isInjected = Device.isInjected(byName: device.name)
            }
        }
        guard var maps = sections[.buttonMaps] else { return devices }
        while !maps.isAtEnd {
            let id = try maps.byte()
            var map: [UInt8] = []
            for _ in 0..<(try maps.byte()) { map.append(try maps.byte()) }
            guard devices[id]?.buttonMap.isEmpty == true else {
                throw PackingError(.badColumns)
            }
            devices[id]?.buttonMap = map
        }
        return devices
    }

    /// The desktop layout; nil if the batch has none.
    func screen() throws(PackingError) -> ScreenLayout? {
        guard var cursor = sections[.screen], !cursor.isAtEnd else { return nil }
        let screen = try cursor.screen()
        guard cursor.isAtEnd else { throw PackingError(.badColumns) }
        return screen
    }
}

extension Cursor {
    mutating func pixel() throws(PackingError) -> Pixel {
        Pixel(x: try signed(), y: try signed())
    }

    fileprivate mutating func device() throws(PackingError) -> Device {
        guard let kind = Device.Kind(rawValue: try byte()) else { throw PackingError(.badColumns) }
        var device = Device(name: "", kind: kind)
        (device.buttons, device.master) = (try byte(), try byte())
        (device.vendor, device.product) = (try unsigned(), try unsigned())
        device.name = try text()
        for _ in 0..<(try byte()) { device.axes.append(try axis()) }
        return device
    }

    private mutating func axis() throws(PackingError) -> Device.Axis {
        let code = try byte()
        let label = try text()
        let (least, most) = (try int32(), try int32())
        guard least <= most else { throw PackingError(.badColumns) }
        return Device.Axis(
            number: code & ~BatchLayout.axisIsAbsolute,
            label: label,
            isAbsolute: code & BatchLayout.axisIsAbsolute != 0,
            range: least...most,
            resolution: try int32()
        )
    }

    fileprivate mutating func screen() throws(PackingError) -> ScreenLayout {
        var screen = ScreenLayout(width: try unsigned(), height: try unsigned())
        for _ in 0..<(try byte()) {
            screen.monitors.append(
                ScreenLayout.Monitor(
                    x: try signed(),
                    y: try signed(),
                    width: try unsigned(),
                    height: try unsigned(),
                    widthMM: try unsigned(),
                    heightMM: try unsigned()
                )
            )
        }
        return screen
    }
}
