// SPDX-License-Identifier: Apache-2.0

import Events

/// Reads the sections of a decompressed batch.
struct ColumnReader {
    private var sections: [BatchLayout.Section: Cursor] = [:]
    private var itemCount = 0

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
            default: payload = .input(try columns.input(kind, at: EventTime(time)))
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

    /// The demonstration to which the batch belongs; nil if it belongs to none.
    func demonstration() throws(PackingError) -> Demonstration? {
        guard var cursor = sections[.demonstration], !cursor.isAtEnd else { return nil }
        let code = try cursor.byte()
        let (begun, ended) = (try cursor.zigzag(), try cursor.zigzag())
        let (name, goal) = (try cursor.text(), try cursor.text())
        var result = Demonstration(name: name, goal: goal, begun: WallTime(begun))
        guard code != 0 else { return result }
        // A later version may know more outcomes.
        result.ended = WallTime(ended)
        result.outcome = Demonstration.Outcome(rawValue: code)
        return result
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
