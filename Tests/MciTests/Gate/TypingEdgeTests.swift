// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Gate

/// What ends a run of text, what does not, and what the gate says of each event it takes.
@Suite struct TypingEdgeTests {
    private func rig(_ detail: KeyDetail = .shortcuts) -> GateRig {
        var conditions = GateRig.open
        conditions.keyDetail = detail
        return GateRig(conditions)
    }

    /// Writes a letter; whether something is stored of it, and whether it goes on with the run.
    @discardableResult
    private func write(_ rig: GateRig, at time: Int64) -> Bool? {
        rig.outputs = []
        rig.key(38, down: true, .letter, [], keysym: 0x61, at: time)
        rig.key(38, down: false, .letter, [], keysym: 0x61, at: time + 30)
        return rig.outputs.compactMap { output -> Bool? in
            guard case .event(let event) = output, case .typing(let key) = event.payload,
                !key.isInjected
            else { return nil }
            return key.continues
        }.first
    }

    /// Whether a letter in the next step goes on with a run into which something happens.
    private func goesOn(_ happens: (GateRig) -> Void, storingTitles: Bool = true) -> Bool? {
        let rig = rig()
        if !storingTitles {
            var restrictions = Restrictions()
            restrictions.storesTitles = false
            rig.use(restrictions, at: 0)
        }
        rig.enter(.window(WindowFacts(app: "Editor", instance: "a", title: "x")), at: 9000)
        write(rig, at: 14_000)
        happens(rig)
        return write(rig, at: 15_500)
    }

    @Test func `what is no key, button or other window ends no run`() {
        let touch = { (phase: Touch.Phase) in
            RawEvent.Payload.touch(Touch(finger: 0, phase: phase, values: AxisValues()))
        }
        let harmless: [(GateRig) -> Void] = [
            { _ in }, { $0.take(.motion(dx: 1, dy: 0), at: 14_500) },
            { $0.take(.scroll(dx: 0, dy: 1), at: 14_500) },
            { $0.take(touch(.move), at: 14_500) }, { $0.take(touch(.up), at: 14_500) },
            { $0.enter(.app("Other"), at: 14_500, [.pointer]) },
            { $0.enter(.unknown, at: 14_500, [.pointer]) }, { $0.set(at: 14_500) { _ in } },
        ]
        for (place, happens) in harmless.enumerated() {
            #expect(goesOn(happens) == true, "\(place)")
        }
        let ending: [(GateRig) -> Void] = [
            { $0.take(.button(number: 1, isDown: true), at: 14_500) },
            { $0.take(touch(.down), at: 14_500) },
            { rig in
                rig.enter(.app("Other"), at: 14_400, [.keyboard])
                rig.enter(
                    .window(WindowFacts(app: "Editor", instance: "a", title: "x")),
                    at: 14_500
                )
            },
            { rig in
                rig.set(at: 14_400) { $0.keyDetail = .activity }
                rig.set(at: 14_500) { $0.keyDetail = .shortcuts }
            },
            {
                $0.enter(.window(WindowFacts(app: "Editor", instance: "b", title: "x")), at: 14_500)
            },
            {
                $0.enter(.window(WindowFacts(app: "Editor", instance: "a", title: "y")), at: 14_500)
            },
        ]
        for (place, happens) in ending.enumerated() {
            #expect(goesOn(happens) == false, "\(place)")
        }
    }

    @Test func `a title that is not stored ends no run when it changes`() {
        let other = WindowFacts(app: "Editor", instance: "a", title: "y")
        #expect(goesOn({ $0.enter(.window(other), at: 14_500) }, storingTitles: false) == true)
    }

    @Test func `a key that is left out and a gate that closes end the run`() {
        #expect(
            goesOn { rig in
                rig.enter(.unknown, at: 14_300, [.keyboard])
                rig.key(38, down: true, .letter, [], keysym: 0x61, at: 14_400)
                rig.enter(
                    .window(WindowFacts(app: "Editor", instance: "a", title: "x")),
                    at: 14_500
                )
            } == false
        )
        #expect(
            goesOn { rig in
                rig.set(at: 14_300) { $0.hasConsent = false }
                rig.set(at: 14_400) { $0.hasConsent = true }
                rig.enter(
                    .window(WindowFacts(app: "Editor", instance: "a", title: "x")),
                    at: 14_500
                )
            } == false
        )
    }

    @Test func `the gate says of each key whether something is stored of it`() {
        let rig = rig()
        func key(_ code: UInt8, _ keysym: UInt32, _ keyClass: KeyClass, down: Bool, _ time: Int64)
            -> Bool
        {
            rig.key(code, down: down, keyClass, [], keysym: keysym, at: time)
        }
        #expect(key(38, 0x61, .letter, down: true, 11_000), "a run begins")
        #expect(!key(38, 0x61, .letter, down: false, 11_050))
        #expect(!key(39, 0x62, .letter, down: true, 11_100), "it is in the run already")
        #expect(!key(39, 0x62, .letter, down: false, 11_150))
        #expect(!key(37, 0xFFE3, .modifier, down: true, 21_000), "a modifier waits")
        #expect(key(36, 0xFF0D, .editing, down: true, 21_100))
        #expect(key(36, 0xFF0D, .editing, down: false, 21_150))
        #expect(key(37, 0xFFE3, .modifier, down: false, 21_200), "it served")
        #expect(!key(37, 0xFFE3, .modifier, down: true, 31_000))
        #expect(key(37, 0xFFE3, .modifier, down: false, 31_200), "it was alone")
        #expect(!key(99, 0xFFC0, .function, down: false, 32_000), "it was never down")
    }

    @Test func `a modifier whose release was withheld is released by its next press`() {
        let rig = rig()
        rig.key(37, down: true, .modifier, [], keysym: 0xFFE3, at: 21_000)
        rig.key(36, down: true, .editing, [.control], keysym: 0xFF0D, at: 21_100)
        rig.key(36, down: false, .editing, [.control], keysym: 0xFF0D, at: 21_150)
        rig.outputs = []
        rig.key(37, down: true, .modifier, [], keysym: 0xFFE3, at: 22_000)
        let releases = rig.outputs.count { output in
            guard case .event(let event) = output, case .key(let key) = event.payload else {
                return false
            }
            return !key.isDown && key.keysym == 0xFFE3
        }
        #expect(releases == 1)
    }

    @Test func `what ends a run in the batch is what ends one in the gate`() {
        let touch = { (phase: Touch.Phase) in
            AdmittedEvent.Payload.touch(Touch(finger: 0, phase: phase, values: AxisValues()))
        }
        let ends: [AdmittedEvent.Payload] = [.button(number: 1, isDown: true), touch(.down)]
        let others: [AdmittedEvent.Payload] = [
            .typing(AdmittedEvent.TypedKey(continues: false, isInjected: false)),
            .motion(dx: 1, dy: 1),
            .scroll(dx: 0, dy: 1),
            .axes(AxisValues()), touch(.move), touch(.up),
        ]
        func event(_ payload: AdmittedEvent.Payload) -> AdmittedEvent {
            AdmittedEvent(time: EventTime(1), device: 3, payload: payload, pixel: nil)
        }
        #expect(ends.allSatisfy { event($0).endsRuns })
        #expect(!others.contains { event($0).endsRuns })
        // A key by itself ends one, too.
        let rig = rig()
        rig.key(36, down: true, .editing, [], keysym: 0xFF0D, at: 1000)
        guard case .event(let named)? = rig.outputs.last else { Issue.record("no key"); return }
        #expect(named.endsRuns)
    }

    /// What leaves the gate of keys: the number of the keysym, whether it goes down, and when.
    private func strokes(_ rig: GateRig) -> [String] {
        rig.events.compactMap { event in
            guard case .key(let key) = event.payload else { return nil }
            return "\(key.keysym) \(key.isDown ? "down" : "up") \(event.time.milliseconds)"
        }
    }

    @Test func `modifiers that served go up with what they served last, in whatever order`() {
        let rig = rig()
        rig.key(37, down: true, .modifier, [], keysym: 1, at: 20_900)
        rig.key(50, down: true, .modifier, [], keysym: 2, at: 20_950)
        rig.key(69, down: true, .function, [], keysym: 3, at: 21_000)
        rig.key(69, down: false, .function, [], keysym: 3, at: 21_050)
        rig.key(37, down: false, .modifier, [], keysym: 1, at: 22_000)
        rig.key(50, down: false, .modifier, [], keysym: 2, at: 23_000)
        #expect(
            strokes(rig) == [
                "1 down 21000", "2 down 21000", "3 down 21000", "3 up 21050", "1 up 21050",
                "2 up 21050",
            ]
        )
    }

    @Test func `a named key whose release was withheld is released by its next press`() {
        let rig = rig()
        for time: Int64 in [1000, 2000] {
            rig.key(69, down: true, .function, [], keysym: 3, at: time)
        }
        #expect(strokes(rig) == ["3 down 1000", "3 up 2000", "3 down 2000"])
    }

    @Test func `rules that stay as they are release no key`() {
        let rig = rig(.classes)
        rig.key(69, down: true, .function, [], keysym: 3, at: 1000)
        rig.use(Restrictions(), at: 1500)
        rig.key(69, down: false, .function, [], keysym: 3, at: 2000)
        #expect(strokes(rig) == ["3 down 1000", "3 up 2000"])
    }

    @Test func `an accent among others of its letter is found where more may follow, and not else`()
    {
        let marked = "cafe\u{323}\u{301}"
        #expect(Glob("café*")?.matches(marked + " x") == true)
        #expect(Glob("café")?.matches(marked) == false)
        #expect(Glob("*café")?.matches(marked) == false)
    }
}
