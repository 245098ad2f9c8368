// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

/// What the gate tells of devices and of the desktop.
@Suite struct DescriptionTests {
    /// A gate with what came out of it, in words.
    private final class Rig {
        private var gate = Gate(stopped: EventTime(0))
        private var conditions = Gate.Conditions()
        private(set) var words: [String] = []

        init(leavingOut device: String? = nil) {
            (conditions.hasConsent, conditions.isSound) = (true, true)
            (conditions.hasSpace, conditions.isConnected) = (true, true)
            (conditions.isAwake, conditions.isMarked) = (true, true)
            var restrictions = Restrictions()
            if let device { restrictions.exemptions = [Rule(device: Glob(device))] }
            let noon = WeekMinute(day: 0, minuteOfDay: 720)
            gate.use(restrictions, at: noon, from: EventTime(0)) { _ in }
            set { _ in }
        }

        func set(_ change: (inout Gate.Conditions) -> Void) {
            change(&conditions)
            gate.set(conditions, at: EventTime(1)) { _ in }
            for stream in InputStream.allCases {
                take(.context(.app("Editor"), stream: stream, at: EventTime(1)))
            }
        }

        func take(_ event: CaptureEvent) {
            _ = gate.take(event) { output in
                switch output {
                case .event(let event): words.append("event \(event.device)")
                case .device(let told): words.append("\(told.id) is \(told.device?.name ?? "gone")")
                case .screen(let told): words.append("\(told.screen.width) wide")
                case .focus, .gap: break
                }
            }
        }

        func move(_ devices: UInt8...) {
            for device in devices {
                let payload = RawEvent.Payload.motion(dx: 1, dy: 0)
                let raw = RawEvent(time: EventTime(9), device: device, payload: payload)
                take(.input(raw, stream: .pointer))
            }
        }

        func devices(_ names: [UInt8: String]) {
            take(.devices(names.mapValues { Device(name: $0) }))
        }

        /// The words since the last call.
        func new() -> [String] {
            defer { words = [] }
            return words
        }
    }

    @Test func `a device is described before its first event, and again when it is another one`() {
        let rig = Rig()
        rig.take(.screen(ScreenLayout(width: 800, height: 600)))
        rig.devices([6: "Mouse", 7: "Pen", 8: "Other"])
        #expect(rig.new().isEmpty, "before there is an event nothing is told")
        rig.move(6, 6)
        #expect(rig.new() == ["800 wide", "6 is Mouse", "event 6", "event 6"])
        rig.devices([6: "Mouse", 7: "Ball"])
        rig.move(6, 7)
        #expect(rig.new() == ["event 6", "800 wide", "7 is Ball", "event 7"])
        rig.devices([7: "Ball"])
        rig.move(6, 7)
        #expect(rig.new() == ["800 wide", "6 is gone", "event 6", "event 7"])
        rig.take(.screen(ScreenLayout(width: 1600, height: 600)))
        rig.move(7)
        #expect(rig.new() == ["1600 wide", "7 is Ball", "event 7"])
    }

    @Test func `each of 256 devices is told once, and so is a desktop that is told twice`() {
        let rig = Rig()
        let ids = UInt8.min...UInt8.max
        rig.take(.screen(ScreenLayout(width: 800, height: 600)))
        rig.devices(Dictionary(uniqueKeysWithValues: ids.map { ($0, "Mouse \($0)") }))
        for id in ids { rig.move(id) }
        #expect(rig.new().filter { $0 == "800 wide" || !$0.hasPrefix("event") }.count == 2 * 256)
        rig.take(.screen(ScreenLayout(width: 800, height: 600)))
        for id in ids { rig.move(id) }
        #expect(rig.new() == ids.map { "event \($0)" })
        rig.devices(Dictionary(uniqueKeysWithValues: ids.map { ($0, "Ball \($0)") }))
        for id in ids {
            rig.move(id)
            #expect(rig.new() == ["800 wide", "\(id) is Ball \(id)", "event \(id)"])
        }
    }

    @Test func `a device that is left out is not described`() {
        let rig = Rig(leavingOut: "*Pen*")
        rig.devices([6: "Mouse", 7: "My Pen"])
        rig.move(7, 6, 7)
        #expect(rig.new() == ["6 is Mouse", "event 6"])
    }

    @Test func `while the gate is closed nothing is described`() {
        let rig = Rig()
        rig.devices([6: "Mouse"])
        rig.move(6)
        rig.set { $0.isPaused = true }
        rig.devices([6: "Ball"])
        rig.move(6)
        #expect(rig.new() == ["6 is Mouse", "event 6"])
        rig.set { $0.isPaused = false }
        rig.move(6)
        #expect(rig.new() == ["6 is Ball", "event 6"])
    }
}
