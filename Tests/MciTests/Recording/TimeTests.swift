// SPDX-License-Identifier: Apache-2.0

import Events
import Packing
import Recording
import Testing
import Timeline

@testable import Capture

/// When things happened, whatever befalls the clocks.
@Suite struct TimeTests {
    @Test func `a server stamp finds its moment at any age of the machine`() {
        var random = SplitMix(seed: 61)
        for _ in 0..<100_000 {
            // Up to ten years of uptime; a stamp is read up to 24 days late, or a little early.
            let now = Int64.random(in: 0...315_576_000_000, using: &random)
            let late: ClosedRange<Int64> = .random(using: &random) ? -1000...0 : 0...2_000_000_000
            let moment = now - Int64.random(in: late, using: &random)
            let stamp = UInt32(truncatingIfNeeded: moment)
            #expect(ServerClock(now: EventTime(now)).time(of: stamp) == EventTime(moment))
        }
    }

    @Test func `over random days each event has its time within a tenth of a second, in order`()
        throws
    {
        let session = try ScriptedSession()
        session.focus("Editor")
        var random = SplitMix(seed: 62)
        var truth: [Int64] = []
        for step in 0..<(isProof ? 4000 : 400) {
            switch Int.random(in: 0..<40, using: &random) {
            case 0:
                // Somebody, or a time server, sets the clock.
                let most: Int64 = .random(using: &random) ? 900 : 7_200_000
                let by = Int64.random(in: -most...most, using: &random)
                session.now.wall.milliseconds += by
                session.recorder.tick()
            case 1:
                // The machine sleeps: neither X's clock nor the monotonic one goes on.
                let length = Int64.random(in: 1000...40_000_000, using: &random)
                // What waits then is dropped, and so is what comes in the first two seconds.
                session.pass(1000)
                session.now.boottime += length
                session.now.wall.milliseconds += length
                session.recorder.tick()
                session.pass(3000)
            case 2:
                // The clock is slewed, by less than begins a batch.
                session.now.wall.milliseconds += Int64.random(in: -30...30, using: &random)
                session.recorder.tick()
            default:
                session.pass(Int64.random(in: 1...9000, using: &random))
            }
            let payload = RawEvent.Payload.motion(dx: Int32(step + 1), dy: 0)
            let raw = RawEvent(time: session.now.monotonic, device: 6, payload: payload)
            session.arrive(.input(raw, stream: .pointer))
            truth.append(session.now.wall.milliseconds)
            // At times the clocks change before it is read.
            if .random(using: &random) { session.pass(200) }
        }
        session.recorder.stop()
        var next = 0
        var latest = EventTime(0)
        for event in try session.stored() {
            guard case .input(.motion(let dx, _)) = event.item.payload else { continue }
            let number = Int(dx) - 1
            #expect(number == next, "none is lost, and all are in order")
            next = number + 1
            #expect(event.item.time >= latest)
            latest = event.item.time
            #expect(abs(event.time.milliseconds - truth[number]) <= 101)
        }
        #expect(next == truth.count)
    }

    @Test(arguments: [false, true])
    func `what is unread when the clock is set has the time of then, in whatever batch`(
        isOpen: Bool
    ) throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        // A batch lasts a minute.
        session.pass(isOpen ? 5000 : 120_000)
        let then = session.now.wall.milliseconds
        let raw = RawEvent(
            time: session.now.monotonic,
            device: 6,
            payload: .motion(dx: 77, dy: 0)
        )
        session.arrive(.input(raw, stream: .pointer))
        session.now.wall.milliseconds += 3_600_000
        session.recorder.tick()
        session.pass(5000)
        session.recorder.stop()
        let times = try session.stored().compactMap { event -> Int64? in
            guard case .input(.motion(77, _)) = event.item.payload else { return nil }
            return event.time.milliseconds
        }
        #expect(times.count == 1 && abs((times.first ?? 0) - then) <= 1, "\(times), \(then)")
    }
}
