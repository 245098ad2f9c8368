// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

@Suite struct GateTests {
    @Test(arguments: 0..<7)
    func `each condition alone closes the gate`(which: Int) {
        var conditions = GateRig.open
        switch which {
        case 0: conditions.hasConsent = false
        case 1: conditions.isPaused = true
        case 2: conditions.sessionClosedBy = .sessionLocked
        case 3: conditions.isSound = false
        case 4: conditions.hasSpace = false
        case 5: conditions.leftOutBy = .exempt
        default: conditions.isConnected = false
        }
        let rig = GateRig(conditions)
        #expect(!rig.key(38, down: true))
        #expect(!rig.take(.motion(dx: 1, dy: 1), at: 1))
        #expect(rig.outputs.isEmpty)
    }

    @Test func `a new gate admits nothing`() {
        var gate = Gate(stopped: EventTime(0))
        let front = CaptureEvent.context(.app("Editor"), stream: .pointer, at: EventTime(0))
        _ = gate.take(front) { _ in Issue.record("stored") }
        let raw = RawEvent(time: EventTime(1), device: 1, payload: .motion(dx: 1, dy: 1))
        #expect(gate.take(.input(raw, stream: .pointer)) { _ in Issue.record("stored") } == false)
    }

    @Test func `input is admitted when everything holds`() {
        let rig = GateRig()
        #expect(rig.key(38, down: true))
        #expect(rig.take(.motion(dx: 1, dy: -1), at: 2))
        #expect(rig.take(.button(number: 1, isDown: true), at: 3))
        #expect(rig.take(.scroll(dx: 0, dy: 120), at: 4))
        #expect(rig.outputs.count == 4)
    }

    @Test func `an unknown context drops input, as one gap without a count`() {
        let rig = GateRig(app: nil)
        for time in 5..<25 { #expect(!rig.key(38, down: time % 2 == 0, at: Int64(time))) }
        #expect(rig.outputs.isEmpty)
        rig.enter(.app("Editor"), at: 30)
        #expect(
            rig.gaps == [
                Gap(
                    reason: .unknownContext,
                    from: EventTime(0),
                    to: EventTime(5000),
                    stream: .keyboard
                )
            ]
        )
    }

    @Test func `a focus change without dropped input leaves no gap`() {
        let rig = GateRig()
        rig.enter(.unknown, at: 5)
        rig.enter(.app("Other"), at: 6)
        #expect(rig.gaps.isEmpty)
        #expect(rig.key(38, down: true))
    }

    @Test func `a keyboard grab is one gap, although no key is seen, and releases held keys`() {
        let rig = GateRig()
        rig.key(38, down: true, at: 1)
        rig.enter(.grabbed, at: 10)
        rig.enter(.unknown, at: 19)
        rig.enter(.app("Editor"), at: 20)
        #expect(rig.keys.map(\.isDown) == [true, false])
        #expect(
            rig.gaps == [
                Gap(
                    reason: .keyboardGrabbed,
                    from: EventTime(0),
                    to: EventTime(5000),
                    stream: .keyboard
                )
            ]
        )
        #expect(!rig.key(38, down: false, at: 21), "its release was stored already")
    }

    @Test func `a pause is a gap and releases held keys`() {
        let rig = GateRig()
        rig.key(38, down: true, at: 1)
        rig.set(at: 5) { $0.isPaused = true }
        rig.set(at: 60) { $0.isPaused = false }
        #expect(rig.keys.map(\.isDown) == [true, false])
        #expect(rig.gaps == [Gap(reason: .paused, from: EventTime(5), to: EventTime(60))])
        #expect(!rig.key(38, down: true, at: 61), "whose focus is not known again yet")
        rig.enter(.app("Editor"), at: 62)
        #expect(rig.key(38, down: true, at: 63))
    }

    @Test func `a new press implies the release that was withheld`() {
        let rig = GateRig()
        rig.key(38, down: true, at: 1)
        rig.key(38, down: true, at: 9)
        #expect(rig.keys.map(\.isDown) == [true, false, true])
    }

    @Test func `a release without an admitted press is not stored and leaves no gap`() {
        let rig = GateRig()
        #expect(!rig.key(38, down: false))
        #expect(rig.outputs.isEmpty)
    }

    @Test func `the reasons have their order`() {
        var conditions = Gate.Conditions()
        conditions.keyDetail = .classes
        #expect(conditions.closedBy == .fault)
        conditions.isSound = true
        #expect(conditions.closedBy == .noConsent)
        conditions.hasConsent = true
        conditions.isPaused = true
        conditions.sessionClosedBy = .sessionLocked
        #expect(conditions.closedBy == .paused)
        conditions.isPaused = false
        #expect(conditions.closedBy == .sessionLocked)
        conditions.sessionClosedBy = nil
        conditions.leftOutBy = .excluded
        #expect(conditions.closedBy == .excluded)
        conditions.leftOutBy = nil
        #expect(conditions.closedBy == .diskFull)
        conditions.hasSpace = true
        #expect(conditions.closedBy == .disconnected)
        conditions.isConnected = true
        #expect(conditions.closedBy == .asleep)
        conditions.isAwake = true
        #expect(conditions.closedBy == .markHidden)
        conditions.isMarked = true
        #expect(conditions.closedBy == nil)
    }

    @Test func `no gap is lost between two reasons`() {
        let rig = GateRig()
        rig.set(at: 10) { $0.isPaused = true }
        rig.set(at: 20) { $0.isSound = false }
        rig.set(at: 30) {
            $0.isSound = true
            $0.isPaused = false
        }
        #expect(rig.gaps.map(\.reason) == [.paused, .fault])
        #expect(rig.gaps.map(\.from.milliseconds) == [10, 20])
        #expect(rig.gaps.map(\.to.milliseconds) == [20, 30])
    }

    @Test func `nothing is admitted while closed or unattributed, over random histories`() {
        var random = SplitMix(seed: 42)
        for _ in 0..<2000 {
            let rig = GateRig(app: nil)
            var context = AppContext.unknown
            for time in 1..<60 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0: rig.set(at: Int64(time)) { $0.isPaused.toggle() }
                case 1: rig.set(at: Int64(time)) { $0.hasConsent.toggle() }
                case 2: rig.set(at: Int64(time)) { $0.isConnected.toggle() }
                case 3, 4:
                    context =
                        [.unknown, .grabbed, .app("A"), .app("B")].randomElement(using: &random)
                        ?? .unknown
                    rig.enter(context, at: Int64(time))
                default:
                    let isOpen = rig.conditions.closedBy == nil
                    let code = UInt8.random(in: 8..<12, using: &random)
                    let isAdmitted = rig.key(code, down: .random(using: &random), at: Int64(time))
                    let mayBe = isOpen && context != .unknown && context != .grabbed
                    #expect(mayBe || !isAdmitted)
                }
                if rig.conditions.closedBy != nil { context = .unknown }
            }
            // Every admitted press has its release, in order, and times never go back within keys.
            rig.set(at: 100) { $0.isPaused = true }
            var down = 0
            for key in rig.keys {
                down += key.isDown ? 1 : -1
                #expect((0...4).contains(down))
            }
            #expect(down == 0)
        }
    }
}

@Suite struct KeyDetailTests {
    @Test func `off stores no key and no gap that would tell its time`() {
        var conditions = GateRig.open
        conditions.keyDetail = .off
        let rig = GateRig(conditions)
        #expect(!rig.key(38, down: true))
        #expect(!rig.key(38, down: false))
        rig.set(at: 99) { $0.isPaused = true }
        #expect(rig.outputs.isEmpty)
    }

    @Test func `activity tells of no key by itself`() {
        var conditions = GateRig.open
        conditions.keyDetail = .activity
        let rig = GateRig(conditions)
        rig.key(54, down: true, .letter, [.control], keysym: 0x63)
        rig.key(36, down: true, .editing, [], keysym: 0xFF0D)
        #expect(rig.keys.isEmpty && rig.events.count == 1)
    }

    @Test(arguments: [KeyClass.letter, .digit, .punctuation, .space, .keypad])
    func `classes withholds what writes text`(keyClass: KeyClass) {
        for modifiers in [[], .shift, .lock, .level3, [.level3, .control]] as [Modifiers] {
            let rig = GateRig()
            rig.key(38, down: true, keyClass, modifiers)
            #expect(rig.keys.map(\.keysym) == [0])
        }
        for modifiers in [.control, .alt, .super, [.control, .shift]] as [Modifiers] {
            let rig = GateRig()
            rig.key(38, down: true, keyClass, modifiers)
            #expect(rig.keys.map(\.keysym) == [0x61])
        }
    }

    @Test(arguments: [KeyClass.modifier, .navigation, .editing, .function, .media])
    func `classes names what writes no text`(keyClass: KeyClass) {
        let rig = GateRig()
        rig.key(38, down: true, keyClass, keysym: 0xFF1B)
        #expect(rig.keys.map(\.keysym) == [0xFF1B])
    }

    @Test func `a key of no known class keeps its identity to itself even in a chord`() {
        let rig = GateRig()
        rig.key(38, down: true, .other, .control)
        #expect(rig.keys.map(\.keysym) == [0])
    }

    @Test func `a letter released under Ctrl stays a letter`() {
        let rig = GateRig()
        rig.key(38, down: true, .letter, [], keysym: 0x70)
        rig.key(38, down: false, .letter, [.control], keysym: 0x70)
        #expect(rig.keys.map(\.keysym) == [0, 0])
        #expect(rig.keys.map(\.modifiers) == [[], []])
    }

    @Test func `full names every key`() {
        var conditions = GateRig.open
        conditions.keyDetail = .full
        let rig = GateRig(conditions)
        rig.key(38, down: true)
        #expect(rig.keys.map(\.keysym) == [0x61])
    }

    @Test func `the details have an order, and the numbers that batches store`() {
        let all = KeyDetail.allCases
        #expect(all.map(\.rawValue) == ["off", "activity", "shortcuts", "classes", "full"])
        #expect(all.map(\.code) == [0, 4, 5, 2, 3])
        for (place, detail) in all.enumerated() {
            for (other, second) in all.enumerated() {
                #expect((detail < second) == (place < other))
            }
        }
    }

    @Test
    func `what earlier versions stored is shown by what it tells, and a choice is not looser`() {
        #expect(KeyDetail.name(ofCode: 1) == "timing" && KeyDetail.name(ofCode: 2) == "classes")
        #expect(KeyDetail.name(ofCode: 9) == "detail-9")
        #expect(KeyDetail(stored: "timing") == .activity && KeyDetail(rawValue: "timing") == nil)
        #expect(KeyDetail(stored: "shortcuts") == .shortcuts && KeyDetail(stored: "x") == nil)
    }

    @Test(arguments: [KeyDetail.classes, .full])
    func `a press is a press and its release a release`(keyDetail: KeyDetail) {
        var conditions = GateRig.open
        conditions.keyDetail = keyDetail
        let rig = GateRig(conditions)
        rig.key(38, down: true)
        rig.key(38, down: false)
        #expect(rig.keys.map(\.isDown) == [true, false])
    }

    @Test func `recorded content does not print`() {
        let key = RawEvent.Key(
            keycode: 38,
            isDown: true,
            keyClass: .letter,
            modifiers: [],
            keysym: 0x61
        )
        let raw = RawEvent(time: EventTime(1), device: 1, payload: .key(key))
        var dumped = ""
        dump(raw, to: &dumped)
        let context = AppContext.app("Secret App")
        for text in [
            "\(raw)", "\(key)", "\(raw.payload)", String(reflecting: raw), dumped, "\(context)",
        ] {
            #expect(!text.contains("38") && !text.contains("61") && !text.contains("97"))
            #expect(!text.contains("Secret"))
        }
    }
}

/// A random generator whose numbers repeat from run to run.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
