// SPDX-License-Identifier: Apache-2.0

import Control
import Events
import Foundation
import Gate
import InMemoryLogging
import Packing
import Person
import Query
import Recording
import Storage
import System
import Testing
import Timeline

/// Bounded pieces of work with a name: where they begin and end, and what they may change.
@Suite struct DemonstrationTests {
    private func begin(
        _ session: ScriptedSession,
        _ name: String = "invoices",
        detail: String? = nil,
        titles: Bool? = nil,
        only: [String]? = nil,
        seconds: Int? = nil
    ) throws {
        _ = try session.recorder.handle(
            .demonstrate(
                DemonstrateCall(
                    name: name,
                    goal: "Enter 5 invoices",
                    seconds: seconds,
                    keyDetail: detail,
                    titles: titles,
                    only: only
                )
            )
        )
    }

    private func end(_ session: ScriptedSession, _ outcome: String = "done") throws {
        _ = try session.recorder.handle(.endDemonstration(outcome))
    }

    /// For each event whether it is in a batch of a demonstration.
    private func stored(_ session: ScriptedSession) throws -> [(words: String, name: String?)] {
        var result: [(String, String?)] = []
        for batch in try batches(session) {
            for item in batch.items {
                let event = RecordedEvent(item, in: batch.header, after: WallTime(0))
                result.append((event.words, batch.demonstration?.name))
            }
        }
        return result
    }

    private func batches(_ session: ScriptedSession) throws -> [OpenedBatch] {
        let text = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let opener = BatchOpener(Identity.list(text) ?? [])
        let ring = try RingReader(path: session.folder.paths.ring)
        return try ring.entries().compactMap { entry in
            guard let sealed = try ring.sealed(entry), case .opened(let batch) = opener.open(sealed)
            else { return nil }
            return batch
        }
    }

    @Test func `exactly what happens between its begin and its end belongs to it`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.key(0x61, down: true)
        session.key(0x61, down: false)
        try begin(session)
        #expect(session.recorder.status.demonstration?.name == "invoices")
        session.key(0x62, down: true)
        session.pass(70_000)
        session.key(0x62, down: false)
        try end(session)
        #expect(session.recorder.status.demonstration == nil)
        session.key(0x63, down: true)
        session.pass(20_000)
        let keys = try stored(session).filter { $0.words.hasPrefix("letter") }
        #expect(keys.map(\.name) == [nil, nil, "invoices", "invoices", nil])
        #expect(
            try session.words().filter { $0.hasPrefix("demo") } == [
                "demonstration invoices begins", "demonstration invoices done",
            ]
        )
        let last = try #require(
            try batches(session).last { $0.demonstration != nil }?.demonstration
        )
        #expect(last.goal == "Enter 5 invoices" && last.outcome == .done)
    }

    @Test func `one without any input is stored too`() throws {
        let session = try ScriptedSession()
        try begin(session)
        session.pass(30_000)
        try end(session, "failed")
        session.pass(11_000)
        #expect(
            try session.words().filter { $0.hasPrefix("demo") } == [
                "demonstration invoices begins", "demonstration invoices failed",
            ]
        )
    }

    @Test func `its key detail ends with it, and a policy stands above it`() throws {
        let session = try ScriptedSession(detail: .shortcuts)
        session.focus("Editor")
        try begin(session, detail: "full")
        #expect(session.recorder.status.keyDetail == "full")
        session.key(0x62, down: true)
        session.key(0x62, down: false)
        try end(session)
        #expect(session.recorder.status.keyDetail == "shortcuts")
        session.key(0x63, down: true)
        session.key(0x63, down: false)
        session.pass(20_000)
        let words = try session.words()
        #expect(words.contains("b down") && !words.contains("c down"))

        try session.usePolicy(
            #"{"schema": 1, "purpose": "x", "controller": "A", "contact": "x", "keyDetail": "shortcuts"}"#
        )
        session.recorder.noteChangedFiles()
        try session.consent()
        #expect(throws: Refusal.self) { try begin(session, detail: "classes") }
        #expect(session.recorder.status.demonstration == nil)
    }

    @Test func `it ends by itself, at the latest after 8 hours, and says so`() throws {
        let session = try ScriptedSession(detail: .shortcuts)
        session.focus("Editor")
        try begin(session, detail: "full", seconds: 600)
        let start = session.now.wall
        session.pass(601_000)
        #expect(session.recorder.status.demonstration == nil)
        #expect(session.recorder.status.keyDetail == "shortcuts")
        let ended = try #require(
            try batches(session).last { $0.demonstration != nil }?.demonstration
        )
        #expect(ended.outcome == .expired)
        #expect(ended.ended == WallTime(start.milliseconds + 600_000))
        #expect(throws: Refusal.self) { try begin(session, seconds: 8 * 3600 + 1) }
        try begin(session)
        let until = session.recorder.status.demonstration?.until
        #expect(until == WallTime(session.now.wall.milliseconds + 8 * 3_600_000).text)
        // Whoever sets the clock back does not make it longer.
        session.now.wall.milliseconds -= 86_400_000
        session.pass(8 * 3_600_000 + 1000)
        #expect(session.recorder.status.demonstration == nil)
    }

    @Test func `it outlasts a crash and a restart, and one that ended meanwhile is ended`() throws {
        let session = try ScriptedSession(detail: .shortcuts)
        session.focus("Editor")
        try begin(session, detail: "full")
        session.key(0x62, down: true)
        session.pass(20_000)
        // The crash: nothing is closed.
        let second = try ScriptedSession(after: session)
        #expect(second.recorder.status.demonstration?.name == "invoices")
        #expect(second.recorder.status.keyDetail == "full")
        second.focus("Editor")
        second.key(0x63, down: true)
        second.pass(20_000)
        second.recorder.stop()
        #expect(try stored(second).filter { $0.words == "c down" }.map(\.name) == ["invoices"])

        var controls = try ControlsFile(second.folder.paths).read()
        controls.demonstration?.ended = second.now.wall.text
        controls.demonstration?.outcome = "failed"
        try ControlsFile(second.folder.paths).write(controls)
        second.advance(60_000)
        let third = try ScriptedSession(after: second)
        third.focus("Editor")
        third.pass(20_000)
        #expect(third.recorder.status.demonstration == nil)
        let last = try #require(try batches(third).last { $0.demonstration != nil }?.demonstration)
        #expect(last.outcome == .failed)
    }

    @Test func `pauses and exemptions hold in it, and it can only narrow the applications`() throws
    {
        let session = try ScriptedSession(detail: .full)
        _ = try session.recorder.handle(.exempt(ExemptCall(scope: Scope(app: "Secret"))))
        try begin(session, only: ["Edit*", "Secret"])
        for app in ["Editor", "Secret", "Other"] {
            session.focus(app)
            session.key(0x61, down: true)
            session.key(0x61, down: false)
            session.pass(1000)
        }
        _ = try session.pause(seconds: 60)
        session.key(0x61, down: true)
        session.pass(61_000)
        try end(session)
        session.focus("Other")
        session.key(0x62, down: true)
        session.pass(20_000)
        let all = try stored(session)
        #expect(all.filter { $0.words == "a down" }.count == 1)
        #expect(all.filter { $0.words == "b down" }.count == 1)
        let gaps = all.filter { $0.words.hasPrefix("gap") && $0.name == "invoices" }.map(\.words)
        for reason in ["exempt", "not-allowed", "paused"] {
            #expect(gaps.contains { $0.hasPrefix("gap \(reason)") }, "\(gaps)")
        }
    }

    @Test func `what it allowed ends even while the controls cannot be written`() throws {
        let session = try ScriptedSession(detail: .shortcuts)
        session.focus("Editor")
        try begin(session, detail: "full", titles: true, seconds: 60)
        session.pass(1000)
        let lock = try ControlsFile(session.folder.paths).lock(patience: 0)
        session.pass(61_000)
        #expect(session.recorder.status.demonstration == nil)
        #expect(session.recorder.status.keyDetail == "shortcuts")
        let facts = WindowFacts(app: "Editor", title: "SECRET")
        for stream in Events.InputStream.allCases {
            session.arrive(.context(.window(facts), stream: stream, at: session.now.monotonic))
        }
        session.key(0x62, down: true)
        session.pass(20_000)
        #expect(try ControlsFile(session.folder.paths).read().demonstration != nil)
        _ = consume lock
        session.pass(20_000)
        #expect(try ControlsFile(session.folder.paths).read().demonstration == nil)
        #expect(try !session.words().contains { $0.contains("SECRET") || $0 == "b down" })
        let ends = try batches(session).filter { $0.demonstration?.ended != nil }
        #expect(ends.count == 1)
    }

    @Test func `there is one at a time, with consent, and with a name and a goal`() throws {
        let session = try ScriptedSession()
        try begin(session)
        #expect(throws: Refusal.self) { try begin(session, "another") }
        #expect(throws: Refusal.self) { try end(session, "expired") }
        try end(session)
        #expect(throws: Refusal.self) { try end(session) }
        for name in ["", "  ", "two\nlines", String(repeating: "x", count: 65)] {
            #expect(throws: Refusal.self) { try begin(session, name) }
        }
        #expect(throws: Refusal.self) { try begin(session, detail: "everything") }
        #expect(throws: Refusal.self) { try begin(session, only: [""]) }
        try begin(session)
        _ = try session.recorder.handle(.withdraw)
        #expect(session.recorder.status.demonstration == nil)
        #expect(throws: Refusal.self) { try begin(session) }
    }

    @Test func `name and goal are in no log, and in the ring only sealed`() throws {
        let session = try ScriptedSession()
        try begin(session, "Xylophone")
        session.focus("Editor")
        session.pass(20_000)
        #expect(!session.log.entries.contains { "\($0)".contains("Xylophone") })
        let ring = try Disk.read(session.folder.paths.ring, limit: 8 << 20)
        #expect(ring.firstRange(of: Array("Xylophone".utf8)) == nil)
        try end(session)
        let controls = try Disk.read(session.folder.paths.controls)
        #expect(controls.firstRange(of: Array("Xylophone".utf8)) == nil)
    }

    @Test func `a full batch with the longest name and goal is whole`() throws {
        let session = try ScriptedSession(detail: .full)
        _ = try session.recorder.handle(
            .demonstrate(
                DemonstrateCall(
                    name: String(repeating: "n", count: 64),
                    goal: (0..<256).map { "\(UnicodeScalar(UInt8(33 + $0 * 7 % 90)))" }.joined()
                )
            )
        )
        session.focus("Editor")
        var random = SplitMix(seed: 3)
        for _ in 0..<3000 {
            session.key(0x61 + UInt32(random.next() % 26), down: random.next() % 2 == 0)
            let event = RawEvent(
                time: session.now.monotonic,
                device: 6,
                payload: .motion(dx: Int32(truncatingIfNeeded: random.next()), dy: 3)
            )
            session.arrive(.input(event, stream: .pointer))
            session.pass(Int64(random.next() % 8))
        }
        try end(session)
        session.pass(11_000)
        let all = try batches(session)
        #expect(all.count > 8 && all.filter { $0.demonstration != nil }.count >= all.count - 2)
        #expect(try session.words().count { $0.hasPrefix("motion") } == 3000)
    }
}
