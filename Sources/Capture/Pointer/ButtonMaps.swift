// SPDX-License-Identifier: Apache-2.0

import Events

/// What programs are told of buttons, which the server renumbers: first for the device, then for its
/// pointer.
///
/// Raw events carry the number that the device gave. `xmodmap -e "pointer = …"` changes the map of
/// the pointer, `xinput set-button-map` that of a device; the server refuses either while a button
/// concerned is down.
struct ButtonMaps {
    private struct Entry {
        var map: [UInt8]
        var master: UInt8
        var count: UInt8
    }

    private var entries: [UInt8: Entry] = [:]

    init(_ devices: [UInt8: X11Connection.DeviceEntry]) {
        entries = devices.mapValues {
            Entry(map: $0.ownMap, master: $0.device.master, count: $0.device.buttons)
        }
    }

    /// The number that programs are told; 0 where they are told nothing.
    func number(of button: UInt8, device: UInt8, master: UInt8) -> UInt8 {
        mapped(mapped(button, by: device), by: master)
    }

    /// The map of a device together with its pointer's; empty where every button keeps its number.
    func whole(of device: UInt8) -> [UInt8] {
        guard let entry = entries[device], entry.count > 0 else { return [] }
        // One that floats has no pointer.
        let map = (1...entry.count).map { number(of: $0, device: device, master: entry.master) }
        return map.elementsEqual(1...entry.count) ? [] : map
    }

    private func mapped(_ button: UInt8, by id: UInt8) -> UInt8 {
        guard let map = entries[id]?.map, button > 0, Int(button) <= map.count else {
            return button
        }
        return map[Int(button) - 1]
    }
}
