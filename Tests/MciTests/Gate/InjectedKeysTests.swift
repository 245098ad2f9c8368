// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Gate

/// Keys of the server's XTEST device, beside those of a keyboard.
@Suite struct InjectedKeysTests {
    private static let keyboard: UInt8 = 3
    private static let injected: UInt8 = 4

    private func rig(_ detail: KeyDetail, recordsThem: Bool = false) -> GateRig {
        var conditions = GateRig.open
        conditions.keyDetail = detail
        let rig = GateRig(conditions)
        use(rig, recordsThem: recordsThem, at: 1)
        var program = Device(name: "Virtual core XTEST keyboard", kind: .keyboard)
        program.isInjected = true
        rig.use([Self.keyboard: Device(name: "AT keyboard"), Self.injected: program])
        return rig
    }

    private func use(_ rig: GateRig, recordsThem: Bool, at time: Int64) {
        var restrictions = Restrictions()
        restrictions.recordsSyntheticKeys = recordsThem
        rig.use(restrictions, at: time)
    }

    /// What is stored of some devices, with its time in milliseconds.
    private func words(_ rig: GateRig, of devices: Set<UInt8> = [3, 4]) -> [String] {
        rig.events.filter { devices.contains($0.device) }.map { event in
            let time = event.time.milliseconds
            return switch event.payload {
            case .typing(let key): "typing\(key.continues ? " on" : "") \(time)"
            case .key(let key):
                "\(key.keyClass.name) \(key.keysym) \(key.isDown ? "down" : "up") \(time)"
            case .button(let number, let isDown): "button \(number) \(isDown) \(time)"
            case .scroll: "scroll \(time)"
            default: "movement \(time)"
            }
        }
    }

    private static let keys: [(KeyClass, UInt32, Modifiers)] = [
        (.letter, 0x61, []), (.digit, 0x35, []), (.editing, 0xFF0D, []), (.editing, 0xFF08, []),
        (.navigation, 0xFF51, []), (.function, 0xFFC0, []), (.letter, 0x63, .control),
        (.modifier, 0xFFE3, []), (.modifier, 0xFFE1, []), (.keypad, 0xFFB5, []),
    ]

    private func key(_ rig: GateRig, _ place: Int, down: Bool, at time: Int64, _ device: UInt8) {
        let (keyClass, keysym, modifiers) = Self.keys[place]
        rig.key(
            UInt8(20 + place),
            down: down,
            keyClass,
            modifiers,
            keysym: keysym,
            at: time,
            device: device
        )
    }

    @Test(arguments: KeyDetail.allCases)
    func `injected keys are runs alone, whatever the detail`(detail: KeyDetail) {
        let rig = rig(detail)
        for place in Self.keys.indices {
            let time = 11_000 + Int64(place) * 400
            key(rig, place, down: true, at: time, Self.injected)
            key(rig, place, down: false, at: time + 50, Self.injected)
        }
        #expect(words(rig) == (detail == .off ? [] : ["typing 10000"]))
        #expect(
            rig.events.allSatisfy {
                if case .typing(let key) = $0.payload { key.isInjected } else { false }
            }
        )
    }

    @Test func `a keyboard keeps its keys and their times beside injected ones`() {
        let rig = rig(.full)
        key(rig, 0, down: true, at: 12_000, Self.keyboard)
        key(rig, 1, down: true, at: 12_050, Self.injected)
        key(rig, 0, down: false, at: 12_100, Self.keyboard)
        key(rig, 1, down: false, at: 12_150, Self.injected)
        key(rig, 2, down: true, at: 12_200, Self.keyboard)
        #expect(
            words(rig) == [
                "letter 97 down 12000", "typing 10000", "letter 97 up 12100",
                "editing 65293 down 12200",
            ]
        )
    }

    @Test(arguments: [KeyDetail.shortcuts, .classes, .full])
    func `a modifier that a program holds serves no click`(detail: KeyDetail) {
        let rig = rig(detail)
        key(rig, 7, down: true, at: 12_000, Self.injected)
        rig.take(.button(number: 1, isDown: true), at: 12_100)
        rig.take(.scroll(dx: 0, dy: 120), at: 12_200)
        key(rig, 7, down: false, at: 12_300, Self.injected)
        #expect(words(rig) == ["typing 10000", "button 1 true 12100", "scroll 12200"])
    }

    @Test func `with the setting on they are as those of a keyboard`() {
        for detail in KeyDetail.allCases {
            let rigs = [rig(detail, recordsThem: true), rig(detail, recordsThem: true)]
            for (rig, device) in zip(rigs, [Self.keyboard, Self.injected]) {
                for place in Self.keys.indices {
                    key(rig, place, down: true, at: 11_000 + Int64(place) * 900, device)
                    key(rig, place, down: false, at: 11_050 + Int64(place) * 900, device)
                }
            }
            #expect(words(rigs[0]) == words(rigs[1]))
        }
    }

    @Test func `of a device of which nothing is known, only runs are stored`() {
        let rig = rig(.full)
        key(rig, 0, down: true, at: 12_000, 9)
        #expect(words(rig, of: [9]) == ["typing 10000"])
    }

    @Test func `what is held when the setting changes is released then, once`() {
        let rig = rig(.full, recordsThem: true)
        key(rig, 0, down: true, at: 12_000, Self.injected)
        use(rig, recordsThem: false, at: 12_100)
        key(rig, 0, down: false, at: 12_200, Self.injected)
        key(rig, 1, down: true, at: 12_300, Self.injected)
        use(rig, recordsThem: true, at: 12_400)
        key(rig, 2, down: true, at: 12_350, Self.injected)
        key(rig, 1, down: false, at: 12_500, Self.injected)
        key(rig, 0, down: true, at: 12_600, Self.injected)
        #expect(
            words(rig) == [
                "letter 97 down 12000", "letter 97 up 12100", "typing 10000", "typing 10000",
                "letter 97 down 12600",
            ],
            "also what came before the setting was on, and is read later"
        )
    }

    @Test func `what a number held before it was a program's is released, and serves nothing`() {
        let rig = rig(.shortcuts)
        key(rig, 7, down: true, at: 12_000, Self.keyboard)
        key(rig, 5, down: true, at: 12_100, Self.keyboard)
        key(rig, 8, down: true, at: 12_200, Self.keyboard)
        rig.use([:])
        key(rig, 5, down: false, at: 12_300, Self.keyboard)
        rig.take(.button(number: 1, isDown: true), at: 13_000)
        #expect(
            words(rig) == [
                "modifier 65507 down 12100", "function 65472 down 12100",
                "function 65472 up 15000", "modifier 65507 up 15000", "button 1 true 13000",
            ]
        )
    }

    @Test(arguments: [KeyDetail.activity, .shortcuts, .classes, .full])
    func `injected keys tell what they tell at activity, and change nothing else`(detail: KeyDetail)
    {
        var random = SplitMix(seed: 77)
        for _ in 0..<200 {
            let mixed = rig(detail)
            let alone = rig(detail)
            // Without the setting's help: what the detail itself tells.
            let activity = rig(.activity, recordsThem: true)
            var (time, held): (Int64, Set<Int>) = (10_000, [])
            for _ in 0..<150 {
                time += .random(in: 1...1500, using: &random)
                let place = Int.random(in: Self.keys.indices, using: &random)
                switch Int.random(in: 0..<12, using: &random) {
                case 0:
                    let app = Bool.random(using: &random) ? "A" : "B"
                    for rig in [mixed, alone, activity] { rig.enter(.app(app), at: time) }
                case 1:
                    for rig in [mixed, alone] {
                        rig.take(.button(number: 1, isDown: true), at: time)
                    }
                case 2: for rig in [mixed, alone] { rig.take(.scroll(dx: 0, dy: 9), at: time) }
                case 3..<8:
                    let isDown = Bool.random(using: &random)
                    for rig in [mixed, activity] {
                        key(rig, place, down: isDown, at: time, Self.injected)
                    }
                default:
                    let isDown = held.insert(place).inserted
                    if !isDown { held.remove(place) }
                    for rig in [mixed, alone] {
                        key(rig, place, down: isDown, at: time, Self.keyboard)
                    }
                }
            }
            #expect(words(mixed, of: [Self.injected]) == words(activity))
            #expect(words(mixed, of: [Self.keyboard]) == words(alone))
        }
    }
}
