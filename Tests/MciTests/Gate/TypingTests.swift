// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Gate

/// Runs of text at the default key detail.
@Suite struct TypingTests {
    /// What leaves the gate in words, with its time in tenths of a second.
    private func words(_ rig: GateRig) -> [String] {
        rig.outputs.map { output in
            switch output {
            case .event(let event):
                let time = event.time.milliseconds
                return switch event.payload {
                case .typing(let key): "\(key.continues ? "typing on" : "typing") \(time)"
                case .key(let key):
                    "\(Self.names[key.keysym] ?? "?") \(key.isDown ? "down" : "up") \(time)"
                case .button(let number, let isDown):
                    "button \(number) \(isDown ? "down" : "up") \(time)"
                case .scroll: "scroll \(time)"
                case .motion: "motion \(time)"
                default: "pen or finger \(time)"
                }
            case .focus(let focus): return "focus \(focus.app)"
            case .gap(let gap):
                return "gap \(gap.reason.name) \(gap.from.milliseconds) \(gap.to.milliseconds)"
            case .device, .screen: return "description"
            }
        }
    }

    private static let names: [UInt32: String] = [
        0xFF0D: "Return", 0xFF08: "BackSpace", 0xFF51: "Left", 0xFFE3: "Control", 0xFFE1: "Shift",
        0xFFE5: "Caps_Lock", 0x63: "c", 0x76: "v", 0xFFE9: "Alt", 0xFF09: "Tab", 0xFFC0: "F3",
        0xFF8D: "KP_Enter",
    ]

    private func rig() -> GateRig {
        var conditions = GateRig.open
        conditions.keyDetail = .shortcuts
        return GateRig(conditions)
    }

    /// Presses and releases a key at times in milliseconds.
    private func tap(
        _ rig: GateRig,
        _ keysym: UInt32,
        _ keyClass: KeyClass,
        _ modifiers: Modifiers = [],
        at time: Int64,
        for length: Int64 = 40
    ) {
        let code = UInt8(truncatingIfNeeded: keysym)
        rig.key(code, down: true, keyClass, modifiers, keysym: keysym, at: time)
        rig.key(code, down: false, keyClass, modifiers, keysym: keysym, at: time + length)
    }

    private func modifier(_ rig: GateRig, _ keysym: UInt32, down: Bool, at time: Int64) {
        rig.key(
            UInt8(truncatingIfNeeded: keysym),
            down: down,
            .modifier,
            [],
            keysym: keysym,
            at: time
        )
    }

    @Test func `a text is a run in whole steps, whatever keys it has`() {
        let rig = rig()
        for (place, time) in stride(from: Int64(11_234), to: 23_000, by: 731).enumerated() {
            let kinds: [(UInt32, KeyClass)] = [
                (0x61, .letter), (0x31, .digit), (0x2C, .punctuation), (0x20, .space),
                (0xFFB1, .keypad), (0xFE51, .punctuation), (0, .key), (0xFF08, .editing),
                (0xFF51, .navigation),
            ]
            tap(rig, kinds[place % 9].0, kinds[place % 9].1, at: time)
        }
        #expect(words(rig) == ["typing 10000", "typing on 15000", "typing on 20000"])
    }

    @Test
    func `a named key that ends a run is stored at its rounded end, with what follows`() {
        let rig = rig()
        tap(rig, 0x61, .letter, at: 11_000)
        tap(rig, 0xFF0D, .editing, at: 11_500)
        rig.take(.button(number: 1, isDown: true), at: 12_000)
        rig.take(.button(number: 1, isDown: false), at: 16_000)
        tap(rig, 0xFF0D, .editing, at: 17_000)
        #expect(
            words(rig) == [
                "typing 10000", "Return down 15000", "Return up 15000", "button 1 down 15000",
                "button 1 up 15000", "Return down 17000", "Return up 17040",
            ]
        )
    }

    @Test func `what edits belongs to the text before it, and has its name where there is none`() {
        let rig = rig()
        tap(rig, 0xFF08, .editing, at: 11_000)
        tap(rig, 0x61, .letter, at: 16_000)
        tap(rig, 0xFF51, .navigation, [.shift, .control], at: 17_900)
        tap(rig, 0xFF08, .editing, [.control], at: 19_800)
        tap(rig, 0xFF51, .navigation, at: 25_000)
        tap(rig, 0x61, .letter, at: 30_000)
        tap(rig, 0xFF51, .navigation, [.alt], at: 30_500)
        #expect(
            words(rig) == [
                "BackSpace down 11000", "BackSpace up 11040", "typing 15000", "Left down 25000",
                "Left up 25040", "typing 30000", "Left down 35000", "Left up 35000",
            ]
        )
    }

    @Test func `a pause of two seconds ends a run, and one within a step does not show`() {
        let rig = rig()
        for time in [Int64(11_000), 13_500, 19_000, 20_500] { tap(rig, 0x61, .letter, at: time) }
        #expect(words(rig) == ["typing 10000", "typing 15000", "typing on 20000"])
    }

    @Test func `a modifier is stored with what it served, and goes up with it`() {
        let rig = rig()
        modifier(rig, 0xFFE3, down: true, at: 11_000)
        tap(rig, 0x63, .letter, .control, at: 11_200)
        tap(rig, 0x76, .letter, .control, at: 11_400)
        modifier(rig, 0xFFE3, down: false, at: 11_900)
        #expect(
            words(rig) == [
                "Control down 11200", "c down 11200", "c up 11240", "v down 11400", "v up 11440",
                "Control up 11440",
            ]
        )
    }

    @Test
    func `a modifier serves buttons and wheels, and by itself it is stored when it is released`() {
        let rig = rig()
        modifier(rig, 0xFFE3, down: true, at: 11_000)
        rig.take(.scroll(dx: 0, dy: 120), at: 11_300)
        rig.take(.scroll(dx: 0, dy: 120), at: 11_600)
        modifier(rig, 0xFFE3, down: false, at: 12_000)
        modifier(rig, 0xFFE9, down: true, at: 13_000)
        rig.take(.motion(dx: 1, dy: 1), at: 13_100)
        modifier(rig, 0xFFE9, down: false, at: 13_200)
        #expect(
            words(rig) == [
                "Control down 11300", "scroll 11300", "scroll 11600", "Control up 11600",
                "motion 13100", "Alt down 13000", "Alt up 13200",
            ]
        )
    }

    @Test func `modifiers and locks within a run belong to it`() {
        let rig = rig()
        modifier(rig, 0xFFE1, down: true, at: 10_900)
        tap(rig, 0x61, .letter, .shift, at: 11_000)
        modifier(rig, 0xFFE1, down: false, at: 11_100)
        tap(rig, 0xFFE5, .modifier, at: 12_000)
        tap(rig, 0x61, .letter, .lock, at: 12_500)
        modifier(rig, 0xFFE1, down: true, at: 12_600)
        modifier(rig, 0xFFE1, down: false, at: 15_900)
        tap(rig, 0xFFE5, .modifier, at: 18_000)
        #expect(
            words(rig) == ["typing 10000", "Caps_Lock down 18000", "Caps_Lock up 18040"]
        )
    }

    @Test func `a modifier by itself in the step of a run does not tell when the run ended`() {
        let rig = rig()
        tap(rig, 0x61, .letter, at: 11_000)
        tap(rig, 0xFFE1, .modifier, at: 13_500)
        tap(rig, 0x61, .letter, at: 14_000)
        #expect(
            words(rig) == ["typing 10000", "Shift down 15000", "Shift up 15000", "typing 10000"]
        )
    }

    @Test func `a chord within a run ends it, with the modifier that was down for both`() {
        let rig = rig()
        modifier(rig, 0xFFE1, down: true, at: 10_900)
        tap(rig, 0x61, .letter, .shift, at: 11_000)
        tap(rig, 0xFFC0, .function, .shift, at: 11_300)
        tap(rig, 0x61, .letter, .shift, at: 11_600)
        modifier(rig, 0xFFE1, down: false, at: 11_700)
        #expect(
            words(rig) == [
                "typing 10000", "Shift down 15000", "F3 down 15000", "F3 up 15000",
                "Shift up 15000", "typing 10000",
            ]
        )
    }

    @Test
    func
        `a focus change ends a run and drops what waits, and a title that is not stored does neither`()
    {
        let rig = rig()
        var restrictions = Restrictions()
        restrictions.storesTitles = false
        rig.use(restrictions, at: 1000)
        tap(rig, 0x61, .letter, at: 11_000)
        var facts = WindowFacts(app: "Editor")
        facts.title = "*unsaved"
        rig.enter(.window(facts), at: 11_100)
        tap(rig, 0x61, .letter, at: 11_200)
        modifier(rig, 0xFFE3, down: true, at: 11_300)
        rig.enter(.app("Terminal"), at: 11_400)
        tap(rig, 0x61, .letter, at: 11_500)
        modifier(rig, 0xFFE3, down: false, at: 14_400)
        #expect(words(rig) == ["typing 10000", "focus Terminal", "typing 10000"])
    }

    @Test func `every stored press has one release, over random keys`() {
        var random = SplitMix(seed: 5)
        let keys: [(UInt32, KeyClass)] = [
            (0x61, .letter), (0xFF08, .editing), (0xFF0D, .editing), (0xFF51, .navigation),
            (0xFFC0, .function), (0xFFE3, .modifier), (0xFFE1, .modifier), (0xFFE9, .modifier),
            (0xFFE5, .modifier), (0xFF8D, .keypad),
        ]
        for _ in 0..<300 {
            let rig = rig()
            var (time, held): (Int64, Set<Int>) = (10_000, [])
            for _ in 0..<200 {
                time += .random(in: 1...1500, using: &random)
                switch Int.random(in: 0..<20, using: &random) {
                case 0: rig.enter(.app(Bool.random(using: &random) ? "A" : "B"), at: time)
                case 1: rig.enter(.unknown, at: time)
                case 2: rig.take(.button(number: 1, isDown: true), at: time)
                case 3: rig.take(.scroll(dx: 0, dy: 1), at: time)
                default:
                    let place = Int.random(in: 0..<keys.count, using: &random)
                    let isDown = held.insert(place).inserted
                    if !isDown { held.remove(place) }
                    let with: Modifiers = held.contains(5) ? .control : []
                    rig.key(
                        UInt8(20 + place),
                        down: isDown,
                        keys[place].1,
                        with,
                        keysym: keys[place].0,
                        at: time
                    )
                }
            }
            rig.set(at: time + 1) { $0.isPaused = true }
            var (down, last): ([UInt32: Int], Int64) = ([:], 0)
            for event in rig.events {
                guard case .key(let key) = event.payload else { continue }
                down[key.keysym, default: 0] += key.isDown ? 1 : -1
                #expect((0...1).contains(down[key.keysym] ?? 0))
                last = max(last, event.time.milliseconds)
            }
            #expect(down.values.allSatisfy { $0 == 0 } && last > 0)
        }
    }

    @Test func `how long a password took is no gap's length`() {
        let rig = rig()
        rig.enter(.unknown, at: 11_000)
        for time in stride(from: Int64(11_100), to: 13_000, by: 200) {
            tap(rig, 0x61, .letter, at: time)
        }
        rig.enter(.app("Editor"), at: 13_100)
        #expect(
            rig.gaps.first.map { [$0.from.milliseconds, $0.to.milliseconds] } == [10_000, 15_000]
        )
    }
}
