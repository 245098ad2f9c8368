// SPDX-License-Identifier: Apache-2.0

import Events
import Testing

@testable import Capture

/// When a key in a terminal is free of doubt, by looks before and after it.
@Suite struct PromptGuardTests {
    /// A terminal with a prompt at times, looked at when a script says.
    private struct Script {
        var rule = PromptGuard()
        var prompts: [ClosedRange<Int64>] = []

        /// A reading at a time, with the keys that had come by then.
        mutating func read(at now: Int64, _ keys: Int64...) -> [Bool] {
            let prompts = prompts
            func look() -> PromptGuard.Look {
                PromptGuard.Look(
                    isClear: !prompts.contains { $0.contains(now) },
                    begin: EventTime(now),
                    end: EventTime(now)
                )
            }
            rule.beginReading()
            let verdicts = keys.map { rule.mayBeSecret(EventTime($0), look) }
            rule.endReading(at: EventTime(now), look)
            return verdicts
        }
    }

    @Test func `keys between two clear looks are free of doubt`() {
        var script = Script()
        #expect(script.read(at: 100, 95, 99) == [true, true], "there is no look before")
        #expect(script.read(at: 110, 101, 110) == [false, false])
        #expect(script.read(at: 200, 190) == [false])
        script.rule.enter()
        #expect(script.read(at: 210, 205) == [true], "the terminal came to the front meanwhile")
        #expect(script.read(at: 220, 215) == [false])
    }

    @Test func `keys are doubtful while a prompt is up and until a look after its end`() {
        var script = Script(prompts: [150...205])
        _ = script.read(at: 100)
        #expect(script.read(at: 120, 119) == [false])
        #expect(script.read(at: 160, 155) == [true])
        // The last key and Enter: the prompt is gone when they are read.
        #expect(script.read(at: 210, 202, 205) == [true, true])
        #expect(script.read(at: 220, 215) == [false])
    }

    @Test func `a key that was read late takes those beside it along`() {
        var script = Script()
        _ = script.read(at: 100)
        // Nobody looked for 60 ms; a whole prompt may have come and gone.
        #expect(script.read(at: 160, 110, 125, 145, 158) == [true, true, true, true])
        // What came before the look, though it is read after it.
        #expect(script.read(at: 165, 159, 160) == [true, true])
        #expect(script.read(at: 170, 166) == [false])
        // One late key that was doubtful anyhow.
        script.prompts = [180...190]
        #expect(script.read(at: 185, 181) == [true])
        #expect(script.read(at: 230, 188, 225) == [true, true])
    }

    @Test func `a key that came before the last look needs a look before itself`() {
        var script = Script(prompts: [105...115])
        _ = script.read(at: 100)
        #expect(script.read(at: 112, 106) == [true])
        // Read after the prompt's end, and typed while it was up.
        #expect(script.read(at: 120, 113) == [true])
        #expect(script.read(at: 125, 114, 115, 116) == [true, true, true])
        #expect(script.read(at: 130, 126) == [false])
    }

    @Test func `a look in doubt is repeated without a key, and is one before the next key`() {
        var script = Script(prompts: [90...205, 2000...90_000])
        #expect(script.rule.lookDue == nil)
        _ = script.read(at: 100)
        #expect(script.rule.lookDue == EventTime(125))
        // Enter, and the prompt is gone; nobody types for a while.
        #expect(script.read(at: 204, 203) == [true])
        #expect(script.rule.lookDue == EventTime(229))
        _ = script.read(at: 210)
        #expect(script.rule.lookDue == EventTime(229), "it is not due yet")
        _ = script.read(at: 229)
        #expect(script.rule.lookDue == nil)
        #expect(script.read(at: 900, 890) == [false])
        // Nobody answers: the looks become rare.
        #expect(script.read(at: 2010, 2005) == [true])
        var pauses: [Int64] = []
        var now: Int64 = 2010
        while pauses.count < 10, let due = script.rule.lookDue?.milliseconds {
            pauses.append(due - now)
            now = due
            _ = script.read(at: now)
        }
        #expect(pauses == [25, 50, 100, 200, 400, 800, 1600, 3200, 4000, 4000])
        #expect(script.read(at: now + 10, now + 5) == [true])
        #expect(script.rule.lookDue == EventTime(now + 35), "somebody types")
    }

    @Test func `no key of a secret passes at random readings unless all fits between two looks`() {
        var random = SplitMix(seed: 51)
        for _ in 0..<20_000 {
            let start = Int64.random(in: 200...300, using: &random)
            var keys: [Int64] = []
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                keys.append((keys.last ?? start) + Int64.random(in: 1...15, using: &random))
            }
            let end = keys[keys.count - 1]
            guard end - keys[0] > PromptGuard.maxInterval else { continue }
            var script = Script(prompts: [start...end])
            _ = script.read(at: 150)
            _ = script.read(at: 160, 155)
            var time: Int64 = 160
            var verdicts: [Bool] = []
            var rest = keys[...]
            while !rest.isEmpty {
                time += Int64.random(in: 1...60, using: &random)
                let prompts = script.prompts
                if let due = script.rule.lookDue, due.milliseconds < time {
                    // A look without a key.
                    script.rule.beginReading()
                    script.rule.endReading(at: due) {
                        PromptGuard.Look(
                            isClear: !prompts.contains { $0.contains(due.milliseconds) },
                            begin: due,
                            end: due
                        )
                    }
                }
                // Some keys arrive after the reading and before the look.
                let read = time - Int64.random(in: 0...3, using: &random)
                script.rule.beginReading()
                let look = {
                    PromptGuard.Look(
                        isClear: !prompts.contains { $0.contains(time) },
                        begin: EventTime(time),
                        end: EventTime(time)
                    )
                }
                while let key = rest.first, key <= read {
                    verdicts.append(script.rule.mayBeSecret(EventTime(key), look))
                    rest = rest.dropFirst()
                }
                script.rule.endReading(at: EventTime(time), look)
            }
            #expect(!verdicts.contains(false))
        }
    }
}
