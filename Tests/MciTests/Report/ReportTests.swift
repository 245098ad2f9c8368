// SPDX-License-Identifier: Apache-2.0

import Calendar
import Events
import Foundation
import Query
import Report
import Testing

/// The figures of the report are those of SQL on the same ring.
@Suite struct ReportTests {
    private let ring: RichRing
    private let facts: RecordingFacts
    private let sql: QuerySession

    init() throws {
        ring = try RichRing.shared.get()
        facts = try ring.facts()
        sql = try ring.query()
    }

    private func number(_ query: String) throws -> Int {
        Int(try #require(try sql.number(query), "\(query)"))
    }

    private static let chord = """
        type = 'key' AND state = 'down' AND class <> 'modifier' AND (modifiers LIKE '%ctrl%'
          OR '+' || modifiers || '+' LIKE '%+alt+%' OR modifiers LIKE '%super%')
        """

    /// The length of overlapping gaps, each moment once.
    private func united(_ condition: String) throws -> Int {
        try number(
            """
            WITH g AS (SELECT from_ms AS a, to_ms AS b, max(to_ms) OVER (ORDER BY from_ms, to_ms
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS r FROM gaps WHERE \(condition))
            SELECT coalesce(sum(max(0, b - max(a, coalesce(r, a)))), 0) FROM g
            """
        )
    }

    @Test func `the ring has everything that a report must show`() throws {
        let reasons = Set(facts.omissions.keys.map(\.reason))
        #expect(reasons == Set(GapReason.allCases))
        #expect(facts.apps.keys.filter { !$0.isEmpty }.count >= 6)
        #expect(Set(facts.devices.compactMap { $0.device?.name }).count >= 4)
        #expect(facts.clickMaps.count == 2)
        #expect(DayStrip.count(facts) >= 3)
        #expect(!facts.missing.isEmpty && facts.clockSteps == 1)
    }

    @Test func `the counts of each kind are those of SQL`() throws {
        let total = facts.total
        let kinds = [
            (total.typingRuns, "type = 'typing'"),
            (total.keyPresses, "type = 'key' AND state = 'down'"), (total.chords, Self.chord),
            (total.clicks, "type = 'button' AND state = 'down'"),
            (total.clicksWithPixel, "type = 'button' AND state = 'down' AND x IS NOT NULL"),
            (total.wheelTurns, "type = 'scroll'"),
            (facts.scrollsWithPixel, "type = 'scroll' AND x IS NOT NULL"),
            (total.movements, "type IN ('motion', 'axes')"),
            (total.touches, "type = 'touch' AND state = 'down'"),
            (total.events, "type <> 'focus'"),
            (facts.injected, "injected = 1"),
            (facts.undescribed, "type <> 'focus' AND injected IS NULL"),
        ]
        let sums = kinds.map { "coalesce(sum(\($0.1)), 0)" }.joined(separator: ", ")
        let row = try #require(try sql.rows("SELECT \(sums) FROM events").first)
        #expect(row == kinds.map { .integer(Int64($0.0)) })
        #expect(try number("SELECT sum(seconds) FROM events") == total.typingSeconds)
        let distance = try sql.rows(
            "SELECT sum(sqrt(dx * dx + dy * dy)) FROM events WHERE type = 'motion'"
        )
        guard case .real(let length)? = distance.first?.first else { throw CancellationError() }
        #expect(abs(length - total.distance) < 0.001 * length)
        #expect(total.events > 500 && total.chords > 10 && total.typingRuns > 10)
    }

    @Test func `the counts of each application and each hour are those of SQL`() throws {
        func rows(_ name: String) throws -> [String: [Int]] {
            try sql.rows(
                """
                SELECT \(name), count(*), sum(type = 'button' AND state = 'down'),
                  coalesce(sum(\(Self.chord)), 0) FROM events WHERE type <> 'focus' GROUP BY 1
                """
            ).reduce(into: [:]) { result, row in
                guard case .text(let key) = row[0] else { return }
                result[key] = row.dropFirst().map {
                    if case .integer(let number) = $0 { Int(number) } else { -1 }
                }
            }
        }
        let apps = try rows("coalesce(app, '')")
        #expect(apps == facts.apps.mapValues { [$0.events, $0.clicks, $0.chords] })
        let hours = try rows("substr(local, 1, 13)")
        let own = facts.hours.map { hour, apps in
            let sum = apps.values.reduce(into: InputCounts()) { $0.add($1) }
            return (
                String(TimeText.full(WallTime(hour)).prefix(13)),
                [sum.events, sum.clicks, sum.chords]
            )
        }
        #expect(hours == Dictionary(own, uniquingKeysWith: { $1 }))
        #expect(facts.hours.count > 4 && apps.count > 4)
    }

    @Test func `the time of each gap is that of SQL`() throws {
        for (omission, spans) in facts.omissions {
            let stream = omission.stream.map { "stream = '\($0.name)'" } ?? "stream IS NULL"
            let condition = "reason = '\(omission.reason.name)' AND \(stream)"
            #expect(try united(condition) == Int(spans.length), "\(condition)")
        }
        #expect(try united("stream IS NULL") == Int(facts.closed.length))
        let span = try number(
            """
            SELECT max(b) - min(a) FROM (SELECT ms AS a, ms + coalesce(seconds, 0) * 1000 AS b
              FROM events UNION ALL SELECT from_ms, to_ms FROM gaps)
            """
        )
        #expect(span == Int(facts.span.upperBound - facts.span.lowerBound))
        let open = facts.open.length
        let rest = facts.closed.union(facts.missing).length
        #expect(open + rest == facts.span.upperBound - facts.span.lowerBound)
    }

    @Test func `the time in front of each application is that of SQL`() throws {
        // From each change of focus to the next one or to a gap of everything, within batches that
        // follow each other.
        for (app, spans) in facts.front {
            let name = app.replacing("'", with: "''")
            let length = try number(
                """
                WITH marks AS (SELECT batch, ms, app, 0 AS closes, rowid AS place FROM events
                    WHERE type = 'focus'
                  UNION ALL SELECT batch, from_ms, NULL, 1, rowid FROM gaps WHERE stream IS NULL),
                next AS (SELECT app, ms, closes, batch, lead(ms) OVER (ORDER BY place) AS until
                  FROM marks)
                SELECT coalesce(sum(max(0, until - ms)), 0) FROM next
                WHERE app = '\(name)' AND closes = 0
                """
            )
            // What was erased in between, and the rest of the last one, SQL cannot know.
            #expect(spans.length <= length)
            #expect(length - Int(spans.length) <= Int(facts.missing.length) + 600_000)
        }
    }

    @Test func `clicks in each part of each monitor are those of SQL`() throws {
        for map in facts.clickMaps {
            let (left, top) = (Int(map.monitor.x), Int(map.monitor.y))
            let (width, height) = (Int(map.monitor.width), Int(map.monitor.height))
            let query = """
                SELECT (y - \(top)) / \(map.cell) * \(map.columns) + (x - \(left)) / \(map.cell), count(*)
                FROM events WHERE type = 'button' AND state = 'down'
                  AND x >= \(left) AND x < \(left + width) AND y >= \(top) AND y < \(top + height)
                  AND batch IN (SELECT batch FROM monitors WHERE x = \(left) AND y = \(top))
                GROUP BY 1
                """
            var cells = [Int](repeating: 0, count: map.cells.count)
            for row in try sql.rows(query) {
                guard case .integer(let cell) = row[0], case .integer(let count) = row[1] else {
                    throw CancellationError()
                }
                cells[Int(cell)] = Int(count)
            }
            #expect(cells == map.cells)
            #expect(map.cell >= 40)
        }
        let all = facts.clickMaps.reduce(facts.clicksElsewhere) { $0 + $1.clicks }
        #expect(all == facts.total.clicksWithPixel)
    }

    @Test func `the events of each device are those of SQL`() throws {
        let query = """
            SELECT e.device, d.name, count(*) FROM events AS e LEFT JOIN devices AS d
              ON d.batch = e.batch AND d.device = e.device
            WHERE e.device IS NOT NULL GROUP BY 1, 2
            """
        var counts: [String: Int] = [:]
        for device in facts.devices {
            counts["\(device.id) \(device.device?.name ?? "?")", default: 0] += device.events
        }
        let rows = try sql.rows(query).map { row in
            guard case .integer(let id) = row[0], case .integer(let count) = row[2] else {
                throw CancellationError()
            }
            if case .text(let name) = row[1] { return ("\(id) \(name)", Int(count)) }
            return ("\(id) ?", Int(count))
        }
        #expect(Dictionary(rows, uniquingKeysWith: +) == counts)
    }

    @Test func `a period is cut out of it, and its figures are those of SQL in that period`() throws
    {
        let (from, to) = (facts.span.lowerBound + 400_000, facts.span.lowerBound + 4_000_000)
        let part = try ring.facts(from...to)
        let query =
            "SELECT count(*) FROM events WHERE type <> 'focus' AND ms BETWEEN \(from) AND \(to)"
        // A typing run that began before belongs to it too.
        let runs = """
            SELECT count(*) FROM events WHERE type = 'typing' AND ms < \(from)
              AND ms + seconds * 1000 >= \(from)
            """
        #expect(try number(query) + number(runs) == part.total.events)
        #expect(part.span.lowerBound >= from && part.span.upperBound <= to + 1)
        for spans in part.omissions.values {
            #expect(spans.all.allSatisfy { $0.lowerBound >= from && $0.upperBound <= to + 1 })
        }
        #expect(part.total.events > 0 && part.total.events < facts.total.events)
    }

    @Test func `quality says times and clicks as SQL has them, and no number of keys`() throws {
        let quality = Quality(facts)
        #expect(quality.clicks.all == facts.total.clicks)
        #expect(
            try number(
                "SELECT count(*) FROM events WHERE type = 'button' AND state = 'down' AND x IS NULL"
            )
                == quality.clicks.withoutPixel
        )
        #expect(
            try number("SELECT count(*) FROM events WHERE type = 'scroll' AND x IS NULL")
                == quality.scrolls.withoutPixel
        )
        for time in quality.times where time.reason != "recorded" && time.reason != "missing" {
            let stream = time.stream.map { "stream = '\($0)'" } ?? "stream IS NULL"
            let length = try united("reason = '\(time.reason)' AND \(stream)")
            #expect(abs(time.minutes - Double(length) / 60_000) <= 0.0005)
        }
        #expect(quality.devicesWithoutName == 1 && quality.clockSteps == 1)
        #expect(quality.checks.count == 9)
        let json = String(decoding: try JSONEncoder().encode(quality), as: UTF8.self)
        for word in ["keyPresses", "typing", "chords"] { #expect(!json.contains(word)) }
    }

    @Test func `every named query runs, and counts what the report counts`() throws {
        for query in NamedQuery.all {
            #expect(try !sql.rows(query.sql(0...Int64.max / 4)).isEmpty, "\(query.name)")
            #expect(try sql.rows(query.sql(0...1)).count <= 1, "\(query.name)")
        }
        func all(_ name: String) throws -> String {
            try #require(NamedQuery.all.first { $0.name == name }).sql(0...Int64.max / 4)
        }
        #expect(try number("SELECT sum(events) FROM (\(all("apps")))") == facts.total.events)
        #expect(try number("SELECT sum(chords) FROM (\(all("hours")))") == facts.total.chords)
        #expect(try number("SELECT sum(times) FROM (\(all("chords")))") == facts.total.chords)
        #expect(try number("SELECT sum(clicks) FROM (\(all("clicks")))") == facts.total.clicks)
        #expect(try number("SELECT sum(events) FROM (\(all("devices")))") == facts.total.events)
        let recorded = try sql.rows(
            "SELECT minutes FROM (\(all("coverage"))) WHERE what = 'recorded'"
        )
        let open = Double(facts.open.union(facts.missing).without(facts.closed).length) / 60_000
        guard case .real(let minutes)? = recorded.first?.first else { throw CancellationError() }
        #expect(abs(minutes - open) < 0.06)
    }
}

extension DayStrip {
    /// The number of days of facts.
    fileprivate static func count(_ facts: RecordingFacts) -> Int { days(facts.span).count }
}
