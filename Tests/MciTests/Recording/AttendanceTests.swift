// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import Packing
import Person
import Recording
import Testing
import Timeline

/// The lease by which the companion vouches for the session.
@Suite struct AttendanceTests {
    private func attend(
        _ session: ScriptedSession,
        _ closed: [String] = [],
        client: Int = 1,
        lease: Int = 5000
    ) throws {
        let call = ControlCall.AttendCall(closed: closed, leaseMs: lease)
        _ = try session.recorder.handle(.attend(call), from: client)
    }

    /// Types a letter and says whether it was stored.
    private func isStored(_ session: ScriptedSession, _ keysym: UInt32) throws -> Bool {
        session.focus("Editor")
        session.pass(20)
        session.key(keysym, down: true)
        session.pass(20)
        session.key(keysym, down: false)
        session.pass(20)
        let before = try keys(session)
        _ = try session.recorder.handle(.flush)
        return try keys(session) > before
    }

    private func keys(_ session: ScriptedSession) throws -> Int {
        try session.stored().count {
            if case .input(.key(_)) = $0.item.payload { true } else { false }
        }
    }

    private func gaps(_ session: ScriptedSession) throws -> [GapReason] {
        try session.stored().compactMap {
            if case .gap(let reason, _, _) = $0.item.payload { reason } else { nil }
        }
    }

    @Test func `who never attended is not missed`() throws {
        let session = try ScriptedSession()
        #expect(try isStored(session, 0x61))
        session.pass(60_000)
        #expect(session.recorder.status.session == Status.Session())
        #expect(try isStored(session, 0x62))
    }

    @Test func `who attended must go on`() throws {
        let session = try ScriptedSession()
        try attend(session)
        #expect(session.recorder.status.session?.isAttended == true)
        #expect(try isStored(session, 0x61))
        session.pass(4000)
        try attend(session)
        session.pass(4900)
        #expect(session.recorder.status.state == .recording)
        session.pass(101)
        #expect(session.recorder.status.state == .closed)
        #expect(session.recorder.status.reason == GapReason.unattended.name)
        #expect(!session.source.isConnected)
        #expect(try !isStored(session, 0x62))
        try attend(session)
        #expect(try isStored(session, 0x63))
        #expect(try gaps(session).contains(.unattended))
    }

    @Test func `what arrived after the lease ended is never read`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.pass(20)
        try attend(session, lease: 1000)
        session.pass(500)
        // The loop is late: a key comes after the end of the lease, and both are noticed together.
        session.advance(600)
        session.key(0x61, down: true)
        session.recorder.tick()
        session.pass(1000)
        _ = try session.recorder.handle(.flush)
        #expect(try keys(session) == 0)
    }

    @Test func `the end of the connection ends the lease`() throws {
        let session = try ScriptedSession()
        try attend(session, client: 3)
        session.recorder.end([3])
        #expect(session.recorder.status.reason == GapReason.unattended.name)
        #expect(!session.source.isConnected)
    }

    @Test(arguments: [
        (["locked"], GapReason.sessionLocked), (["asleep"], .asleep), (["away"], .away),
        (["away", "asleep", "locked"], .sessionLocked),
    ])
    func `what the companion reports closes at once and opens when it is over`(
        closed: [String],
        reason: GapReason
    ) throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.pass(20)
        // Unread when the report comes.
        session.key(0x61, down: true)
        try attend(session, closed)
        #expect(session.recorder.status.reason == reason.name)
        #expect(!session.source.isConnected)
        #expect(try keys(session) == 0)
        #expect(try !isStored(session, 0x62))
        try attend(session)
        #expect(try isStored(session, 0x63))
        #expect(try gaps(session).contains(reason))
    }

    @Test func `before sleep everything is sealed`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.pass(20)
        session.key(0x61, down: true)
        session.pass(20)
        #expect(try keys(session) == 0, "the batch is still open")
        try attend(session, ["asleep"])
        #expect(try keys(session) > 0)
    }

    @Test(arguments: [
        ControlCall.AttendCall(closed: ["lost"], leaseMs: 5000),
        .init(closed: ["locked", "Locked"], leaseMs: 5000), .init(closed: [""], leaseMs: 5000),
        .init(closed: [], leaseMs: 0), .init(closed: [], leaseMs: -1),
        .init(closed: [], leaseMs: 60_001), .init(closed: [], leaseMs: .max),
    ])
    func `a report that is refused leaves the lease as it was`(call: ControlCall.AttendCall) throws
    {
        let session = try ScriptedSession()
        #expect(throws: Refusal.self) { _ = try session.recorder.handle(.attend(call), from: 1) }
        #expect(session.recorder.status.session == Status.Session())
        try attend(session, ["locked"])
        let before = session.recorder.status.session
        #expect(throws: Refusal.self) { _ = try session.recorder.handle(.attend(call), from: 1) }
        #expect(session.recorder.status.session == before)
        #expect(session.recorder.status.reason == GapReason.sessionLocked.name)
        session.pass(5001)
        #expect(session.recorder.status.reason == GapReason.unattended.name)
    }

    @Test func `any of several reports closes`() throws {
        let session = try ScriptedSession()
        try attend(session, ["locked"], client: 1)
        try attend(session, [], client: 2)
        #expect(session.recorder.status.reason == GapReason.sessionLocked.name)
        session.recorder.end([1])
        #expect(session.recorder.status.state == .recording)
        session.recorder.end([2])
        #expect(session.recorder.status.reason == GapReason.unattended.name)
    }

    @Test func `leaving ends the duty, and so does the person's resume`() throws {
        for call in [ControlCall.leave, .resume] {
            let session = try ScriptedSession()
            try attend(session)
            session.recorder.end([1])
            #expect(session.recorder.status.state == .closed)
            _ = try session.recorder.handle(call)
            #expect(session.recorder.status.state == .recording)
            #expect(!FileManager.default.fileExists(atPath: session.folder.paths.attended))
            session.pass(60_000)
            #expect(session.recorder.status.state == .recording)
        }
    }

    @Test func `resume overrules what is reported, until something else is`() throws {
        let session = try ScriptedSession()
        try attend(session, ["locked"])
        _ = try session.recorder.handle(.resume)
        #expect(session.recorder.status.state == .recording)
        try attend(session, ["locked"])
        #expect(session.recorder.status.state == .recording)
        try attend(session, ["locked", "away"])
        #expect(session.recorder.status.state == .closed)
        _ = try session.recorder.handle(.resume)
        try attend(session, [])
        try attend(session, ["locked"])
        #expect(session.recorder.status.reason == GapReason.sessionLocked.name)
    }

    @Test func `that somebody attended outlasts the end of mcid, and ends with the login`() throws {
        let first = try ScriptedSession()
        try attend(first)
        // Killed: it stores nothing more.
        let second = try ScriptedSession(after: first)
        #expect(second.recorder.status.reason == GapReason.unattended.name)
        #expect(second.source.connections == 0)
        let other = try ScriptedSession(after: second, bootID: 8)
        #expect(other.recorder.status.state == .recording)
    }

    @Test func `a policy may demand the companion`() throws {
        let session = try ScriptedSession(consents: false)
        try session.usePolicy(
            """
            {"schema": 1, "purpose": "Tests", "controller": "Example", "contact": "a@example.org",
             "companion": true}
            """
        )
        _ = try session.recorder.handle(.reload)
        try session.consent()
        #expect(session.recorder.status.reason == GapReason.unattended.name)
        #expect(session.recorder.status.session?.isRequired == true)
        try attend(session)
        #expect(session.recorder.status.state == .recording)
        _ = try session.recorder.handle(.leave)
        #expect(session.recorder.status.reason == GapReason.unattended.name)
    }

    @Test func `the window in front is exempted, also while a menu holds the keyboard`() throws {
        let session = try ScriptedSession()
        func exemptFront() throws -> Scope? {
            let call = ExemptCall(front: true, seconds: 60)
            return try session.recorder.handle(.exempt(call)).exemption?.scope
        }
        #expect(throws: Refusal.self) { try exemptFront() }
        session.focus("Editor")
        session.pass(20)
        session.arrive(.context(.grabbed, stream: .keyboard, at: session.now.monotonic))
        session.pass(9000)
        #expect(try exemptFront()?.app == "Editor")
        session.focus("Browser")
        session.pass(20)
        session.arrive(.context(.grabbed, stream: .keyboard, at: session.now.monotonic))
        session.pass(10_100)
        #expect(throws: Refusal.self) { try exemptFront() }
        session.focus("Browser")
        session.pass(20)
        #expect(try exemptFront()?.app == "Browser")
        let both = ExemptCall(scope: Scope(app: "X"), front: true)
        #expect(throws: Refusal.self) { try session.recorder.handle(.exempt(both)) }
    }
}
