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

    @Test func `askers are the person's to add and remove, and count beside all that mci knows`()
        throws
    {
        var controls = Controls()
        #expect(try controls.restrictions().askers == SecretAskers())
        for _ in 0..<2 { try controls.exclude(.init(add: Scope(asker: "mylogin"))) }
        try controls.exclude(.init(add: Scope(asker: "vaultctl*")))
        #expect(controls.exclusions.count == 2)
        var askers = try controls.restrictions().askers
        for name in ["mylogin", "vaultctl", "vaultctl-2", "sudo", "pinentry-tty"] {
            #expect(askers.contains(name), "\(name)")
        }
        #expect(!askers.contains("mylogin2") && !askers.contains("vault2"))
        // What is left of controls that were put back keeps to them, and adds those of the others.
        var others = Controls()
        try others.exclude(.init(add: Scope(asker: "third")))
        let kept = try controls.onlyStricter.stricter(others).restrictions().askers
        #expect(["mylogin", "vaultctl", "third", "su"].allSatisfy(kept.contains))
        // Without the default exclusion they alone count.
        try controls.exclude(.init(remove: DefaultExclusion.terminalPrompts))
        askers = try controls.restrictions().askers
        #expect(askers.contains("mylogin") && !askers.contains("sudo"))
        try controls.exclude(.init(drop: Scope(asker: "mylogin")))
        askers = try controls.restrictions().askers
        #expect(askers.contains("vaultctl") && !askers.contains("mylogin"))
        #expect(
            throws: Refusal("You have no such exclusion.", next: "mcictl exclude list")
        ) {
            try controls.exclude(.init(drop: Scope(asker: "mylogin")))
        }
    }

    @Test(arguments: [
        (Scope(asker: ""), "The name of an asker is empty."),
        (Scope(asker: "*"), "The name of an asker is empty."),
        (
            Scope(asker: "/opt/tools/login"),
            "The name of an asker must not contain a slash: give the program's name without its folder."
        ),
        (
            Scope(asker: "log*in"),
            "The name of an asker may end in *, but contain no other * and no ?."
        ),
        (
            Scope(asker: "login?"),
            "The name of an asker may end in *, but contain no other * and no ?."
        ),
        (
            Scope(asker: String(repeating: "é", count: 128)),
            "The name of an asker is longer than 255 bytes."
        ),
        (
            Scope(asker: "a\u{1B}b"),
            "The name of an asker contains a character that cannot be shown."
        ),
        (
            Scope(app: "XTerm", asker: "login"),
            "An asker cannot be combined with other options."
        ),
    ])
    func `an asker that cannot be one is refused in a sentence, and nothing changes`(
        scope: Scope,
        sentence: String
    ) throws {
        var controls = Controls()
        #expect(throws: Refusal(sentence)) { try controls.exclude(.init(add: scope)) }
        #expect(throws: Refusal.self) {
            _ = try controls.exempt(.init(scope: scope), at: now, bootID: [1])
        }
        #expect(controls == Controls())
    }

    @Test func `an asker is excluded and not exempted`() throws {
        var controls = Controls()
        let refusal = Refusal(
            "A program that asks for secrets is excluded, not exempted.",
            next: "mcictl exclude add --asker NAME"
        )
        #expect(throws: refusal) {
            _ = try controls.exempt(.init(scope: Scope(asker: "login")), at: now, bootID: [1])
        }
        #expect(controls == Controls())
    }

    @Test func `a prompt is explained by who named its program`() throws {
        var controls = Controls()
        try controls.exclude(.init(add: Scope(asker: "mylogin")))
        func by(_ program: String?) -> String? {
            Explanation(
                controls,
                nil,
                on: WindowFacts(app: "XTerm", mayAskForSecret: true),
                from: nil,
                at: WeekMinute(day: 0, minuteOfDay: 0),
                asking: program
            ).by
        }
        #expect(by("mylogin") == "your exclusions")
        #expect(by("sudo") == "terminal-prompts" && by("") == "terminal-prompts")
        try controls.exclude(.init(remove: "terminal-prompts"))
        #expect(by("mylogin") == "your exclusions" && by("") == "your exclusions")
        try controls.exclude(.init(drop: Scope(asker: "mylogin")))
        #expect(by("mylogin") == nil)
    }
}
