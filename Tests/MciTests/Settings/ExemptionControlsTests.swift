// SPDX-License-Identifier: Apache-2.0

import Events
import Gate
import Person
import Testing

/// Exemptions and exclusions as the controls keep them on disk.
@Suite struct ExemptionControlsTests {
    private let now = Moment(
        monotonic: EventTime(1000),
        boottime: 1000,
        wall: WallTime(1_795_268_102_118)
    )

    private func later(_ milliseconds: Int64) -> Moment {
        Moment(
            monotonic: EventTime(1000 + milliseconds),
            boottime: 1000 + milliseconds,
            wall: WallTime(1_795_268_102_118 + milliseconds)
        )
    }

    @Test func `an exemption holds from the request on, and ends when it was to end`() throws {
        var controls = Controls()
        let record = try controls.exempt(
            .init(scope: Scope(app: "signal"), seconds: 60),
            at: now,
            bootID: [1]
        )
        #expect(try controls.restrictions().exemptions.count == 1)
        let early = controls.expire(at: later(59_999), bootID: [1])
        #expect(!early)
        let onTime = controls.expire(at: later(60_000), bootID: [1])
        #expect(onTime)
        #expect(try controls.restrictions().exemptions.isEmpty)
        #expect(controls.exemptions[0].state == "ended")
        #expect(throws: Refusal.self) {
            try controls.answer(.init(id: record.id, answer: "acknowledge"), at: now)
        }
    }

    @Test func `the end of an exemption from everything waits for the person`() throws {
        var controls = Controls()
        _ = try controls.exempt(.init(seconds: 60), at: now, bootID: [1])
        let isOver = controls.expire(at: later(60_000), bootID: [1])
        #expect(isOver)
        #expect(controls.exemptions[0].state == "expired")
        #expect(try controls.restrictions().exemptions == [Rule()])
        var renewed = controls
        let record = try renewed.answer(.init(id: 1, answer: "renew"), at: later(70_000))
        #expect(record.state == "requested" && record.until == nil)
        let again = renewed.expire(at: later(1 << 40), bootID: [1])
        #expect(!again)
        _ = try controls.answer(.init(id: 1, answer: "acknowledge"), at: later(70_000))
        #expect(try controls.restrictions().exemptions.isEmpty)
    }

    @Test func `a clock that is set does not end an exemption early`() throws {
        var controls = Controls()
        _ = try controls.exempt(.init(scope: Scope(app: "a"), seconds: 3600), at: now, bootID: [1])
        var forward = later(1000)
        forward.wall.milliseconds += 7_200_000
        let isOver = controls.expire(at: forward, bootID: [1])
        #expect(!isOver)
        var back = later(3_600_000)
        back.wall.milliseconds -= 7_200_000
        let isOverBack = controls.expire(at: back, bootID: [1])
        #expect(!isOverBack)
        let isOverThen = controls.expire(at: later(3_600_000), bootID: [1])
        #expect(isOverThen)
    }

    @Test func `numbers are never given twice, and bad requests change nothing`() throws {
        var controls = Controls()
        let first = try controls.exempt(.init(scope: Scope(app: "a")), at: now, bootID: [1])
        _ = try controls.answer(.init(id: first.id, answer: "withdraw"), at: now)
        let second = try controls.exempt(.init(scope: Scope(app: "a")), at: now, bootID: [1])
        #expect((first.id, second.id) == (1, 2))
        #expect(first.request != second.request && first.request.count == 32)
        let before = controls
        for call: ExemptCall in [
            .init(scope: Scope(app: "")), .init(scope: Scope(during: "someday")),
            .init(seconds: 0), .init(seconds: -5), .init(seconds: .max),
            .init(reason: String(repeating: "x", count: 501)),
            .init(scope: Scope(title: String(repeating: "x", count: 257))),
        ] {
            #expect(throws: Refusal.self) { try controls.exempt(call, at: now, bootID: [1]) }
        }
        for call: AnswerCall in [
            .init(id: 1, answer: "withdraw"), .init(id: 2, answer: "acknowledge"),
            .init(id: 2, answer: "renew"), .init(id: 2, answer: "approve"),
            .init(id: .min, answer: "withdraw"),
        ] {
            #expect(throws: Refusal.self) { try controls.answer(call, at: now) }
        }
        #expect(controls == before)
    }

    @Test func `exclusions are the person's to add, remove and restore`() throws {
        var controls = Controls()
        let defaults = try controls.restrictions().exclusions
        #expect(defaults.contains(Rule(atSecretPrompts: true)))
        try controls.exclude(.init(remove: "terminal-prompts"))
        #expect(try !controls.restrictions().exclusions.contains(Rule(atSecretPrompts: true)))
        try controls.exclude(.init(restore: "terminal-prompts"))
        #expect(try controls.restrictions().exclusions == defaults)
        try controls.exclude(.init(add: Scope(app: "gnucash")))
        try controls.exclude(.init(add: Scope(app: "gnucash")))
        #expect(controls.exclusions.count == 1)
        try controls.exclude(.init(drop: Scope(app: "gnucash")))
        #expect(try controls.restrictions().exclusions == defaults)
        try controls.exclude(.init(only: ["a", "b*"]))
        #expect(try controls.restrictions().allowlists.count == 1)
        try controls.exclude(.init(only: []))
        #expect(try controls.restrictions().allowlists.isEmpty)
        for call: ExcludeCall in [
            .init(remove: "nothing"), .init(add: Scope()), .init(drop: Scope(app: "x")),
            .init(only: [""]),
        ] {
            #expect(throws: Refusal.self) { try controls.exclude(call) }
        }
    }
}
