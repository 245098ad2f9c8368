// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// The master keyboards, and the slave devices with keys, each with its master.
    func keyboards() -> (masters: Set<UInt8>, sources: [UInt8: UInt8]) {
        var keyboards: (masters: Set<UInt8>, sources: [UInt8: UInt8]) = ([], [:])
        var count: Int32 = 0
        guard let infos = unsafe XIQueryDevice(display, XIAllDevices, &count) else {
            return keyboards
        }
        defer { unsafe XIFreeDeviceInfo(infos) }
        for index in 0..<Int(count) {
            let info = unsafe infos[index]
            guard let id = UInt8(exactly: unsafe info.deviceid) else { continue }
            let hasKeys = (0..<Int(unsafe info.num_classes)).contains { number in
                unsafe info.classes[number]?.pointee.type == XIKeyClass
            }
            switch unsafe info.use {
            case XIMasterKeyboard: keyboards.masters.insert(id)
            case XIMasterPointer: continue
            default:
                guard hasKeys else { continue }
                keyboards.sources[id] = UInt8(clamping: unsafe info.attachment)
            }
        }
        return keyboards
    }

    /// The map of a device; nil if there is no such device.
    func keyMap(of device: UInt8) -> KeyboardMap? {
        // Key types, keysyms and modifiers: XkbAllClientInfoMask is a macro, which Swift does not
        // import.
        let parts = UInt32(XkbKeyTypesMask | XkbKeySymsMask | XkbModifierMapMask)
        return unsafe XkbGetMap(display, parts, UInt32(device)).map { unsafe KeyboardMap($0) }
    }
}

/// The key map of a device as the server reported it at one time.
@safe final class KeyboardMap {
    let map: XkbDescPtr

    /// Takes ownership of a map that Xlib has read.
    fileprivate init(_ map: XkbDescPtr) {
        unsafe self.map = map
    }

    deinit { unsafe XkbFreeKeyboard(map, 0, 1) }

    /// Translates a key under modifiers and a group, without a round trip.
    ///
    /// XkbTranslateKeyCode reports the modifiers that a key's type uses, but not which of them
    /// chose the level. With it, Ctrl+Q and an `@` on Ctrl+Alt+Q would look the same.
    func translate(keycode: UInt8, modifiers: UInt8, group: UInt8) -> KeyTranslation {
        var result = KeyTranslation()
        guard let client = unsafe map.pointee.map,
            unsafe (map.pointee.min_key_code...map.pointee.max_key_code).contains(keycode),
            let symbolMap = unsafe client.pointee.key_sym_map?[Int(keycode)],
            let effective = Self.group(group, of: symbolMap.group_info),
            let type = unsafe client.pointee.types?[Int(Self.type(of: effective, symbolMap))]
        else { return result }
        var level = 0
        var known = unsafe type.mods.mask
        for index in 0..<Int(unsafe type.map_count) {
            guard let entry = unsafe type.map?[index], entry.active != 0,
                modifiers & (unsafe type.mods.mask) == entry.mods.mask
            else { continue }
            level = Int(entry.level)
            result.chosenBy = entry.mods.mask
            if let kept = unsafe type.preserve?[index] { known &= ~kept.mask }
            break
        }
        let index = Int(symbolMap.offset) + effective * Int(symbolMap.width) + level
        guard level < Int(symbolMap.width), index < Int(unsafe client.pointee.num_syms),
            let keysym = unsafe client.pointee.syms?[index]
        else { return result }
        result.keysym = UInt32(truncatingIfNeeded: keysym)
        if modifiers & UInt8(LockMask) & ~known != 0 {
            result.keysym = Self.capital(result.keysym)
        }
        return result
    }

    /// The capital of a letter; a type that ignores Caps Lock leaves that to the client.
    ///
    /// For some letters without a capital, like ß and µ, Xlib returns an unrelated keysym. A
    /// capital that does not convert back is ignored.
    private static func capital(_ keysym: UInt32) -> UInt32 {
        var (lower, upper, back, same): (KeySym, KeySym, KeySym, KeySym) = (0, 0, 0, 0)
        unsafe XConvertCase(KeySym(keysym), &lower, &upper)
        unsafe XConvertCase(upper, &back, &same)
        return back == KeySym(keysym) ? UInt32(truncatingIfNeeded: upper) : keysym
    }

    /// The effective group of a key, which may have fewer groups; nil if it has none.
    private static func group(_ group: UInt8, of info: UInt8) -> Int? {
        let count = Int(info & 0x0F)
        guard count > 0 else { return nil }
        guard Int(group) >= count else { return Int(group) }
        switch Int32(info & 0xC0) {
        case XkbClampIntoRange: return count - 1
        case XkbRedirectIntoRange:
            let wanted = Int(info & 0x30) >> 4
            return wanted < count ? wanted : 0
        default: return Int(group) % count
        }
    }

    private static func type(of group: Int, _ map: XkbSymMapRec) -> UInt8 {
        switch group {
        case 0: map.kt_index.0
        case 1: map.kt_index.1
        case 2: map.kt_index.2
        default: map.kt_index.3
        }
    }

    /// The keysyms on the keys of each modifier bit, from Shift to Mod5.
    func modifierKeysyms() -> [[UInt32]] {
        var keysyms = [[UInt32]](repeating: [], count: 8)
        for keycode in UInt8(8)...255
        where unsafe (map.pointee.min_key_code...map.pointee.max_key_code).contains(keycode) {
            guard let bits = unsafe map.pointee.map?.pointee.modmap?[Int(keycode)], bits != 0 else {
                continue
            }
            let keysym = translate(keycode: keycode, modifiers: 0, group: 0).keysym
            for bit in 0..<8 where bits & 1 << UInt8(bit) != 0 { keysyms[bit].append(keysym) }
        }
        return keysyms
    }
}
