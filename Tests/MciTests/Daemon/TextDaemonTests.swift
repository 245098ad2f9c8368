// SPDX-License-Identifier: Apache-2.0

import CZlib
import Control
import Events
import Foundation
import Gate
import Packing
import Person
import Storage
import Testing
import Timeline

/// A text that is typed: what the person's own key opens is, at the default, that it was typed, and at
/// `classes` its classes; no word of it at either.
@Suite(.serialized) struct TextDaemonTests {
    let desktop: Desktop
    let hand: Hand

    init() throws {
        desktop = try Desktop()
        hand = try Hand(desktop)
    }

    /// A text of made-up words, each unlike anything that is in a ring by chance.
    private func text(words count: Int, _ random: inout SplitMix) -> (words: [String], text: String)
    {
        let starts = ["b", "br", "d", "f", "gl", "k", "pr", "s", "st", "t", "v", "w", "z"]
        let cores = ["a", "e", "i", "o", "u", "ee", "ou"]
        var words: [String] = []
        var text = ""
        for number in 1...count {
            let word = (0..<3).map { _ in
                (starts.randomElement(using: &random) ?? "")
                    + (cores.randomElement(using: &random) ?? "")
            }.joined()
            words.append(word)
            switch number % 10 {
            case 0: text += word.prefix(1).uppercased() + word.dropFirst() + "! "
            case 5: text += word + ", "
            case 7: text += word + "@\(number) "
            default: text += word + " "
            }
        }
        return (words, text)
    }

    /// Types as a German keyboard has the characters: `@` by AltGr, `!` and capitals by Shift.
    private func type(_ text: String) throws {
        for character in text {
            var (place, level) = (character.lowercased(), UInt32(0))
            switch character {
            case "@": (place, level) = ("q", 108)
            case "!": (place, level) = ("1", 50)
            case "z": place = "y"
            case "y": place = "z"
            case " ": place = "space"
            default: if character.isUppercase { level = 50 }
            }
            if place == "z" && character == "Z" { place = "y" }
            let code = try #require(Place.codes[place])
            if level != 0 { hand.key(code: level, down: true) }
            hand.key(code: code, down: true)
            hand.key(code: code, down: false)
            if level != 0 { hand.key(code: level, down: false) }
        }
        hand.flush()
    }

    @Test func `no word of 2,000 typed ones can be read back from the opened ring`() throws {
        let (daemon, words, _) = try record(.shortcuts)
        let seen = try #require(daemon.status?.events.seen)
        #expect(daemon.stop() == 0)

        // Of the text only that there was one, in whole steps; of the chord all of it.
        let events = try daemon.export().filter {
            ["key", "typing"].contains($0["type"] as? String)
        }
        let runs = events.filter { $0["type"] as? String == "typing" }
        #expect(1...3 ~= runs.count)
        #expect(runs.allSatisfy { ($0["seconds"] as? Int ?? 1) % 5 == 0 })
        #expect(
            runs.allSatisfy {
                Set($0.keys) == ["time", "type", "seconds", "device", "injected"]
            }
        )
        let keys = events.filter { $0["type"] as? String == "key" }
        #expect(
            Set(keys.compactMap { $0["keysym"] as? String }) == ["F12", "Control_L", "c"]
        )
        #expect(keys.allSatisfy { ["F12", "Control_L", "c"].contains($0["keysym"] as? String) })
        #expect(seen < 100, "no count tells how much was typed")

        let opened = try open(daemon)
        try expectNone(of: words, in: opened.plaintexts, events, daemon)
    }

    @Test func `at classes the classes of 2,000 typed words are stored, and no word`() throws {
        let (daemon, words, text) = try record(.classes)
        #expect(daemon.stop() == 0)

        // Every key is there, as its class alone.
        let events = try daemon.export().filter { $0["type"] as? String == "key" }
        let downs = events.filter { $0["state"] as? String == "down" }
        func count(_ name: String) -> Int { downs.filter { $0["class"] as? String == name }.count }
        #expect(count("letter") == text.filter(\.isLetter).count + 1)
        #expect(count("digit") == text.filter(\.isNumber).count)
        #expect(count("space") == text.filter { $0 == " " }.count)
        #expect(count("punctuation") == text.filter { ",!@".contains($0) }.count)
        let told = events.filter { $0["keysym"] != nil }
        #expect(
            Set(told.compactMap { $0["keysym"] as? String })
                == ["F12", "Shift_L", "ISO_Level3_Shift", "Control_L", "c"]
        )
        #expect(told.filter { $0["class"] as? String == "letter" }.count == 2)
        #expect(events.allSatisfy { $0["keycode"] == nil })

        // The decoded batches say the same, and their bytes hold no word in any spelling.
        let opened = try open(daemon)
        var letters = 0
        for case .input(.key(let key)) in opened.batches.flatMap(\.items).map(\.payload)
        where key.keyClass.writesText {
            if key.keysym != 0 { letters += 1 }
        }
        #expect(letters == 2, "Ctrl+C alone has a name, at its press and its release.")
        try expectNone(of: words, in: opened.plaintexts, events, daemon)
    }

    /// Has 2,000 words and a chord typed under a recorder.
    private func record(
        _ detail: KeyDetail
    ) throws -> (daemon: Daemon, words: [String], text: String) {
        try desktop.setLayout(LayoutNames("de"))
        let daemon = try Daemon(desktop, detail: detail)
        try daemon.useSmallRing()
        try daemon.record(hand)
        var random = SplitMix(seed: 2000)
        let (words, text) = text(words: 2000, &random)
        try type(text)
        _ = try hand.press(chords: "ctrl+c")
        hand.flush()
        try daemon.settled()
        return (daemon, words, text)
    }

    /// Neither batches nor exports nor the log hold a word in any spelling.
    private func expectNone(
        of words: [String],
        in plaintexts: [[UInt8]],
        _ events: [[String: Any]],
        _ daemon: Daemon
    ) throws {
        var haystacks = plaintexts
        haystacks.append(try Array(JSONSerialization.data(withJSONObject: events)))
        haystacks.append(Array(daemon.log_.utf8))
        let needles = try Needles(words, spellings)
        #expect(needles.found(in: Array("x \(words[77]) y".utf8)))
        #expect(haystacks.filter(needles.found).isEmpty)
    }

    /// How a word might be written: as text, wide, doubled by its releases, and by its keycodes.
    private var spellings: [(String) throws -> [UInt8]] {
        func codes(_ word: String) throws -> [UInt8] {
            try word.map {
                let place = $0 == "z" ? "y" : $0 == "y" ? "z" : String($0)
                return UInt8(try #require(Place.codes[place]))
            }
        }
        return [
            { Array($0.utf8) },
            { $0.utf8.flatMap { [$0, 0] } },
            { $0.utf8.flatMap { [$0, 0, 0, 0] } },
            { $0.utf8.flatMap { [$0, $0] } },
            { try codes($0) },
            { try codes($0).flatMap { [$0, $0] } },
            { try codes($0).map { $0 - 8 } },
        ]
    }

    /// Every batch of a stopped daemon, decoded and as bytes: as sealed in, and decompressed.
    private func open(_ daemon: Daemon) throws -> (batches: [OpenedBatch], plaintexts: [[UInt8]]) {
        let text = try String(contentsOfFile: daemon.folder.paths.identity, encoding: .utf8)
        let identities = try #require(Identity.list(text))
        let reader = try RingReader(path: daemon.folder.paths.ring)
        var (batches, plaintexts): ([OpenedBatch], [[UInt8]]) = ([], [])
        for entry in try reader.entries() {
            let sealed = try #require(try reader.sealed(entry))
            let plaintext = try AgeFile(sealed).open(identities)
            batches.append(try OpenedBatch(plaintext: plaintext))
            plaintexts += [plaintext, try inflate(plaintext)]
        }
        try #require(!batches.isEmpty)
        return (batches, plaintexts)
    }
}

extension TextDaemonTests {
    /// The columns of a batch, decompressed.
    private func inflate(_ plaintext: [UInt8]) throws -> [UInt8] {
        let length = (0..<4).reduce(0) { $0 | Int(plaintext[$1]) << (8 * $1) }
        var columns = [UInt8](repeating: 0, count: 1 << 22)
        var size = uLong(columns.count)
        let packed = Array(plaintext[4..<4 + length])
        try #require(uncompress(&columns, &size, packed, uLong(length)) == Z_OK)
        return Array(columns.prefix(Int(size)))
    }
}

/// Words in several spellings, to be found in bytes in one pass.
private struct Needles {
    private var byStart: [UInt64: [[UInt8]]] = [:]

    init(_ words: [String], _ spellings: [(String) throws -> [UInt8]]) throws {
        for word in Set(words) {
            for spelling in spellings {
                let needle = try spelling(word)
                byStart[needle.prefix(6).reduce(0) { $0 << 8 | UInt64($1) }, default: []]
                    .append(needle)
            }
        }
    }

    func found(in bytes: [UInt8]) -> Bool {
        var window: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            window = (window << 8 | UInt64(byte)) & 0xFFFF_FFFF_FFFF
            guard index >= 5, let needles = byStart[window] else { continue }
            if needles.contains(where: { bytes[(index - 5)...].starts(with: $0) }) { return true }
        }
        return false
    }
}
