// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Person
import Recording
import Testing

/// Exemptions, exclusions and policies where the stages meet.
@Suite struct RuleRecorderTests {
    private func exempt(
        _ session: ScriptedSession,
        _ scope: Scope? = nil,
        seconds: Int? = nil
    ) throws -> ExemptionRecord {
        let reply = try session.recorder.handle(.exempt(.init(scope: scope, seconds: seconds)))
        return try #require(reply.exemption)
    }

    private func letters(_ session: ScriptedSession) throws -> Int {
        session.recorder.stop()
        return try session.words().count { $0 == "letter down" }
    }

    @Test
    func `an exemption is in force and on disk before the answer, also for what was not read`()
        throws
    {
        let session = try ScriptedSession()
        session.focus("Signal")
        session.type("ab")
        session.pass(300)
        session.key(0x63, down: true)
        _ = try exempt(session, Scope(app: "signal"))
        let kept = try ControlsFile(session.folder.paths).read()
        #expect(kept.exemptions.map(\.state) == ["requested"])
        session.type("secret")
        session.focus("Editor")
        session.type("xyz")
        #expect(try letters(session) == 5)
        let words = try session.words()
        #expect(words.contains { $0.hasPrefix("gap exempt") })
        #expect(
            words.filter { $0.hasPrefix("focus") } == ["focus Signal", "focus ", "focus Editor"]
        )
    }

    @Test func `an asker is looked for from the answer on, whoever names it, and after a restart`()
        throws
    {
        let session = try ScriptedSession()
        #expect(session.source.askers == SecretAskers())
        _ = try session.recorder.handle(.exclude(.init(add: Scope(asker: "mylogin"))))
        #expect(session.source.askers.contains("mylogin"))
        let kept = try ControlsFile(session.folder.paths).read()
        #expect(kept.exclusions == [Scope(asker: "mylogin")])
        try session.usePolicy(
            """
            {"schema": 1, "purpose": "p", "controller": "c", "contact": "k",
             "exclude": [{"asker": "theirs"}]}
            """
        )
        session.pass(2000)
        try session.consent()
        _ = try session.recorder.handle(.exclude(.init(remove: "terminal-prompts")))
        #expect(session.source.askers.contains("mylogin") && !session.source.askers.contains("su"))
        _ = try session.recorder.handle(.exclude(.init(drop: Scope(asker: "mylogin"))))
        #expect(!session.source.askers.contains("mylogin"))
        #expect(session.source.askers.contains("theirs"), "the policy's stays")
        // What is typed there is left out.
        let facts = WindowFacts(app: "XTerm", mayAskForSecret: true)
        session.arrive(.context(.window(facts), stream: .keyboard, at: session.now.monotonic))
        session.type("secret")
        session.recorder.stop()
        #expect(try !session.words().contains("letter down"))
        let second = try ScriptedSession(after: session)
        #expect(second.source.askers == session.source.askers)
    }

    @Test func `an exemption outlasts a restart, a withdrawal does not reach back`() throws {
        let first = try ScriptedSession()
        let record = try exempt(first, Scope(app: "Signal"))
        first.recorder.stop()
        let second = try ScriptedSession(after: first)
        second.focus("Signal")
        second.type("secret")
        // What happened before the withdrawal and is read after it stays out.
        second.key(0x61, down: true)
        second.advance(1)
        _ = try second.recorder.handle(.answerExemption(.init(id: record.id, answer: "withdraw")))
        second.pass(300)
        second.type("ab")
        #expect(try letters(second) == 2)
    }

    @Test func `of everything exempt mcid lets go of the X server, and asks before it goes on`()
        throws
    {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        let record = try exempt(session, seconds: 60)
        #expect(!session.source.isConnected)
        #expect(session.recorder.status.reason == "exempt")
        session.type("secret")
        session.pass(120_000)
        session.recorder.tick()
        #expect(!session.source.isConnected, "its time is over, and nobody has answered")
        #expect(session.recorder.status.questions == [record.id])
        _ = try session.recorder.handle(
            .answerExemption(.init(id: record.id, answer: "acknowledge"))
        )
        #expect(session.source.isConnected)
        session.focus("Editor")
        session.type("bc")
        #expect(try letters(session) == 3)
    }

    @Test func `controls that cannot be written are stricter all the same`() throws {
        let session = try ScriptedSession()
        session.focus("Signal")
        session.pass(300)
        try FileManager.default.createDirectory(
            atPath: session.folder.paths.controls + ".new/full",
            withIntermediateDirectories: true
        )
        #expect(throws: Refusal.self) { try exempt(session, Scope(app: "Signal")) }
        session.type("secret")
        #expect(try letters(session) == 0)
    }

    @Test func `another policy closes the gate until its notice is accepted`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.pass(300)
        let text = """
            {"schema": 1, "purpose": "a study", "controller": "ACME", "contact": "dpo@acme.example",
             "keyDetail": "activity", "pauseCap": "30m", "exclude": [{"app": "mail*"}]}
            """
        try session.usePolicy(text)
        session.type("secret")
        #expect(session.recorder.status.state == .closed)
        #expect(session.recorder.status.reason == "consent-outdated")
        #expect(!session.source.isConnected)
        try session.consent()
        #expect(session.recorder.status.state == .recording)
        #expect(session.recorder.status.keyDetail == "activity")
        session.focus("Mail")
        session.type("secret")
        session.focus("Editor")
        session.type("b")
        // A pause is capped, and never refused.
        let reply = try session.pause()
        let until = try #require(reply.status?.until.flatMap { WallTime($0) })
        #expect(until.milliseconds - session.now.wall.milliseconds == 30 * 60_000)
        _ = try session.recorder.handle(.resume)
        // Changed by a blank, and taken away: each is another policy.
        try session.usePolicy(text + " ")
        _ = try session.recorder.handle(.getStatus)
        #expect(session.recorder.status.reason == "consent-outdated")
        try session.usePolicy(nil)
        _ = try session.recorder.handle(.getStatus)
        #expect(session.recorder.status.reason == "consent-outdated")
        session.recorder.stop()
        let words = try session.words()
        #expect(words.count { $0 == "letter down" } == 1)
        #expect(words.count { $0.hasPrefix("typing ") } == 1, "at activity no key is told")
        let receipt = try ControlsFile(session.folder.paths).read().consent
        #expect(receipt?.controller == "ACME" && receipt?.purpose == "a study")
        #expect(receipt?.policyHash != nil)
    }

    @Test func `a policy that cannot be used closes the gate with its line`() throws {
        let session = try ScriptedSession()
        try session.usePolicy(
            """
            {"schema": 1, "purpose": "a study", "controller": "ACME",
             "contact": "x",
             "retain": "7d"}
            """
        )
        _ = try session.recorder.handle(.getStatus)
        let status = session.recorder.status
        #expect(status.state == .closed)
        #expect(status.reason?.contains("line 3") == true, "\(status.reason ?? "")")
        #expect(!session.source.isConnected)
        try session.usePolicy(nil)
        _ = try session.recorder.handle(.getStatus)
        #expect(session.recorder.status.state == .recording, "the consent was to no policy")
    }

    @Test func `ceilings of a policy hold for age and size`() throws {
        let session = try ScriptedSession()
        try session.usePolicy(
            """
            {"schema": 1, "purpose": "a study", "controller": "ACME", "contact": "x",
             "retention": "1h", "ringSize": "3M"}
            """
        )
        var settings = PersonSettings()
        (settings.ringSize, settings.retention) = (64 << 20, 86_400)
        settings.syntheticKeys = true
        try SettingsFile(session.folder.paths.settings).write(settings)
        _ = try session.recorder.handle(.reload)
        try session.consent()
        #expect(session.recorder.status.ring.retention == 3600)
        #expect(session.recorder.status.ring.cap == 3 << 20)
    }

    @Test func `the rule that decides is named, and the class of the window it was asked for`()
        throws
    {
        let session = try ScriptedSession()
        func explanation() throws -> Explanation? {
            try session.recorder.handle(.explain).explanation
        }
        #expect(try explanation()?.reason == "unknown-context")
        session.focus("Signal")
        session.pass(300)
        var recorded = Explanation(isRecorded: true)
        recorded.window = .init(app: "Signal", instance: "")
        #expect(try explanation() == recorded)
        let record = try exempt(session, Scope(app: "sig*"))
        let found = try explanation()
        #expect(found?.reason == "exempt" && found?.by == "exemption \(record.id)")
        #expect(found?.rule == Scope(app: "sig*"))
        _ = try session.pause()
        #expect(try explanation()?.reason == "paused")
    }

    @Test
    func `titles are asked for where a rule needs them, and stored where the person chose so`()
        throws
    {
        let session = try ScriptedSession()
        #expect(session.source.isTitleNeeded(WindowFacts(app: "firefox")), "private browsing")
        #expect(!session.source.isTitleNeeded(WindowFacts(app: "Editor")))
        func look() {
            let window = WindowFacts(app: "firefox", title: "My page")
            session.arrive(.context(.window(window), stream: .keyboard, at: session.now.monotonic))
            session.type("a")
            session.pass(300)
        }
        look()
        var settings = try SettingsFile(session.folder.paths.settings).read()
        settings.title = true
        try SettingsFile(session.folder.paths.settings).write(settings)
        _ = try session.recorder.handle(.reload)
        #expect(session.source.isTitleNeeded(WindowFacts(app: "Editor")))
        look()
        session.recorder.stop()
        let foci = try session.words().filter { $0.hasPrefix("focus") }
        #expect(foci == ["focus firefox", "focus firefox My page"])
    }

    @Test func `the log names no rule`() throws {
        let session = try ScriptedSession()
        let record = try exempt(session, Scope(app: "Sekret", title: "*Diary*"))
        _ = try session.recorder.handle(.exclude(.init(add: Scope(app: "Sekret2"))))
        _ = try session.recorder.handle(.answerExemption(.init(id: record.id, answer: "withdraw")))
        session.recorder.stop()
        for entry in session.log.entries {
            let text = "\(entry.message) \(entry.metadata)"
            #expect(!text.contains("Sekret") && !text.contains("Diary"), "\(text)")
        }
        #expect(session.log.entries.count >= 4)
    }
}
