// SPDX-License-Identifier: Apache-2.0

import Events
import Gate

/// The encoded descriptions of the devices and the desktop.
///
/// Each batch describes only the devices with events in it, so that it can be read alone and
/// left-out devices are not described.
struct DeviceTable {
    /// More bytes than the screen section takes.
    static let maxScreenSize = 320
    private static let maxMonitors = 16
    private static let maxNameBytes = 96
    private static let maxLabelBytes = 32

    /// The encoded descriptions, by device id.
    private var devices: [UInt8: [UInt8]] = [:]
    /// The encoded button maps, by device id; none if every button keeps its number.
    private var buttonMaps: [UInt8: [UInt8]] = [:]
    /// The encoded origins (injected or not), by device id.
    private var origins: [UInt8: [UInt8]] = [:]
    private var screen: [UInt8] = []
    /// The devices with events in the open batch.
    var used = DeviceSet()

    func admits(_ device: AdmittedDevice) -> Bool {
        !used.contains(device.id)
            || (devices[device.id] == Self.encoded(device)
                && buttonMaps[device.id] == Self.encodedMap(device)
                && origins[device.id] == Self.encodedOrigin(device))
    }

    func admits(_ screen: AdmittedScreen) -> Bool { self.screen == Self.encoded(screen.screen) }

    mutating func describe(_ device: AdmittedDevice) {
        devices[device.id] = Self.encoded(device)
        buttonMaps[device.id] = Self.encodedMap(device)
        origins[device.id] = Self.encodedOrigin(device)
    }

    mutating func describe(_ screen: AdmittedScreen) {
        self.screen = Self.encoded(screen.screen)
    }

    /// The sections for a batch with events of the given devices.
    ///
    /// Descriptions beyond ``BatchLayout/maxTableBytes`` are omitted; no real desk has that many
    /// devices.
    func sections(of used: DeviceSet) -> [UInt8] {
        var (table, maps, origins): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        for (id, bytes) in devices.sorted(by: { $0.key < $1.key }) where used.contains(id) {
            let map = buttonMaps[id] ?? []
            let origin = self.origins[id] ?? []
            let size = table.count + maps.count + origins.count
            guard size + bytes.count + map.count + origin.count <= BatchLayout.maxTableBytes else {
                continue
            }
            table += bytes
            maps += map
            origins += origin
        }
        return Self.section(.deviceTable, table) + Self.section(.screen, screen)
            + Self.section(.buttonMaps, maps) + Self.section(.origins, origins)
    }

    private static func section(_ id: BatchLayout.Section, _ content: [UInt8]) -> [UInt8] {
        content.isEmpty ? [] : id.intro(content.count) + content
    }

    // MARK: Writing

    /// Nil if the device is unknown.
    private static func encoded(_ admitted: AdmittedDevice) -> [UInt8]? {
        guard let device = admitted.device else { return nil }
        var bytes = [admitted.id, device.kind.rawValue, device.buttons, device.master]
        bytes.append(varint: UInt64(device.vendor))
        bytes.append(varint: UInt64(device.product))
        bytes.append(device.name, atMost: maxNameBytes)
        let axes = device.axes.prefix { $0.number < AxisValues.axes.upperBound }
        bytes.append(UInt8(axes.count))
        for axis in axes {
            bytes.append(axis.number | (axis.isAbsolute ? BatchLayout.axisIsAbsolute : 0))
            bytes.append(axis.label, atMost: maxLabelBytes)
            bytes.append(varint: UInt64(zigzag: Int64(axis.range.lowerBound)))
            bytes.append(varint: UInt64(zigzag: Int64(axis.range.upperBound)))
            bytes.append(varint: UInt64(zigzag: Int64(axis.resolution)))
        }
        return bytes
    }

    /// Nil if every button keeps its number.
    private static func encodedMap(_ admitted: AdmittedDevice) -> [UInt8]? {
        guard let map = admitted.device?.buttonMap, !map.isEmpty else { return nil }
        return [admitted.id, UInt8(clamping: map.count)] + map.prefix(Int(UInt8.max))
    }

    /// Nil if the device is unknown.
    private static func encodedOrigin(_ admitted: AdmittedDevice) -> [UInt8]? {
        admitted.device.map { [admitted.id, $0.isInjected ? 1 : 0] }
    }

    private static func encoded(_ screen: ScreenLayout) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: UInt64(screen.width))
        bytes.append(varint: UInt64(screen.height))
        let monitors = screen.monitors.prefix(maxMonitors)
        bytes.append(UInt8(monitors.count))
        for monitor in monitors {
            bytes.append(varint: UInt64(zigzag: Int64(monitor.x)))
            bytes.append(varint: UInt64(zigzag: Int64(monitor.y)))
            for size in [monitor.width, monitor.height, monitor.widthMM, monitor.heightMM] {
                bytes.append(varint: UInt64(size))
            }
        }
        return bytes
    }
}

extension [UInt8] {
    /// Appends the length and the UTF-8 of a text, truncated to `limit` bytes.
    fileprivate mutating func append(_ text: String, atMost limit: Int) {
        let bytes = text.utf8.prefix(limit)
        append(varint: UInt64(bytes.count))
        append(contentsOf: bytes)
    }
}
