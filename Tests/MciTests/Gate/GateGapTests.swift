// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

/// What is put on record of input that was left out, to the millisecond.
@Suite struct GateGapTests {
    private static let secret = Rule(app: Glob("Secret"))

    private static func exempting(_ rule: Rule) -> Restrictions {
        var result = Restrictions()
        result.exemptions = [rule]
        return result
    }

    private func gap(
        _ reason: GapReason,
        _ from: Int64,
        _ to: Int64,
        _ stream: InputStream? = nil
    ) -> Gap {
        // The keyboard's in whole steps: keys must not be told by what is left out.
        let (from, to) = (EventTime(from), EventTime(to))
        guard stream == .keyboard else {
            return Gap(reason: reason, from: from, to: to, stream: stream)
        }
        let (begin, end) = (TypingRun.begin(of: from), TypingRun.end(of: to))
        return Gap(reason: reason, from: begin, to: end, stream: stream)
    }

    // MARK: A closed gate

    @Test func `the time of not running ends with the first conditions, open or not`() {
        for isOpen in [true, false] {
            var gaps: [Gap] = []
            var gate = Gate(stopped: EventTime(-40))
            func take(_ output: GateOutput) {
                if case .gap(let gap) = output { gaps.append(gap) }
            }
            gate.set(isOpen ? GateRig.open : Gate.Conditions(), at: EventTime(5), into: take)
            #expect(gaps == [gap(.notRunning, -40, 5)])
            var paused = GateRig.open
            paused.isPaused = true
            gate.set(paused, at: EventTime(9), into: take)
            #expect(gaps.dropFirst() == (isOpen ? [] : [gap(.fault, 5, 9)]))
        }
    }

    @Test func `a gap that lasted no time is not stored`() {
        let rig = GateRig()
        rig.set(at: 10) { $0.isPaused = true }
        rig.set(at: 10) { $0.isSound = false }
        rig.set(at: 11) { _ = ($0.isSound = true, $0.isPaused = false) }
        #expect(rig.gaps == [gap(.fault, 10, 11)])
    }

    @Test func `conditions that close for the same reason, or keep it open, change nothing`() {
        let rig = GateRig()
        rig.key(38, down: true, at: 5)
        rig.set(at: 10) { $0.keyDetail = .full }
        #expect(rig.gaps.isEmpty && rig.events.count == 2, "a key that is held is released")
        #expect(rig.key(39, down: true, at: 11), "it still knows what is in front")
        rig.set(at: 20) { $0.isPaused = true }
        rig.set(at: 30) { $0.sessionClosedBy = .sessionLocked }
        rig.set(at: 40) { _ = ($0.isPaused = false, $0.sessionClosedBy = nil) }
        #expect(rig.gaps == [gap(.paused, 20, 40)])
    }

    @Test func `what comes while the gate is closed leaves no gap of its own`() {
        let rig = GateRig()
        rig.set(at: 10) { $0.isPaused = true }
        rig.enter(.app("Editor"), at: 11)
        rig.key(38, down: true, at: 12)
        rig.enter(.grabbed, at: 13)
        rig.set(at: 20) { $0.isPaused = false }
        rig.enter(.app("Editor"), at: 21)
        rig.set(at: 30) { $0.isPaused = true }
        #expect(rig.gaps == [gap(.paused, 10, 20)])
    }

    @Test func `before a stop the gap of a closed gate is recorded, and goes on after`() {
        let rig = GateRig()
        rig.set(at: 10) { $0.isPaused = true }
        rig.recordClosure(until: 30)
        #expect(rig.gaps == [gap(.paused, 10, 30)])
        rig.set(at: 45) { $0.isPaused = false }
        #expect(rig.gaps == [gap(.paused, 10, 30), gap(.paused, 30, 45)])
    }

    @Test func `before a stop an open gate releases what is held and forgets what was in front`() {
        let rig = GateRig()
        rig.key(38, down: true, at: 5)
        rig.recordClosure(until: 30)
        #expect(rig.keys.map(\.isDown) == [true, false])
        #expect(rig.gaps.isEmpty)
        #expect(!rig.key(38, down: true, at: 31))
    }

    @Test func `after a pause the application in front is named again`() {
        let rig = GateRig(app: nil)
        rig.enter(.app("Editor"), at: 1)
        rig.enter(.app("Editor"), at: 2)
        #expect(rig.foci.map(\.time.milliseconds) == [1])
        rig.set(at: 10) { $0.isPaused = true }
        rig.set(at: 20) { $0.isPaused = false }
        rig.enter(.app("Editor"), at: 21)
        #expect(rig.foci.map(\.time.milliseconds) == [1, 21])
    }

    // MARK: A stream

    @Test func `a pause ends the gap of an exempt window, and that of an unknown one earlier`() {
        let rig = GateRig()
        rig.use(Self.exempting(Self.secret), at: 0)
        rig.enter(.app("Secret"), at: 10, [.keyboard])
        rig.enter(.unknown, at: 10, [.pointer])
        rig.take(.motion(dx: 1, dy: 1), at: 12)
        rig.take(.motion(dx: 1, dy: 1), at: 14)
        rig.set(at: 20) { $0.isPaused = true }
        #expect(
            rig.gaps == [gap(.exempt, 10, 20, .keyboard), gap(.unknownContext, 12, 14, .pointer)]
        )
    }

    @Test func `the gap of an exempt window covers all that was left out, also what came late`() {
        let rig = GateRig()
        rig.use(Self.exempting(Self.secret), at: 0)
        rig.enter(.app("Secret"), at: 10, [.keyboard])
        rig.key(38, down: true, at: 8)
        rig.key(38, down: true, at: 17)
        rig.enter(.app("Editor"), at: 15, [.keyboard])
        #expect(rig.gaps == [gap(.exempt, 8, 17, .keyboard)])
    }

    @Test func `a gap is stored once`() {
        let rig = GateRig(app: nil)
        rig.key(38, down: true, at: 5)
        rig.enter(.app("Editor"), at: 10)
        rig.enter(.app("Other"), at: 20)
        rig.set(at: 30) { $0.isPaused = true }
        #expect(rig.gaps == [gap(.unknownContext, 5, 5, .keyboard)])
    }

    @Test func `the gap of a device is as long as its window was in front, if it did anything`() {
        let rig = GateRig(app: nil)
        rig.use(Self.exempting(Rule(app: Glob("Editor"), device: Glob("Pad"))), at: 0)
        rig.use(devices: [3: "Keyboard", 4: "Pad"])
        rig.enter(.app("Editor"), at: 10)
        #expect(rig.take(.motion(dx: 1, dy: 1), at: 11))
        rig.enter(.app("Other"), at: 20)
        #expect(rig.gaps.isEmpty, "the pad did nothing")
        rig.enter(.app("Editor"), at: 30)
        #expect(!rig.take(.motion(dx: 1, dy: 1), at: 35, device: 4))
        rig.enter(.app("Other"), at: 40)
        rig.enter(.app("Editor"), at: 50)
        rig.set(at: 60) { $0.isPaused = true }
        #expect(rig.gaps == [gap(.exempt, 30, 40, .pointer)], "it did nothing the third time")
    }

    @Test func `the gap of a device does not end before it begins`() {
        let rig = GateRig(app: nil)
        rig.use(Self.exempting(Rule(device: Glob("Pad"))), at: 0)
        rig.use(devices: [4: "Pad"])
        rig.enter(.app("Editor"), at: 10)
        #expect(!rig.take(.motion(dx: 1, dy: 1), at: 12, device: 4))
        rig.enter(.app("Other"), at: 9)
        #expect(rig.gaps == [gap(.exempt, 10, 10, .pointer)])
    }

    // MARK: Rules of before

    @Test func `a rule of before holds for late input for a minute after it was lifted`() {
        for (moment, isAdmitted) in [(60_999, false), (61_000, true)] as [(Int64, Bool)] {
            let rig = GateRig()
            rig.use(Self.exempting(Self.secret), at: 0)
            rig.use(Restrictions(), at: 1000)
            rig.use(Restrictions(), at: moment)
            rig.enter(.app("Secret"), at: 998)
            #expect(rig.key(38, down: true, at: 999) == isAdmitted)
            #expect(rig.key(39, down: true, at: 1000), "from when it was lifted")
        }
    }

    @Test func `a rule of before knows the devices by their names of now`() {
        let rig = GateRig()
        rig.use(devices: [4: "Pad", 5: "Mouse"])
        rig.use(Self.exempting(Rule(device: Glob("Pad"))), at: 0)
        rig.use(Restrictions(), at: 100)
        rig.use(devices: [4: "Mouse", 5: "Pad"])
        #expect(rig.take(.motion(dx: 1, dy: 1), at: 50, device: 4))
        #expect(!rig.take(.motion(dx: 1, dy: 1), at: 50, device: 5))
        rig.set(at: 110) { $0.isPaused = true }
        #expect(rig.gaps.isEmpty, "no other gap than that of the rule while it held")
    }
}

/// What the two streams share, and what they do not.
@Suite struct GateStreamTests {
    private func exemptingSecret() -> Restrictions {
        var result = Restrictions()
        result.exemptions = [Rule(app: Glob("Secret"))]
        return result
    }

    @Test func `input passes as it came`() {
        let rig = GateRig()
        rig.take(.motion(dx: 1, dy: -2), at: 1)
        rig.take(.scroll(dx: 3, dy: -120), at: 2, device: 4)
        rig.take(.button(number: 1, isDown: true), at: 3, device: 5)
        rig.take(.button(number: 9, isDown: false), at: 4)
        let touch = Touch(finger: 2, phase: .up, values: AxisValues())
        rig.take(.touch(touch), at: 5)
        let told = rig.events.map { event in
            switch event.payload {
            case .motion(let dx, let dy): "motion \(dx) \(dy)"
            case .scroll(let dx, let dy): "scroll \(dx) \(dy)"
            case .button(let number, let isDown): "button \(number) \(isDown)"
            case .touch(let told): told == touch ? "touch" : "another touch"
            default: "something else"
            }
        }
        #expect(
            told == ["motion 1 -2", "scroll 3 -120", "button 1 true", "button 9 false", "touch"]
        )
        #expect(rig.events.map(\.time.milliseconds) == [1, 2, 3, 4, 5])
        #expect(rig.events.map(\.device) == [3, 4, 5, 3, 3])
    }

    @Test func `keys go on being held while the pointer alone meets what is left out`() {
        let rig = GateRig()
        rig.use(exemptingSecret(), at: 0)
        rig.key(38, down: true, at: 1)
        rig.enter(.app("Secret"), at: 2, [.pointer])
        rig.enter(.unknown, at: 3, [.pointer])
        rig.take(.motion(dx: 1, dy: 1), at: 4)
        rig.enter(.app("Other"), at: 5)
        #expect(rig.key(38, down: false, at: 6))
        #expect(rig.events.map(\.time.milliseconds) == [1, 6])
    }

    @Test func `keys that are held are released in the order of their codes`() {
        let rig = GateRig()
        let codes = Array<UInt8>(30..<90).shuffled()
        for code in codes { rig.key(code, down: true, .function, keysym: UInt32(code), at: 1) }
        rig.set(at: 5) { $0.isPaused = true }
        #expect(rig.keys.filter { !$0.isDown }.map(\.keysym) == Array(30..<90))
    }

    @Test func `the keyboard's window is the one that is named`() {
        let rig = GateRig(app: nil)
        rig.enter(.app("Editor"), at: 1, [.keyboard])
        rig.enter(.app("Other"), at: 2, [.pointer])
        #expect(rig.foci.map(\.app) == ["Editor"])
    }

    @Test func `an exempt window that comes first leaves no name, not even an empty one`() {
        let rig = GateRig(app: nil)
        rig.use(exemptingSecret(), at: 0)
        rig.enter(.app("Secret"), at: 1)
        #expect(rig.foci.isEmpty)
    }
}
