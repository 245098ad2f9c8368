// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Testing

/// Movements that go through the gate together.
@Suite struct MotionRunTests {
    private func run(_ times: Int64..., of device: UInt8 = 3) -> MotionRun {
        MotionRun(of: device, times.map { ($0, 1, -1) })
    }

    private func rule(_ app: String? = nil, device: String? = nil) throws -> Restrictions {
        var restrictions = Restrictions()
        let glob: (String?) -> Glob? = { $0.flatMap { Glob($0) } }
        restrictions.exemptions = [Rule(app: glob(app), device: glob(device))]
        return restrictions
    }

    @Test func `movements go together once their device is told, with their values`() throws {
        let rig = GateRig()
        #expect(rig.gate.admitRun(run(1)) == nil)
        #expect(rig.take(.motion(dx: 1, dy: 1), at: 1, device: 3))
        let motions = try #require(rig.gate.admitRun(run(2, 5)))
        #expect(motions.device == 3 && motions.steps.map(\.time.milliseconds) == [2, 5])
        let event = motions.event(at: 1)
        #expect(event.time == EventTime(5) && event.device == 3 && event.pixel == nil)
        guard case .motion(1, -1) = event.payload else {
            Issue.record("another movement")
            return
        }
        #expect(rig.gate.admitRun(run(6, of: 4)) == nil)
    }

    @Test func `none go together where one would be left out`() throws {
        let rig = GateRig()
        #expect(rig.take(.motion(dx: 1, dy: 1), at: 1, device: 3))
        rig.enter(.unknown, at: 2, [.pointer])
        #expect(rig.gate.admitRun(run(3)) == nil)
        rig.enter(.app("Editor"), at: 4, [.pointer])
        rig.enter(.unknown, at: 4, [.keyboard])
        #expect(rig.gate.admitRun(run(5)) != nil)
        rig.set(at: 6) { $0.isPaused = true }
        #expect(rig.gate.admitRun(run(7)) == nil)
        rig.set(at: 8) { $0.isPaused = false }
        #expect(rig.gate.admitRun(run(9)) == nil)
    }

    @Test func `a rule keeps movements apart, and those from before it was lifted`() throws {
        let rig = GateRig()
        rig.use(devices: [3: "Mouse"])
        #expect(rig.take(.motion(dx: 1, dy: 1), at: 1, device: 3))
        rig.use(try rule("Editor"), at: 10)
        #expect(rig.gate.admitRun(run(11)) == nil)
        rig.use(try rule(device: "Pen*"), at: 20)
        #expect(rig.gate.admitRun(run(21)) == nil)
        rig.use(Restrictions(), at: 30)
        #expect(rig.gate.admitRun(run(29)) == nil)
        #expect(rig.gate.admitRun(run(31, 29)) == nil)
        #expect(rig.gate.admitRun(run(30, 31)) != nil)
        rig.use(Restrictions(), at: 40)
        #expect(rig.gate.admitRun(run(35)) != nil)
    }
}
