// SPDX-License-Identifier: Apache-2.0

import Events
import Export
import Foundation
import Person
import Query
import Recording
import Storage
import Testing
import Timeline

/// The tables over the ring: what they show, and what they open for it.
@Suite struct QueryTests {
    private static let origin = SyntheticRing.origin

    /// An hour of work and a gap: batch n is of minute n - 1, each in an application of its own.
    private func hour() throws -> SyntheticRing {
        let ring = try SyntheticRing()
        for minute in 0..<60 { try ring.put(minute: Int64(minute), app: "App \(minute % 7)") }
        try ring.putGap(from: 10 * 60_000, to: 61 * 60_000)
        return ring
    }

    // MARK: What they show

    @Test func `every row of events and gaps equals a line of the export`() throws {
        let first = try ScriptedSession()
        first.focus("Editor")
        first.type("ab")
        first.key(0xFFBE, down: true, modifiers: [.control, .shift])
        first.key(0xFFBE, down: false, modifiers: [.control, .shift])
        for payload: RawEvent.Payload in [
            .motion(dx: 3, dy: -400), .button(number: 1, isDown: true),
            .button(number: 1, isDown: false), .scroll(dx: 0, dy: 180), .scroll(dx: -120, dy: 0),
        ] {
            let event = RawEvent(time: first.now.monotonic, device: 8, payload: payload)
            first.arrive(.input(event, stream: .pointer))
            first.pass(700)
        }
        first.focus("Browser “ü\n”")
        for _ in 0..<300 {
            first.type("xyz")
            first.pass(5000)
        }
        _ = try first.pause(seconds: 60)
        first.pass(70_000)
        first.focus("Mail")
        first.type("c")
        first.arrive(.context(.unknown, stream: .keyboard, at: first.now.monotonic))
        first.type("lost")
        first.focus("Mail")
        first.type("d")
        first.recorder.stop()
        first.advance(90_000)
        let second = try ScriptedSession(after: first)
        second.focus("Editor")
        second.type("e")
        second.pass(11_000)

        var lines = JSONLines(withKeys: true)
        try second.stored().forEach { lines.append($0) }
        let exported = String(decoding: lines.text.bytes, as: UTF8.self).split(separator: "\n")
        let text = try String(contentsOfFile: second.folder.paths.identity, encoding: .utf8)
        let identities = try #require(Identity.list(text))
        let source = BatchSource(path: second.folder.paths.ring, identities: identities)
        let session = try QuerySession(source)
        let rows = try session.rows(
            """
            SELECT json_patch('{}', json_object('time', time, 'type', type, 'state', state, 'class',
              class, 'keysym', keysym, 'modifiers', modifiers, 'button', button, 'dx', dx, 'dy', dy,
              'app', iif(type = 'focus', app, NULL), 'device', device)) FROM events
            UNION ALL
            SELECT json_patch('{}', json_object('time', from_time, 'type', 'gap', 'reason', reason,
              'from', from_time, 'to', to_time, 'stream', stream)) FROM gaps
            """
        )
        #expect(rows.count == exported.count && rows.count > 250)
        #expect(try session.number("SELECT count(DISTINCT reason) FROM gaps") == 3)
        func object(_ text: some StringProtocol) throws -> NSDictionary {
            let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
            var fields = try #require(value as? [String: Any])
            if let words = fields["modifiers"] as? String {
                fields["modifiers"] = words.split(separator: "+").map(String.init)
            }
            return fields as NSDictionary
        }
        let expected = try exported.map(object)
        let isGap = { (line: NSDictionary) in line["type"] as? String == "gap" }
        var found: [NSDictionary] = []
        for row in rows {
            guard case .text(let text) = row[0] else { continue }
            found.append(try object(text))
        }
        #expect(found == expected.filter { !isGap($0) } + expected.filter(isGap))
    }

    @Test func `every input is told with the application in front`() throws {
        let session = try ScriptedSession()
        session.focus("Editor")
        session.type("a")
        session.focus("Mail")
        for _ in 0..<20 {
            session.type("bc")
            session.pass(10_000)
        }
        _ = try session.pause(seconds: 30)
        session.pass(40_000)
        session.focus("Browser")
        session.type("d")
        session.pass(11_000)
        let text = try String(contentsOfFile: session.folder.paths.identity, encoding: .utf8)
        let source = BatchSource(
            path: session.folder.paths.ring,
            identities: try #require(Identity.list(text))
        )
        let rows = try QuerySession(source).rows(
            """
            SELECT app, count(*), count(DISTINCT batch) > 2, time = strftime('%Y-%m-%dT%H:%M:%fZ',
              ms / 1000.0, 'unixepoch') FROM events WHERE type = 'key' GROUP BY app ORDER BY min(ms)
            """
        )
        #expect(
            rows == [
                [.text("Editor"), .integer(2), .integer(0), .integer(1)],
                [.text("Mail"), .integer(80), .integer(1), .integer(1)],
                [.text("Browser"), .integer(2), .integer(0), .integer(1)],
            ]
        )
    }

    @Test func `the batches are told, with what is in them`() throws {
        let ring = try hour()
        let session = try QuerySession(ring.source())
        #expect(
            try session.rows(
                "SELECT batch, end_ms, end_time, events, gaps, state FROM batches WHERE batch IN (1, 61)"
            ) == [
                [
                    .integer(1), .integer(Self.origin + 60_000), .text("2027-01-15T08:01:00.000Z"),
                    .integer(4), .integer(0), .text("whole"),
                ],
                [
                    .integer(61), .integer(Self.origin + 61 * 60_000),
                    .text("2027-01-15T09:01:00.000Z"), .integer(0), .integer(1), .text("whole"),
                ],
            ]
        )
    }

    @Test func `tables are joined`() throws {
        let ring = try hour()
        let session = try QuerySession(ring.source())
        // What was recorded while the gap lasted: nothing in a real ring, 49 minutes of motions here.
        let inGap = try session.rows(
            """
            SELECT count(*), count(DISTINCT events.batch), min(batches.state) FROM gaps
            JOIN events ON events.ms BETWEEN gaps.from_ms AND gaps.to_ms
            JOIN batches ON batches.batch = events.batch
            WHERE reason = 'paused' AND type = 'motion'
            """
        )
        #expect(inGap == [[.integer(150), .integer(50), .text("whole")]])
        let perBatch = try session.rows(
            """
            SELECT batch, (SELECT count(*) FROM events WHERE events.batch = batches.batch) = events
            FROM batches WHERE batch <= 3
            """
        )
        #expect(perBatch.map { $0[1] } == [.integer(1), .integer(1), .integer(1)])
        #expect(try session.number("SELECT count(DISTINCT rowid) = count(*) FROM events") == 1)
    }

    // MARK: What they open

    @Test(
        arguments: [
            ("SELECT batch, end_time FROM batches", 0),
            ("SELECT state FROM batches WHERE batch = 5", 1),
            ("SELECT count(*) FROM events WHERE batch = 5", 1),
            ("SELECT count(*) FROM events WHERE batch IN (5, 7)", 2),
            ("SELECT count(*) FROM events WHERE ms = $20", 3),
            ("SELECT count(*) FROM events WHERE ms BETWEEN $20 AND $21 - 1", 3),
            ("SELECT count(*) FROM events WHERE ms = $20 OR ms = $40", 6),
            ("SELECT count(*) FROM events WHERE ms > $57 AND type = 'motion'", 5),
            ("SELECT count(*) FROM events WHERE time LIKE '%' AND time < '2027-01-15T08:02'", 3),
            ("SELECT count(*) FROM events WHERE time >= '2027-01-15T08:59'", 3),
            ("SELECT count(*) FROM events WHERE time = '2027-01-15T08:30:00.000Z'", 3),
            ("SELECT count(*) FROM events WHERE ms > 9e18", 0),
            ("SELECT count(*) FROM events WHERE time >= '2027-01-15 08:59'", 3),
            ("SELECT count(*) FROM events WHERE time > datetime($57 / 1000, 'unixepoch')", 5),
            ("SELECT count(*) FROM events WHERE time > julianday($57 / 1000, 'unixepoch')", 5),
            ("SELECT count(*) FROM events WHERE time > $57 / 1000", 5),
            ("SELECT count(*) FROM events WHERE local >= '2028'", 0),
            ("SELECT count(*) FROM events WHERE local < '2027-01-14'", 0),
            ("SELECT count(*) FROM events WHERE ms = NULL", 0),
            ("SELECT count(*) FROM events WHERE time >= '2028'", 0),
            ("SELECT count(*) FROM gaps WHERE to_ms > $60", 2),
            ("SELECT count(*) FROM events", 61),
        ]
    )
    func `only the batches of the time asked for are opened`(sql: String, most: Int) throws {
        let ring = try hour()
        let source = ring.source()
        let minutes = sql.split(separator: "$", omittingEmptySubsequences: false)
        let query = minutes.dropFirst().reduce(String(minutes[0])) { text, part in
            let digits = part.prefix(while: \.isNumber)
            return text + "\(Self.origin + (Int64(digits) ?? 0) * 60_000)"
                + part.dropFirst(digits.count)
        }
        _ = try QuerySession(source).rows(query)
        #expect(source.openings <= most, "\(query)")
        #expect(source.openings > 0 || most == 0)
    }

    @Test func `any comparison gives what a full reading gives`() throws {
        let ring = try SyntheticRing()
        for minute in 0..<9 { try ring.put(minute: Int64(minute)) }
        try ring.putGap(from: 60_000, to: 600_000)
        let session = try QuerySession(ring.source())
        let edges = [0, 1, 50_000, 60_000, 301_000, 530_000, 540_000, 600_000]
        var numbers = edges.flatMap { [$0 - 1, $0, $0 + 1] }.map { "\(Self.origin + Int64($0))" }
        numbers += [
            "-9223372036854775808", "9223372036854775807", "9e18", "-9e99", "1e999", "0", "-1",
            "NULL", "'1800000000000'", "x'00'", "1800000001000.5", "''",
        ]
        let times =
            edges.map { WallTime(Self.origin + Int64($0)).text } + [
                "2027-01-15T08:05", "2027-01-15T08:05:01Z", "2027-01-15",
                "2027-01-15T08:05:01.0000Z",
                "", "~", "ä", "0", "9999-12-31T23:59:59.999Z", "2027-01-15t08:30:00.000z",
                "2027-01-15T09:05:00+01:00",
            ]
        func either(_ column: String, _ values: [String]) -> String {
            func value() -> String { values.randomElement() ?? "0" }
            let forms = [
                "BETWEEN \(value()) AND \(value())", "= \(value())", "> \(value())",
                "<= \(value())",
                "IN (\(value()), \(value()), \(value()))", ">= \(value())", "< \(value())",
                "IS \(value())", "<> \(value())", "NOT BETWEEN \(value()) AND \(value())",
            ]
            return "\(column) \(forms.randomElement() ?? "")"
        }
        let columns: [(table: String, ms: [String], text: [String])] = [
            ("events", ["ms"], ["time"]),
            ("gaps", ["from_ms", "to_ms"], ["from_time", "to_time"]),
            ("batches", ["end_ms"], ["end_time"]),
        ]
        for _ in 0..<300 {
            let (table, ms, text) = try #require(columns.randomElement())
            var terms: [String] = []
            for _ in 0..<Int.random(in: 1...3) {
                terms.append(
                    [
                        either(ms.randomElement() ?? "", numbers),
                        either(text.randomElement() ?? "", times.map { "'\($0)'" }),
                        either("batch", ["0", "1", "5", "10", "'7'", "2.5"] + numbers),
                    ].randomElement() ?? ""
                )
            }
            let condition = terms.joined(separator: Bool.random() ? " AND " : " OR ")
            let select = "SELECT count(*), count(DISTINCT row), sum(row), sum(row % 997)"
            let found = try session.rows(
                "\(select) FROM (SELECT *, rowid AS row FROM \(table) WHERE \(condition))"
            )
            // A limit keeps the comparisons outside.
            let full = "SELECT *, rowid AS row FROM \(table) LIMIT -1 OFFSET 0"
            #expect(
                try session.rows("\(select) FROM (\(full)) WHERE \(condition)") == found,
                "\(condition)"
            )
        }
    }

    @Test func `an application that only a header tells is told once, however little is read`()
        throws
    {
        let ring = try SyntheticRing()
        for minute in 0..<6 { try ring.put(minute: Int64(minute), header: "Editor") }
        for minute in 6..<9 { try ring.put(minute: Int64(minute), header: "Mail") }
        let focus = "SELECT batch, app, ms FROM events WHERE type = 'focus'"
        let told: [[Cell]] = [
            [.integer(1), .text("Editor"), .integer(Self.origin)],
            [.integer(7), .text("Mail"), .integer(Self.origin + 6 * 60_000)],
        ]
        #expect(try ring.rows(focus) == told)
        #expect(try ring.rows("\(focus) AND batch >= 4") == [told[1]])
        #expect(try ring.rows("\(focus) AND ms >= \(Self.origin + 1)") == [told[1]])
        #expect(try ring.rows("\(focus) AND batch = 3") == [])
        #expect(try ring.rows("\(focus) AND batch = 7") == [told[1]])
        // The batches in between are gone: what they told is gone with them.
        try ring.damage(
            """
            UPDATE ring SET seq = 1 << 40, t_end = 1 << 40, sealed = zeroblob(3973),
              proof = zeroblob(64) WHERE slot BETWEEN 0 AND 2
            """
        )
        #expect(
            try ring.rows(focus) == [
                [.integer(4), .text("Editor"), .integer(Self.origin + 180_000)], told[1],
            ]
        )
    }

    // MARK: Rings that are not well

    @Test func `with another key nothing is told but that there are batches`() throws {
        let ring = try hour()
        let source = ring.source([Identity()])
        let session = try QuerySession(source)
        #expect(try session.number("SELECT count(*) FROM events") == 0)
        #expect(try session.number("SELECT count(*) FROM gaps") == 0)
        #expect(
            try session.rows("SELECT DISTINCT state, events, gaps FROM batches")
                == [[.text("foreign"), .null, .null]]
        )
        #expect(try session.number("SELECT count(*) FROM batches") == 61)
        #expect(source.foreign.count == 61 && source.damaged.isEmpty)
    }

    @Test func `damaged, moved and foreign batches are named and passed over`() throws {
        let ring = try SyntheticRing()
        for minute in 0..<5 { try ring.put(minute: Int64(minute)) }
        try ring.put(minute: 5, recipient: Identity())
        try ring.put(minute: 6)
        try ring.damage(
            """
            UPDATE ring SET sealed = zeroblob(3973) WHERE seq = (1 << 40) + 2;
            UPDATE ring SET sealed = x'' WHERE seq = (1 << 40) + 3;
            UPDATE ring SET sealed = (SELECT sealed FROM ring WHERE seq = (1 << 40) + 1)
              WHERE seq = (1 << 40) + 4;
            """
        )
        let source = ring.source()
        let session = try QuerySession(source)
        #expect(
            try session.rows("SELECT state FROM batches ORDER BY batch").map { $0[0] } == [
                .text("whole"), .text("damaged"), .text("damaged"), .text("damaged"),
                .text("whole"), .text("foreign"), .text("whole"),
            ]
        )
        #expect(
            try session.rows("SELECT DISTINCT batch FROM events").map { $0[0] }
                == [.integer(1), .integer(5), .integer(7)]
        )
        #expect(source.damaged == [2, 3, 4] && source.foreign == [6])
    }

    @Test func `an empty ring has empty tables`() throws {
        let ring = try SyntheticRing()
        let counts = """
            SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM gaps),
              (SELECT count(*) FROM batches)
            """
        #expect(try ring.rows(counts) == [[.integer(0), .integer(0), .integer(0)]])
    }

    @Test func `a ring that is missing or no ring is a sentence`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/ring.db"
        let session = try QuerySession(BatchSource(path: path, identities: []))
        func failure() -> QueryError? {
            #expect(throws: QueryError.self) { try session.rows("SELECT * FROM events") }
        }
        #expect(failure()?.description == "The ring cannot be opened.")
        #expect(failure()?.code == .failed)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
        #expect(failure()?.description.hasPrefix("The ring ") == true)
        #expect(try session.rows("SELECT 1") == [[.integer(1)]])
    }

    @Test func `while the ring is written a query sees whole batches, each once`() throws {
        let ring = try SyntheticRing()
        for minute in 0..<200 { try ring.put(minute: Int64(minute)) }
        let session = try QuerySession(ring.source())
        let query = try session.prepare("SELECT batch, count(*) FROM events GROUP BY batch")
        var minute: Int64 = 200
        for _ in 0..<5 {
            var rows = 0
            var last: Int64 = 0
            try session.prepare("SELECT batch, ms FROM events").run { row in
                guard case .integer(let batch) = row[0] else { return }
                #expect(batch >= last)
                last = batch
                rows += 1
                // One commit for every few rows: the ring (225 slots) turns over under the reader.
                guard rows % 16 == 0 else { return }
                try ring.put(minute: minute)
                minute += 1
            }
            #expect(rows % 4 == 0 && rows > 200)
            try query.run { #expect($0[1] == .integer(4)) }
        }
        #expect(minute > 250)
    }
}
