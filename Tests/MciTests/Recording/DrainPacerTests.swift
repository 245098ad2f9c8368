// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Recording

@Suite struct DrainPacerTests {
    /// Reads whatever is due while events come at a rate, for twenty seconds.
    private func readings(perSecond rate: Double) -> (pauses: [Int64], most: Int) {
        var pacer = DrainPacer()
        pacer.becameReadable(at: 0)
        var (now, pauses, most): (Int64, [Int64], Int) = (0, [], 0)
        var read = 0
        while now < 20_000, let due = pacer.due {
            pauses.append(due - now)
            now = due
            let count = Int(Double(now) * rate / 1000) - read
            read += count
            most = max(most, count)
            pacer.drained(count: count, at: now)
        }
        return (pauses, most)
    }

    @Test func `a lone event is read soon, and nothing is due after it`() {
        var pacer = DrainPacer()
        #expect(pacer.watch == .all)
        pacer.becameReadable(at: 1000)
        #expect(pacer.due == 1020)
        pacer.drained(count: 1, at: 1020)
        pacer.drained(count: 0, at: 1040)
        #expect(pacer.due == nil && pacer.watch == .all)
    }

    @Test(arguments: [125.0, 1000, 8000, 100_000])
    func `while events keep coming the readings grow rare, at most twenty a second`(_ rate: Double)
    {
        let (pauses, most) = readings(perSecond: rate)
        #expect(pauses.prefix(3) == [20, 20, 40])
        #expect(pauses.count < 220)
        // Beyond a thousand events at once the pauses are the shortest ones of a load.
        #expect(pauses.max() == min(800, max(100, Int64(1_000_000 / rate))))
        #expect(rate > 10_000 || most <= 1000)
    }

    @Test func `keys and windows cut a long pause short, not a short one`() {
        var pacer = DrainPacer()
        pacer.becameReadable(at: 0)
        for _ in 0..<3 { pacer.drained(count: 2, at: pacer.due ?? 0) }
        #expect(pacer.watch == .urgent, "a tenth of a second is soon enough")
        for _ in 0..<6 { pacer.drained(count: 2, at: pacer.due ?? 0) }
        #expect(pacer.watch == .prompt)
        let now = (pacer.due ?? 0) - 700
        pacer.becameReadable(at: now)
        #expect(pacer.due == now + 20)
        #expect(pacer.watch == .urgent, "once is enough")
    }

    @Test func `nothing is left unread for long while a button is down`() {
        var pacer = DrainPacer()
        pacer.becameReadable(at: 0)
        for _ in 0..<9 { pacer.drained(count: 2, at: pacer.due ?? 0) }
        let now = pacer.due ?? 0
        pacer.drained(count: 2, at: now, mayWait: false)
        #expect(pacer.due == now + 100)
        #expect(pacer.watch == .urgent)
    }

    @Test func `what may be a secret is read at once`() {
        var pacer = DrainPacer()
        pacer.becameReadable(at: 0)
        pacer.becameReadable(at: 5, isUrgent: true)
        #expect(pacer.due == 5)
    }
}
