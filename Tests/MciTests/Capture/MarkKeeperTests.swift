// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Capture

/// What the looks at the mark allow, with the clock and the screen in hand.
@Suite struct MarkKeeperTests {
    /// A screen on which the mark stands or not.
    private final class Rig {
        var keeper = MarkKeeper()
        var now: Int64 = 1_000_000
        var suspended: Int64 = 0
        var isSeen = true
        /// Whether a program takes each new mark away at once.
        var isFought = false
        /// Whether a compositor paints the screen.
        var isComposited = false
        var shown = 0

        init() {
            keeper.noteShown(at: EventTime(now), isComposited: false)
            _ = round()
        }

        /// Reads a round whose oldest input is so many milliseconds old; returns after which moment
        /// it is handed on.
        func round(after pause: Int64 = 0, notices: Int = 0, age: Int64? = nil) -> EventTime? {
            now += pause
            return keeper.judge(
                notices: notices,
                oldest: age.map { EventTime(now - $0) },
                { MarkKeeper.Clocks(now: EventTime(self.now), suspended: self.suspended) },
                look: { self.isSeen },
                show: {
                    self.shown += 1
                    self.isSeen = !self.isFought
                    return self.isComposited
                }
            )
        }
    }

    @Test func `input is handed on between two good looks`() {
        let rig = Rig()
        #expect(rig.keeper.isSeen)
        // The first look was good: what came before it is not handed on.
        #expect(rig.round(after: 20, age: 10) == EventTime(1_000_000))
        #expect(rig.round(after: 20, age: 10) == .distantPast)
        #expect(rig.keeper.takeChanges() == [MarkChange(isSeen: true, at: EventTime(1_000_000))])
        #expect(rig.keeper.lookDue == nil && rig.shown == 0)
    }

    @Test(arguments: [0, 1])
    func `what was read before a bad look is dropped, and what the mark missed is told`(
        notices: Int
    ) {
        let rig = Rig()
        _ = (rig.round(after: 20), rig.keeper.takeChanges())
        rig.isSeen = notices > 0
        #expect(rig.round(after: 500, notices: notices, age: 400) == nil)
        // It was brought back at once; the next round begins with the look after that.
        #expect(rig.shown == 1)
        let changes = [
            MarkChange(isSeen: false, at: EventTime(1_000_020)),
            MarkChange(isSeen: true, at: EventTime(1_000_520)),
        ]
        #expect(rig.keeper.takeChanges() == changes)
        #expect(rig.round(after: 20, age: 30) == EventTime(1_000_520))
    }

    @Test func `after a rest, input counts that is read within 100 ms`() {
        for (age, isHandedOn) in [(Int64(0), true), (100, true), (101, false), (900, false)] {
            let rig = Rig()
            _ = (rig.round(after: 20), rig.keeper.takeChanges())
            #expect((rig.round(after: 60_000, age: age) != nil) == isHandedOn)
            #expect(rig.keeper.isSeen)
            #expect(rig.keeper.takeChanges().count == (isHandedOn ? 0 : 2))
        }
        // While input comes, its age says nothing.
        let rig = Rig()
        _ = rig.round(after: 20)
        #expect(rig.round(after: 1000, age: 999) == .distantPast)
    }

    @Test func `what lies around a sleep is dropped`() {
        let rig = Rig()
        _ = rig.round(after: 20)
        rig.suspended += 3_600_000
        #expect(rig.round(after: 20, age: 10) == nil)
        #expect(rig.keeper.isSeen)
    }

    @Test func `a fight for the place is given up`() {
        for notices in [0, 1] {
            let rig = Rig()
            _ = rig.round(after: 20)
            (rig.isSeen, rig.isFought) = (false, true)
            let begin = rig.now
            while !rig.keeper.hasGivenUp, rig.now < begin + 60_000 {
                #expect(rig.round(after: 5, notices: notices) == nil)
                #expect(rig.shown <= 20 * (1 + Int(rig.now - begin) / 1000))
            }
            #expect(rig.keeper.hasGivenUp)
            let tries = rig.shown
            while rig.now < begin + 120_000 { _ = rig.round(after: 1000, notices: notices) }
            #expect(rig.shown <= tries + 12, "one in ten seconds")
            // Whoever covered it has gone.
            rig.isSeen = true
            _ = rig.round(after: 1000)
            #expect(rig.keeper.isSeen && !rig.keeper.hasGivenUp)
        }
    }

    @Test func `a picture that may be older than the mark proves nothing`() {
        let rig = Rig()
        _ = rig.round(after: 20)
        (rig.isSeen, rig.isComposited) = (false, true)
        #expect(rig.round(after: 300) == nil && rig.shown == 1)
        for _ in 0..<4 {
            #expect(rig.round(after: 20) == nil && !rig.keeper.isSeen)
        }
        _ = rig.round(after: 20)
        #expect(rig.keeper.isSeen && rig.shown == 1)
    }

    @Test func `while it is hidden it is looked for, and at rest nobody looks`() {
        let rig = Rig()
        #expect(rig.keeper.lookDue == nil)
        (rig.isSeen, rig.isFought) = (false, true)
        _ = rig.round(after: 20)
        #expect(rig.keeper.lookDue == rig.now + MarkKeeper.tryInterval)
    }
}
