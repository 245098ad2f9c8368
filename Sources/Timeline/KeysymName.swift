// SPDX-License-Identifier: Apache-2.0

/// Names of keysyms as in X11's keysymdef.h, without the prefix `XK_`.
package enum KeysymName {
    /// The name of a keysym.
    ///
    /// A keysym in this table has its own name. Other characters are `U` and the code point in
    /// hexadecimal. Everything else is `0x` and the number in hexadecimal, the only form that X
    /// does not read back.
    ///
    /// - Parameter keysym: an X keysym.
    /// - Returns: the name.
    package static func of(_ keysym: UInt32) -> String {
        if let name = named[keysym] { return name }
        switch keysym {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
            return String(decoding: [UInt8(keysym)], as: UTF8.self)
        case 0xA0...0xFF: return unicode(keysym)
        case 0x0100_0100...0x0110_FFFF: return unicode(keysym & 0xFF_FFFF)
        case 0xFFBE...0xFFE0: return "F\(keysym - 0xFFBD)"
        case 0xFFB0...0xFFB9: return "KP_\(keysym - 0xFFB0)"
        default: return "0x" + String(keysym, radix: 16)
        }
    }

    /// The keysyms with a name of their own, by name; digits and letters are included.
    package static let numbers: [String: UInt32] = {
        let listed =
            Array(named.keys) + Array(0x30...0x39) + Array(0x41...0x5A) + Array(0x61...0x7A)
        let blocks = Array(0xFFBE...0xFFE0) + Array(0xFFB0...0xFFB9)
        return Dictionary(
            (listed + blocks.map { UInt32($0) }).map { (of($0), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }()

    private static func unicode(_ scalar: UInt32) -> String {
        let digits = String(scalar, radix: 16, uppercase: true)
        return "U" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static let named: [UInt32: String] = {
        var names: [UInt32: String] = [:]
        func add(_ first: UInt32, _ list: String) {
            for (offset, name) in list.split(separator: " ").enumerated() where name != "-" {
                names[first + UInt32(offset)] = String(name)
            }
        }
        add(
            0x20,
            """
            space exclam quotedbl numbersign dollar percent ampersand apostrophe parenleft parenright \
            asterisk plus comma minus period slash
            """
        )
        add(0x3A, "colon semicolon less equal greater question at")
        add(0x5B, "bracketleft backslash bracketright asciicircum underscore grave")
        add(0x7B, "braceleft bar braceright asciitilde")
        add(0xFF08, "BackSpace Tab Linefeed Clear - Return")
        add(0xFF13, "Pause Scroll_Lock Sys_Req")
        add(0xFF1B, "Escape")
        add(0xFF20, "Multi_key")
        add(0xFF50, "Home Left Up Right Down Prior Next End Begin")
        add(0xFF60, "Select Print Execute Insert - Undo Redo Menu Find Cancel Help Break")
        add(0xFF7E, "Mode_switch Num_Lock")
        add(0xFF8D, "KP_Enter")
        add(0xFF95, "KP_Home KP_Left KP_Up KP_Right KP_Down KP_Prior KP_Next KP_End KP_Begin")
        add(0xFF9E, "KP_Insert KP_Delete")
        add(0xFFAA, "KP_Multiply KP_Add KP_Separator KP_Subtract KP_Decimal KP_Divide")
        add(0xFFBD, "KP_Equal")
        add(
            0xFFE1,
            """
            Shift_L Shift_R Control_L Control_R Caps_Lock Shift_Lock Meta_L Meta_R Alt_L Alt_R \
            Super_L Super_R Hyper_L Hyper_R
            """
        )
        add(0xFFFF, "Delete")
        add(0xFE03, "ISO_Level3_Shift ISO_Level3_Latch ISO_Level3_Lock")
        add(0xFE08, "ISO_Next_Group - ISO_Prev_Group")
        add(0xFE20, "ISO_Left_Tab")
        add(0xFE50, "dead_grave dead_acute dead_circumflex dead_tilde dead_macron dead_breve")
        add(
            0xFE56,
            "dead_abovedot dead_diaeresis dead_abovering dead_doubleacute dead_caron dead_cedilla"
        )
        add(0x1008_FF11, "XF86AudioLowerVolume XF86AudioMute XF86AudioRaiseVolume XF86AudioPlay")
        add(0x1008_FF15, "XF86AudioStop XF86AudioPrev XF86AudioNext")
        add(0x1008_FF02, "XF86MonBrightnessUp XF86MonBrightnessDown")
        return names
    }()
}
