// SPDX-License-Identifier: Apache-2.0

import CX11
import Foundation
import Testing

/// Another client of an X server, which keeps the raw events as the server sends them.
final class RawWitness {
    struct Seen: Equatable, CustomStringConvertible {
        /// XI_RawKeyPress to XI_RawTouchEnd.
        var type: Int32
        /// The name of the physical device.
        var device: String
        var detail: Int32
        /// The values before acceleration, by axis.
        var counts: [Int: Double] = [:]
        /// The values after it.
        var values: [Int: Double] = [:]
        var isEmulated = false

        var description: String {
            let axes = counts.keys.sorted().map { "\($0): \(counts[$0] ?? 0) (\(values[$0] ?? 0))" }
            return "\(type) \(device) \(detail) \(axes)"
        }
    }

    private let display: OpaquePointer
    private let names: [Int: String]

    init(_ desktop: Desktop) throws {
        let display = try #require(XOpenDisplay(desktop.display))
        self.display = display
        names = Self.deviceNames(display)
        var (major, minor): (Int32, Int32) = (2, 2)
        try #require(XIQueryVersion(display, &major, &minor) == 0)
        var bits = [UInt8](repeating: 0, count: 4)
        for type in Array(XI_RawKeyPress...XI_RawMotion) + Array(XI_RawTouchBegin...XI_RawTouchEnd)
        {
            bits[Int(type) / 8] |= 1 << (type % 8)
        }
        bits.withUnsafeMutableBufferPointer {
            var mask = XIEventMask(deviceid: XIAllMasterDevices, mask_len: 4, mask: $0.baseAddress)
            XISelectEvents(display, XDefaultRootWindow(display), &mask, 1)
        }
        XSync(display, 0)
    }

    deinit { XCloseDisplay(display) }

    /// The names of all devices by their number.
    static func deviceNames(_ display: OpaquePointer) -> [Int: String] {
        var count: Int32 = 0
        guard let devices = XIQueryDevice(display, XIAllDevices, &count) else { return [:] }
        defer { XIFreeDeviceInfo(devices) }
        var names: [Int: String] = [:]
        for device in UnsafeBufferPointer(start: devices, count: Int(count)) {
            names[Int(device.deviceid)] = device.name.map { String(cString: $0) }
        }
        return names
    }

    /// What has come since the last call.
    func seen() -> [Seen] {
        XSync(display, 0)
        var seen: [Seen] = []
        while XEventsQueued(display, QueuedAlready) > 0 {
            var event = XEvent()
            XNextEvent(display, &event)
            guard event.type == GenericEvent, XGetEventData(display, &event.xcookie) != 0 else {
                continue
            }
            defer { XFreeEventData(display, &event.xcookie) }
            guard let data = event.xcookie.data else { continue }
            let raw = data.assumingMemoryBound(to: XIRawEvent.self).pointee
            var one = Seen(
                type: event.xcookie.evtype,
                device: names[Int(raw.sourceid)] ?? "",
                detail: raw.detail
            )
            one.isEmulated = raw.flags & XIPointerEmulated != 0
            var index = 0
            for axis in 0..<Int(raw.valuators.mask_len) * 8
            where raw.valuators.mask[axis / 8] & (1 << (axis % 8)) != 0 {
                one.counts[axis] = raw.raw_values[index]
                one.values[axis] = raw.valuators.values[index]
                index += 1
            }
            seen.append(one)
        }
        return seen
    }
}
