// SPDX-License-Identifier: Apache-2.0

import CX11
import Events

extension X11Connection {
    /// Key types, keysyms and modifiers: XkbAllClientInfoMask, a macro Swift does not import.
    private static var clientMap: Int32 { XkbKeyTypesMask | XkbKeySymsMask | XkbModifierMapMask }

    /// Reads the keyboard's map and begins to follow modifiers, group and map.
    ///
    /// - Returns: the modifiers and the group in force now.
    /// - Throws: ``CaptureError`` `unsuitable` where the server has no XKB.
    func followKeyboard() throws(CaptureError) -> (modifiers: UInt8, group: UInt8) {
        var (opcode, event, error, major, minor): (Int32, Int32, Int32, Int32, Int32)
        (opcode, event, error, major, minor) = (0, 0, 0, 1, 0)
        guard unsafe XkbQueryExtension(display, &opcode, &event, &error, &major, &minor) != 0 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        keyboardEventCode = event
        let core = UInt32(XkbUseCoreKbd)
        let state = UInt(XkbModifierStateMask | XkbGroupStateMask)
        unsafe XkbSelectEventDetails(display, core, UInt32(XkbStateNotify), state, state)
        let maps = UInt32((1 << XkbMapNotify) | (1 << XkbNewKeyboardNotify))
        unsafe XkbSelectEvents(display, core, maps, maps)
        guard loadKeyboardMap() else { throw CaptureError(isLost ? .unreachable : .unsuitable) }
        var now = XkbStateRec()
        guard unsafe XkbGetState(display, core, &now) == 0 else {
            throw CaptureError(isLost ? .unreachable : .unsuitable)
        }
        return (now.mods, now.group)
    }

    /// Reads the keyboard's map anew; false when the server does not give it.
    func loadKeyboardMap() -> Bool {
        if let old = unsafe keyboardMap { unsafe XkbFreeKeyboard(old, 0, 1) }
        unsafe keyboardMap = XkbGetMap(
            display,
            UInt32(Self.clientMap),
            UInt32(XkbUseCoreKbd)
        )
        return unsafe keyboardMap != nil
    }

    /// What a key stands for under modifiers and group, without a round trip.
    ///
    /// XkbTranslateKeyCode tells the modifiers that a key's type knows, but not which of them chose
    /// the level: with it, Ctrl+Q and an `@` on Ctrl+Alt+Q would look the same.
    func translate(keycode: UInt8, modifiers: UInt8, group: UInt8) -> KeyTranslation {
        var result = KeyTranslation()
        guard let map = unsafe keyboardMap, let client = unsafe map.pointee.map,
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

    /// The capital of a letter, for a type that does not know Caps Lock leaves it to the reader.
    ///
    /// Xlib makes a keysym of another meaning of some letters without a capital, like ß and µ: what
    /// does not lead back is none.
    private static func capital(_ keysym: UInt32) -> UInt32 {
        var (lower, upper, back, same): (KeySym, KeySym, KeySym, KeySym) = (0, 0, 0, 0)
        unsafe XConvertCase(KeySym(keysym), &lower, &upper)
        unsafe XConvertCase(upper, &back, &same)
        return back == KeySym(keysym) ? UInt32(truncatingIfNeeded: upper) : keysym
    }

    /// The group that a key uses while `group` is in force, for a key may have fewer; nil is none.
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

    /// The keysyms on the keys of each of the eight modifier bits, from Shift to Mod5.
    func modifierKeysyms() -> [[UInt32]] {
        guard let mapping = unsafe XGetModifierMapping(display) else { return [] }
        defer { unsafe XFreeModifiermap(mapping) }
        let width = Int(unsafe mapping.pointee.max_keypermod)
        return (0..<8).map { row in
            (0..<width).compactMap { column in
                guard let keys = unsafe mapping.pointee.modifiermap else { return nil }
                let keycode = unsafe keys[row * width + column]
                return keycode == 0
                    ? nil : translate(keycode: keycode, modifiers: 0, group: 0).keysym
            }
        }
    }
}
