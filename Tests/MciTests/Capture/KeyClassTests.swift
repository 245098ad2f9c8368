// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

@testable import Capture
@testable import Gate

/// Every keysym and every key of many layouts, against libxkbcommon's reading of them.
@Suite(.serialized) struct KeyClassTests {
    /// The class that a character belongs to.
    private func expected(_ scalar: Unicode.Scalar) -> KeyClass {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark:
            .letter
        case .decimalNumber: .digit
        case .spaceSeparator: .space
        default: .punctuation
        }
    }

    @Test func `no keysym that writes a character is told outside a command`() throws {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1_FFFF, 0x0100_0000...0x0102_FFFF, 0x1000_0000...0x1000_FFFF,
            0x1004_0000...0x1005_FFFF, 0x1008_0000...0x1008_FFFF,
        ]
        for keysym in ranges.joined() {
            let keyClass = KeyClass(keysym: keysym)
            guard let scalar = try XKBCommon.character(keysym) else { continue }
            let isKeypad = (0xFF80...0xFFBD).contains(keysym)
            let wanted = isKeypad ? .keypad : expected(scalar)
            if keyClass != wanted || !keyClass.writesText {
                Issue.record("0x\(String(keysym, radix: 16)) is \(keyClass), not \(wanted)")
            }
        }
    }

    @Test func `no keysym that a header calls a character, a dead key or a digit is told`() throws {
        let folder = "/usr/include/X11/"
        var seen = 0
        for file in ["keysymdef.h", "XF86keysym.h", "DECkeysym.h", "Sunkeysym.h", "HPkeysym.h"] {
            let text = try String(contentsOfFile: folder + file, encoding: .isoLatin1)
            for line in text.split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
                guard words.count > 2, words[0] == "#define", words[1].contains("XK_") else {
                    continue
                }
                let value = words[2].replacingOccurrences(of: "_EVDEVK(0x", with: "1008_1")
                    .replacingOccurrences(of: "0x", with: "").replacingOccurrences(
                        of: ")",
                        with: ""
                    )
                    .replacingOccurrences(of: "_", with: "")
                guard let keysym = UInt32(value, radix: 16) else { continue }
                seen += 1
                let writes =
                    line.contains("U+") || words[1].lowercased().contains("dead")
                    || ["Numeric", "braille", "Multi_key", "XK_KP_"].contains {
                        words[1].contains($0)
                    } || file == "HPkeysym.h" && words[1].contains("mute_")
                    || file == "DECkeysym.h" || words[1].contains("SunFA_")
                if writes { #expect(KeyClass(keysym: keysym).writesText, "\(words[1])") }
            }
        }
        #expect(seen > 2500)
    }

    @Test func `keys that the kernel has for characters are not told`() {
        for code: UInt32 in [0x1B2, 0x1B3, 0x1F1, 0x1FA, 0x200, 0x209, 0x20F, 0x26C, 0x26D] {
            #expect(KeyClass(keysym: 0x1008_1000 + code).writesText)
        }
        #expect(KeyClass(keysym: 0x1008_FF11) == .media)
        #expect(KeyClass(keysym: 0x1008_11B1) == .media)
    }

    @Test func `a modifier bit with a third level or a lock is no command`() {
        let numLock: UInt32 = 0xFF7F
        let alt: UInt32 = 0xFFE9
        let level3: UInt32 = 0xFE03
        func roles(_ mod1: [UInt32]) -> Modifiers {
            DeviceLayout.roles([[], [], [], mod1, [], [], [], []])[3]
        }
        #expect(roles([alt]) == .alt)
        #expect(roles([alt, level3]) == .level3)
        #expect(roles([alt, numLock]) == .numLock)
        #expect(roles([alt, 0xFF14]) == [])
        #expect(roles([0xFFEB, 0xFFE5]) == [])
    }

    private static let layouts: [LayoutNames] = [
        LayoutNames("us"), LayoutNames("us", variant: "intl"), LayoutNames("us", variant: "dvorak"),
        LayoutNames("de"), LayoutNames("de", variant: "neo"), LayoutNames("fr"),
        LayoutNames("fr", variant: "bepo"), LayoutNames("ru"), LayoutNames("us,ru"),
        LayoutNames("ru,de"), LayoutNames("gr"), LayoutNames("us,il"), LayoutNames("ara"),
        LayoutNames("jp"), LayoutNames("cz"), LayoutNames("ca", variant: "multix"),
        LayoutNames("tr", variant: "f"), LayoutNames("in", variant: "deva"), LayoutNames("es"),
    ]

    /// Shift, Lock, Ctrl, Alt, NumLock, Super and the third level, as the rules of evdev assign them.
    private enum Bit {
        static let control: UInt8 = 4
        static let command: UInt8 = 4 | 8 | 64
        static let level3: UInt8 = 128
        /// The fifth level and its lock, in the layout that has one.
        static let level5: UInt8 = 32
        static let lock5: UInt8 = 16
    }

    /// The id of the virtual core keyboard.
    private let masterKeyboard: UInt8 = 3

    /// Whether Xlib and libxkbcommon name the key as capture does.
    ///
    /// Under Caps Lock Xlib leaves capitals to others, and libxkbcommon knows fewer of them or, for
    /// letters like µ and ß, makes up keysyms.
    private func agrees(
        _ key: RawEvent.Key,
        _ modifiers: UInt8,
        _ group: UInt8,
        _ map: KeyboardMap,
        _ readers: [XKBCommon]
    ) throws -> Bool {
        var (consumed, keysym): (UInt32, KeySym) = (0, 0)
        let state = UInt32(modifiers) | UInt32(group) << 13
        XkbTranslateKeyCode(map.map, key.keycode, state, &consumed, &keysym)
        let plain = UInt32(keysym)
        let others = readers.map { $0.keysym(key.keycode, modifiers: modifiers, group: group) }
        if modifiers & 2 == 0 || others.isEmpty && key.keysym == plain {
            return ([plain] + others).allSatisfy { $0 == key.keysym }
        }
        let letter = try XKBCommon.character(plain).map { String(Character($0)) }
        let isCapital =
            try XKBCommon.character(key.keysym).map { String(Character($0)) }
            == letter?.uppercased()
        guard key.keysym == plain || isCapital else { return false }
        return others.allSatisfy {
            $0 == key.keysym || $0 == plain || letter?.uppercased().lowercased() != letter
        }
    }

    @Test func `a key with fewer groups than are in force is read as the server reads it`() throws {
        let desktop = try Desktop()
        try desktop.setLayout(LayoutNames("us,ru"))
        try desktop.editMap { map in
            map.replacingOccurrences(of: "key <AD01> {", with: "key <AD01> { groupsClamp,")
                .replacingOccurrences(of: "key <AD02> {", with: "key <AD02> { groupsRedirect= 2,")
        }
        let connection = try desktop.asDisplay { try X11Connection(role: .keyboard) }
        let map = try #require(connection.keyMap(of: masterKeyboard))
        let layout = DeviceLayout(map)
        for group in UInt8(0)..<4 {
            let held = X11Event.HeldModifiers(group: group)
            for keycode in UInt8(9)...255 {
                let key = layout.key(keycode, isDown: true, held)
                #expect(try agrees(key, 0, group, map, []), "\(keycode) \(group)")
            }
        }
        let held = X11Event.HeldModifiers(group: 2)
        let keysyms = [24, 25, 26].map { layout.key($0, isDown: true, held).keysym }
        // Clamped and redirected to the second group, and wrapped to the first.
        #expect(keysyms == [0x6CA, 0x6C3, 0x65])
    }

    @Test(arguments: layouts)
    func `every key at every level has the class of what it writes, and text has no name`(
        names: LayoutNames
    ) throws {
        let desktop = try Desktop()
        try desktop.setLayout(names)
        let connection = try desktop.asDisplay { try X11Connection(role: .keyboard) }
        let map = try #require(connection.keyMap(of: masterKeyboard))
        let layout = DeviceLayout(map)
        let hasFive = names.variant == "neo"
        // What the text of a map does not say is which modifier an unused name of neo stands for.
        let oracle = try XKBCommon(desktop.map())
        let readers = hasFive ? [] : [oracle]
        let levels = Bit.level3 | (hasFive ? Bit.level5 : 0)
        var written = 0
        var named: Set<UInt32> = []
        for group in 0..<UInt8(oracle.groups) {
            for modifiers in UInt8.min...UInt8.max {
                // Super does as Alt, and would double the time.
                if modifiers & 64 != 0 && modifiers & ~(64 | 128 | 1) != 0 { continue }
                if modifiers & 32 != 0 && !hasFive { continue }
                let held = X11Event.HeldModifiers(modifiers: modifiers, group: group)
                for keycode in UInt8(9)...255 {
                    let key = layout.key(keycode, isDown: true, held)
                    let keysym = key.keysym
                    let place = "key \(keycode), modifiers \(modifiers), group \(group)"
                    if try !agrees(key, modifiers, group, map, readers) {
                        Issue.record("\(place): \(keysym) is another key")
                    }
                    let told = KeyDetail.classes.admit(key)?.keysym ?? 0
                    let isDead = (0xFE50...0xFE6F).contains(keysym) || keysym == 0xFF20
                    guard try isDead || XKBCommon.character(keysym) != nil else { continue }
                    written += 1
                    let isCommand = modifiers & Bit.command != 0 && modifiers & levels == 0
                    if modifiers & levels != 0 && key.shortcut != 0 {
                        Issue.record("\(place): a shortcut at a level of text")
                    }
                    // Some keys of neo have levels for its lock, others none.
                    if hasFive && modifiers & Bit.lock5 != 0 && isCommand { continue }
                    if told != 0 && (!isCommand || isDead) || !key.keyClass.writesText {
                        Issue.record("\(place): what is typed has a name")
                    }
                    if modifiers == Bit.control && told != 0 { named.insert(told) }
                }
            }
        }
        #expect(written > 2500)
        // The alphabet can be told in commands, whatever the script.
        #expect(named.isSuperset(of: 0x61...0x7A) || names.layout == "tr" && named.count > 24)
    }
}
