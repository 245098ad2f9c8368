// SPDX-License-Identifier: Apache-2.0

import Events

/// The logical button numbers: the server maps a button first for its device, then for its pointer.
///
/// Raw events carry the physical number. `xmodmap -e "pointer = …"` changes the map of the pointer,
/// `xinput set-button-map` that of a device. The server refuses either while an affected button is
/// down.
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

    /// The logical number, which programs receive; 0 if the button is disabled.
    func number(of button: UInt8, device: UInt8, master: UInt8) -> UInt8 {
        mapped(mapped(button, by: device), by: master)
    }

    /// The map of a device combined with its pointer's; empty if every button keeps its number.
    func whole(of device: UInt8) -> [UInt8] {
        guard let entry = entries[device], entry.count > 0 else { return [] }
        // A floating device has no pointer.
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
