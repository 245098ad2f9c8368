// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import InMemoryLogging
import Person
import Recording
import Signing
import System
import Testing

/// The recorder, where somebody puts its files back.
@Suite struct PutBackRecorderTests {
    /// What the person does after the copy was made that is put back later.
    enum Change: String, CaseIterable {
        case withdrawal
        case pause
        case exemption
    }

    /// What stands in the place of the newest controls.
    enum Replacement: String, CaseIterable {
        case older
        case missing
        case unsigned
    }

    private func exempt(_ session: ScriptedSession, _ app: String) throws {
        _ = try session.recorder.handle(.exempt(.init(scope: Scope(app: app))))
    }

    private func make(_ change: Change, in session: ScriptedSession) throws {
        switch change {
        case .withdrawal: _ = try session.recorder.handle(.withdraw)
        case .pause: _ = try session.pause()
        case .exemption: try exempt(session, "Signal")
        }
    }

    private func letters(_ session: ScriptedSession) throws -> Int {
        try session.words().count { $0 == "letter down" }
    }

    private func warnings(_ session: ScriptedSession) -> [InMemoryLogHandler.Entry] {
        session.log.entries.filter { "\($0.message)" == "Controls were put back" }
    }

    /// A session that has recorded one letter and keeps "Mail" out, and copies of its controls.
    private func begin() throws -> (session: ScriptedSession, copies: [Replacement: [UInt8]]) {
        let session = try ScriptedSession()
        let paths = session.folder.paths
        try paths.highWater.make(try #require(DeviceKeyFile.read(paths.deviceKey)))
        try exempt(session, "Mail")
        session.focus("Editor")
        session.type("a")
        session.pass(300)
        let file = ControlsFile(paths)
        return (
            session,
            [
                .older: try Disk.read(paths.controls),
                .unsigned: try FilesOfBefore.bytes(try file.read()),
            ]
        )
    }

    private func put(_ bytes: [UInt8]?, into session: ScriptedSession) throws {
        let path = session.folder.paths.controls
        guard let bytes else { return Disk.remove(path) }
        try Disk.write(bytes, to: path)
    }

    private func expectClosed(_ session: ScriptedSession, _ replacement: Replacement) throws {
        let words =
            switch replacement {
            case .older: "was put back to an older state (number 2, last seen 3)"
            case .missing: "is gone"
            case .unsigned: "was replaced by one that is not signed"
            }
        let status = session.recorder.status
        #expect(status.state == .closed)
        #expect(status.reason == "The controls file \(words), so nothing is recorded.")
        #expect(status.notices == [status.reason ?? ""])
        #expect(!session.source.isConnected)
        let log = warnings(session)
        #expect(log.count == 1)
        #expect(!log.contains { "\($0.metadata)".contains("Mail") })
    }

    @Test(arguments: Change.allCases, Replacement.allCases)
    func `controls put back while it records close the gate, and nothing is lifted`(
        change: Change,
        replacement: Replacement
    ) throws {
        let (session, copies) = try begin()
        try make(change, in: session)
        try put(copies[replacement], into: session)
        session.type("secret")
        session.pass(300)
        _ = try session.recorder.handle(.getStatus)
        try expectClosed(session, replacement)
        session.type("secret")
        session.pass(20_000)
        _ = try session.recorder.handle(.flush)
        #expect(try letters(session) == 1)
        // What is stricter of both is on disk, so that it outlasts a kill.
        let kept = try ControlsFile(session.folder.paths).find()
        #expect(!kept.isPutBack && kept.controls.consent == nil)
        #expect(kept.controls.number == 4)
        #expect((kept.controls.pause != nil) == (change == .pause))
        let apps = kept.controls.exemptions.map(\.scope.app)
        #expect(apps == (change == .exemption ? ["Mail", "Signal"] : ["Mail"]))
        try goOn(try ScriptedSession(after: session), after: change, knowing: true)
    }

    @Test(arguments: Change.allCases, Replacement.allCases)
    func `controls put back while it is stopped close the gate, and nothing is lifted`(
        change: Change,
        replacement: Replacement
    ) throws {
        let (first, copies) = try begin()
        try make(change, in: first)
        first.recorder.stop()
        try put(copies[replacement], into: first)
        let session = try ScriptedSession(after: first)
        try expectClosed(session, replacement)
        session.focus("Editor")
        session.type("secret")
        session.pass(20_000)
        #expect(session.source.connections == 0)
        #expect(try letters(session) == 1)
        // Of what only the newest file knew nothing is left; what the older one asked for is.
        let kept = try ControlsFile(session.folder.paths).read()
        let apps = kept.exemptions.map(\.scope.app)
        #expect(apps == (replacement == .missing ? [] : ["Mail"]))
        try goOn(session, after: change, knowing: false)
    }

    /// Gives consent anew, after which recording goes on within what was asked for.
    private func goOn(
        _ session: ScriptedSession,
        after change: Change,
        knowing: Bool
    ) throws {
        let before = session.recorder.status
        #expect(before.state == .closed && before.reason?.hasPrefix(PutBack.subject) == true)
        try session.consent()
        if change == .pause, knowing {
            #expect(session.recorder.status.state == .paused)
            _ = try session.recorder.handle(.resume)
        }
        #expect(session.recorder.status.state == .recording)
        #expect(session.recorder.status.notices == [])
        let stored = try letters(session)
        if change == .exemption, knowing {
            session.focus("Signal")
            session.type("secret")
            session.pass(300)
        }
        session.focus("Editor")
        session.type("bc")
        session.pass(300)
        session.recorder.stop()
        #expect(try letters(session) == stored + 2)
    }

    @Test func `a pause in the older file goes on, also where it was ended since`() throws {
        let (session, _) = try begin()
        _ = try session.pause()
        let copy = try Disk.read(session.folder.paths.controls)
        _ = try session.recorder.handle(.resume)
        try put(copy, into: session)
        _ = try session.recorder.handle(.getStatus)
        #expect(session.recorder.status.state == .closed)
        try session.consent()
        #expect(session.recorder.status.state == .paused)
    }

    @Test(arguments: [Change.pause, .exemption])
    func `a request to mcid brings no consent to life that was put back`(change: Change) throws {
        let (session, copies) = try begin()
        _ = try session.recorder.handle(.withdraw)
        try put(copies[.older], into: session)
        try make(change, in: session)
        let kept = try ControlsFile(session.folder.paths).read()
        #expect(kept.consent == nil && kept.putBack?.kind == .older)
        #expect((kept.pause != nil) == (change == .pause))
        #expect(kept.exemptions.count == (change == .exemption ? 2 : 1))
        // To withdraw is to decide, too.
        _ = try session.recorder.handle(.withdraw)
        #expect(session.recorder.status.reason == "no-consent")
    }

    @Test func `while the recorder's key is away nothing is recorded, and the controls stay`()
        throws
    {
        let (session, _) = try begin()
        let paths = session.folder.paths
        let key = try Disk.read(paths.deviceKey)
        let (controls, accounts) = (
            try Disk.read(paths.controls), EventCountersFile(paths)
        )
        session.recorder.stop()
        let counted = accounts.find().accounts
        #expect(counted.events.seen > 0)
        Disk.remove(paths.deviceKey)
        let next = try ScriptedSession(after: session)
        for _ in 0..<3 { _ = try next.recorder.handle(.getStatus) }
        #expect(next.recorder.status.state == .closed)
        #expect(next.recorder.status.reason?.contains("not signed by this recorder") == true)
        #expect(warnings(next).count == 1)
        #expect(try Disk.read(paths.controls) == controls)
        // Back again it is as if nothing had been.
        try Disk.write(key, to: paths.deviceKey)
        _ = try next.recorder.handle(.getStatus)
        #expect(next.recorder.status.state == .recording)
        #expect(accounts.find().accounts == counted)
        // A request while it is away makes a new one, which signs what is stricter.
        Disk.remove(paths.deviceKey)
        _ = try next.pause()
        let kept = try ControlsFile(paths).find()
        #expect(!kept.isPutBack && kept.controls.pause != nil)
    }

    @Test func `a pause that was only written to disk outlasts the next request to mcid`() throws {
        let (session, _) = try begin()
        let file = ControlsFile(session.folder.paths)
        var controls = try file.read()
        controls.pause = TimeLimit(from: session.now, length: nil, bootID: [])
        try file.write(controls)
        try exempt(session, "Signal")
        #expect(session.recorder.status.state == .paused)
        let kept = try file.read()
        #expect(kept.pause != nil && kept.exemptions.count == 2)
    }

    @Test func `older controls are known where marks and all were put back under a running mcid`()
        throws
    {
        let (session, copies) = try begin()
        let paths = session.folder.paths
        let marks = try Disk.read(paths.highWater.inState)
        _ = try session.recorder.handle(.withdraw)
        try put(copies[.older], into: session)
        for path in [paths.highWater.inState, paths.highWater.inConfig] {
            try Disk.write(marks, to: path)
        }
        _ = try session.recorder.handle(.getStatus)
        try expectClosed(session, .older)
    }

    @Test(arguments: ["state", "config"])
    func `one copy of the marks is enough for a recorder that starts`(lost: String) throws {
        let (first, copies) = try begin()
        _ = try first.recorder.handle(.withdraw)
        first.recorder.stop()
        let files = first.folder.paths.highWater
        Disk.remove(lost == "state" ? files.inState : files.inConfig)
        try put(copies[.older], into: first)
        try expectClosed(try ScriptedSession(after: first), .older)
    }

    @Test func `what the disk does not take is held to all the same`() throws {
        let (session, copies) = try begin()
        _ = try session.pause()
        try put(copies[.older], into: session)
        try FileManager.default.createDirectory(
            atPath: session.folder.paths.controls + ".new/full",
            withIntermediateDirectories: true
        )
        for _ in 0..<3 { _ = try session.recorder.handle(.getStatus) }
        try expectClosed(session, .older)
        _ = try session.recorder.handle(.reload)
        #expect(session.recorder.status.state == .closed)
        try FileManager.default.removeItem(atPath: session.folder.paths.controls + ".new")
        try session.consent()
        #expect(session.recorder.status.state == .paused)
    }

    @Test func `the files of the version before are taken over once, with consent and no counts`()
        throws
    {
        let (first, _) = try begin()
        first.recorder.stop()
        let paths = first.folder.paths
        let before = try ControlsFile(paths).read()
        try FilesOfBefore.write(before, paths)
        var events = EventCounts()
        (events.seen, events.admitted) = (1000, 1000)
        try FilesOfBefore.write(events, paths)
        let old = (try Disk.read(paths.controls), try Disk.read(paths.accounts))
        let session = try ScriptedSession(after: first)
        #expect(session.recorder.status.state == .recording)
        #expect(session.recorder.status.total.seen == 0)
        #expect(session.recorder.status.exemptions == 1)
        // They counted each key: dropped once, and said.
        #expect(session.recorder.status.notices?.first?.contains("counted each key") == true)
        let taken = try ControlsFile(paths).find()
        #expect(!taken.isOfBefore && taken.controls.number == 1)
        session.focus("Editor")
        session.type("b")
        session.recorder.stop()
        // A second time they are files that somebody put back.
        try Disk.write(old.0, to: paths.controls)
        try Disk.write(old.1, to: paths.accounts)
        let next = try ScriptedSession(after: session)
        #expect(next.recorder.status.state == .closed)
        #expect(next.recorder.status.reason?.contains("not signed") == true)
        #expect(next.recorder.status.total.seen == 0)
        #expect(next.recorder.status.notices?.count == 2)
    }

    @Test func `accounts that cannot be trusted are said, kept aside, and counted anew`() throws {
        let first = try ScriptedSession()
        let paths = first.folder.paths
        first.focus("Editor")
        first.type("a")
        first.recorder.stop()
        let copy = try Disk.read(paths.accounts)
        let second = try ScriptedSession(after: first)
        #expect(second.recorder.status.total.seen == 2)
        second.focus("Editor")
        second.type("b")
        second.recorder.stop()
        func faults(_ session: ScriptedSession) -> Int {
            session.log.entries.count {
                "\($0.message)" == "The accounts file is not the one last written"
            }
        }
        // Older ones are used, and said.
        try Disk.write(copy, to: paths.accounts)
        let third = try ScriptedSession(after: second)
        #expect(third.recorder.status.total.seen == 2)
        #expect(third.recorder.status.notices?.first?.contains("older state (number 1") == true)
        #expect(faults(third) == 1 && third.recorder.status.state == .recording)
        third.focus("Editor")
        third.type("c")
        third.recorder.stop()
        #expect(EventCountersFile(paths).find().accounts.number == 3)
        // Damaged ones are kept aside.
        var damaged = try Disk.read(paths.accounts)
        damaged[damaged.count / 2] ^= 1
        try Disk.write(damaged, to: paths.accounts)
        let fourth = try ScriptedSession(after: third)
        #expect(fourth.recorder.status.total.seen == 0 && faults(fourth) == 1)
        #expect(try Disk.read(paths.accounts + ".damaged") == damaged)
        #expect(fourth.recorder.status.state == .recording)
    }

    @Test func `a count of 2^63-1 ends nothing`() throws {
        let first = try ScriptedSession()
        first.recorder.stop()
        let paths = first.folder.paths
        var accounts = EventCountersFile(paths).find().accounts
        (accounts.events.seen, accounts.events.admitted) = (.max, .max)
        EventCountersFile(paths).write(accounts)
        let session = try ScriptedSession(after: first)
        session.focus("Editor")
        session.type("ab")
        session.pass(300)
        let reply = try session.recorder.handle(.getStatus)
        #expect(reply.status?.total.seen == .max && reply.status?.state == .recording)
        session.recorder.stop()
        #expect(EventCountersFile(paths).find().accounts.events.seen == .max)
    }
}
