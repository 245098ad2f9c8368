// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Gate
import Testing

/// Layouts on a real X server: what is typed, and what the gate tells of it at `classes`.
@Suite(.serialized) struct LayoutTests {
    let desktop: Desktop
    let hand: Hand

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
    }

    private func play(_ story: String, _ listener: Listener) throws {
        let expected = story.split(separator: "\n").map(String.init)
        var count = 0
        for line in expected {
            count += try hand.press(chords: String(try #require(line.split(separator: "→").first)))
        }
        hand.flush()
        let told = try listener.presses(among: count).filter { $0.told.keyClass != .modifier }
        try #require(told.count == expected.count)
        for (line, press) in zip(expected, told) {
            #expect(line.split(separator: "→").last ?? "" == " " + press.line, "\(line)")
        }
    }

    @Test(arguments: 0..<LayoutStories.all.count)
    func `keys have their class and commands their name on every layout`(index: Int) throws {
        let (names, story) = LayoutStories.all[index]
        try desktop.setLayout(names)
        try play(story, Listener(desktop))
    }

    @Test func `what Ctrl and Alt write in place of AltGr is text`() throws {
        try desktop.setLayout(LayoutNames("de"))
        try desktop.editMap { map in
            // In the types alone: the third level is reached by Ctrl+Alt, as on Windows.
            var parts = map.components(separatedBy: "xkb_compatibility")
            let types = parts[0].components(separatedBy: "type \"")
            let edited = types.dropFirst().map { type in
                type.hasPrefix("CTRL+ALT")
                    ? type : type.replacingOccurrences(of: "LevelThree", with: "Control+Alt")
            }
            parts[0] = (types.prefix(1) + edited).joined(separator: "type \"")
            return parts.joined(separator: "xkb_compatibility")
        }
        try play(
            """
            ctrl+alt+q → punctuation ctrl+alt
            ctrl+alt+e → punctuation ctrl+alt
            ctrl+q → letter ctrl q
            alt+q → letter alt q
            ctrl+c → letter ctrl c
            """,
            Listener(desktop)
        )
    }

    @Test func `a modifier without a name writes text too`() throws {
        try desktop.setLayout(LayoutNames("de"))
        try desktop.editMap { map in
            // Mod5 stays the third level, though no key says so.
            var parts = map.components(separatedBy: "xkb_compatibility")
            let types = parts[0].components(separatedBy: "type \"")
            let edited = types.dropFirst().map {
                $0.replacingOccurrences(of: "LevelThree", with: "Mod5")
            }
            parts[0] = (types.prefix(1) + edited).joined(separator: "type \"")
            var symbols = parts[1].components(separatedBy: "xkb_symbols")
            symbols[1] = symbols[1].replacingOccurrences(
                of: "[ ISO_Level3_Shift ]",
                with: "[ F35 ], actions[Group1]= [ SetMods(modifiers=Mod5) ]"
            ).replacingOccurrences(of: "modifier_map Mod5 { <MDSW> };", with: "")
            parts[1] = symbols.joined(separator: "xkb_symbols")
            return parts.joined(separator: "xkb_compatibility")
        }
        let listener = try Listener(desktop)
        let count = try hand.press(chords: "altgr+q ctrl+altgr+q")
        hand.flush()
        let told = try listener.presses(among: count).filter { $0.told.keyClass == .punctuation }
        #expect(told.map(\.line) == ["punctuation", "punctuation ctrl"])
    }

    @Test func `a group switched in the middle of typing belongs to each key in order`() throws {
        try desktop.setLayout(LayoutNames("us,ru"))
        let listener = try Listener(desktop)
        var random = SplitMix(seed: 8)
        var expected: [UInt32] = []
        let (latin, cyrillic) = ("a".unicodeScalars.first?.value ?? 0, UInt32(0x6C6))
        for _ in 0..<400 {
            let group = UInt32.random(in: 0...1, using: &random)
            hand.lockGroup(group)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let isShifted = Bool.random(using: &random)
                if isShifted { hand.key(code: 50, down: true) }
                hand.key(code: 38, down: true)
                hand.key(code: 38, down: false)
                if isShifted { hand.key(code: 50, down: false) }
                let keysym = group == 0 ? latin : cyrillic
                // Capitals are 32 apart in both, in ASCII below and in KOI8 above.
                expected.append(isShifted ? (group == 0 ? keysym - 32 : keysym + 32) : keysym)
            }
        }
        hand.flush()
        let shifts = expected.filter { $0 == latin - 32 || $0 == cyrillic + 32 }.count
        let presses = try listener.presses(among: 2 * (expected.count + shifts))
            .filter { $0.told.keyClass != .modifier }
        #expect(presses.map(\.raw.keysym) == expected)
        #expect(presses.allSatisfy { $0.line.hasPrefix("letter") && $0.told.keysym == 0 })
    }

    @Test func `another map holds for the keys that come once it was read`() throws {
        try desktop.setLayout(LayoutNames("us"))
        let listener = try Listener(desktop)
        // The first key of a device brings a notice of its own.
        var count = try hand.press(chords: "space")
        hand.flush()
        _ = try listener.presses(among: count)
        count = try hand.press(chords: "y ctrl+y")
        hand.flush()
        try desktop.setLayout(LayoutNames("de"))
        hand.flush()
        var presses = try listener.presses(among: count)
        count = try hand.press(chords: "y ctrl+y altgr+q")
        hand.flush()
        presses += try listener.presses(among: count)
        presses.removeAll { $0.told.keyClass == .modifier }
        #expect(presses.map(\.raw.keysym) == [0x79, 0x79, 0x7A, 0x7A, 0x40])
        #expect(
            presses.map(\.line) == [
                "letter", "letter ctrl y", "letter", "letter ctrl z", "punctuation altgr",
            ]
        )
    }
}
