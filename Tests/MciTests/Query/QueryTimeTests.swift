// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Query
import Testing

/// Times in SQL: whatever SQLite's own functions make of one compares as the moment it is.
@Suite struct QueryTimeTests {
    private static let origin = SyntheticRing.origin

    /// The ways to say a moment, all of which are whole seconds where the moment is.
    private static func forms(_ moment: Int64) -> [String] {
        let time = WallTime(moment).text
        let east = WallTime(moment + 19_800_000).text.dropLast() + "+05:30"
        let seconds = moment / 1000
        var forms = [
            "'\(time)'", "'\(time.replacing("T", with: " ").dropLast())'", "'\(east)'",
            "strftime('%Y-%m-%dT%H:%M:%fZ', \(moment) / 1000.0, 'unixepoch')",
            "strftime('%Y-%m-%d %H:%M:%f', '\(time)')", "'\(time.dropLast())0000'",
        ]
        if moment % 1000 == 0 {
            forms += [
                "datetime(\(seconds), 'unixepoch')", "datetime('\(time)')",
                "datetime('\(time)', '+1 minute', '-1 minute')", "\(seconds)",
                "strftime('%s', '\(time)')", "strftime('%s', '\(time)') - 0",
                "'\(time.prefix(19))'",
                "strftime('%Y-%m-%dT%H:%M:%SZ', '\(time)')",
            ]
        }
        if moment % 60_000 == 0 {
            forms += [
                "'\(time.prefix(16))'", "'\(time.prefix(16).replacing("T", with: " "))'",
                "strftime('%Y-%m-%d %H:%M', '\(time)')",
            ]
        }
        if moment % 86_400_000 == 0 { forms += ["date('\(time)')", "'\(time.prefix(10))'"] }
        return forms
    }

    /// Batches over two days, some of them around midnight.
    private func days() throws -> (ring: SyntheticRing, times: [Int64]) {
        let ring = try SyntheticRing()
        for minute in [0, 1, 2, 30, 31, 59, 60, 600, 958, 959, 960, 961, 1000, 2399, 2400, 2401] {
            try ring.put(minute: Int64(minute), times: [0, 1, 999, 1000, 7123, 30_000, 59_999])
        }
        let export = try Program.run("mcictl", ["export"], environment: ring.folder.environment)
        let times = export.objects.compactMap { line -> Int64? in
            guard let type = line["type"] as? String, !["gap", "device", "monitors"].contains(type)
            else { return nil }
            return (line["time"] as? String).flatMap { WallTime($0) }?.milliseconds
        }
        return (ring, times)
    }

    @Test func `over random bounds SQL finds the lines of the export, in whatever form they are`()
        throws
    {
        let (ring, times) = try days()
        try #require(times.count > 100)
        let session = try QuerySession(ring.source())
        var random = SplitMix(seed: 71)
        let edges = Array(Set(times)).sorted()
        func moment() -> Int64 {
            let edge = edges.randomElement(using: &random) ?? 0
            let unit = [1, 1000, 60_000, 86_400_000].randomElement(using: &random) ?? 1
            let near = edge + [-1, 0, 0, 0, 1].randomElement(using: &random)! * Int64(unit)
            return near / Int64(unit) * Int64(unit)
        }
        func form(_ moment: Int64) -> String {
            Self.forms(moment).randomElement(using: &random) ?? ""
        }
        let (rounds, most) = (isProof ? 5000 : 200, Int64.max / 2)
        var found = 0
        for _ in 0..<rounds {
            let (one, other) = (moment(), moment())
            let comparisons: [(String, (Int64) -> Bool)] = [
                (">= \(form(one))", { $0 >= one }), ("> \(form(one))", { $0 > one }),
                ("<= \(form(one))", { $0 <= one }), ("< \(form(one))", { $0 < one }),
                ("= \(form(one))", { $0 == one }), ("<> \(form(one))", { $0 != one }),
                ("BETWEEN \(form(one)) AND \(form(other))", { one <= $0 && $0 <= other }),
                ("IN (\(form(one)), \(form(other)))", { $0 == one || $0 == other }),
                (
                    ">= \(form(one)) AND time < \(form(other))",
                    { one <= $0 && $0 < other }
                ),
            ]
            let (sql, isWanted) = try #require(comparisons.randomElement(using: &random))
            let wanted = times.filter(isWanted)
            let rows = try session.rows(
                "SELECT count(*), total(ms - \(Self.origin)) FROM events WHERE time \(sql)"
            )
            let sum = wanted.reduce(0.0) { $0 + Double($1 - Self.origin) }
            #expect(rows == [[.integer(Int64(wanted.count)), .real(sum)]], "time \(sql)")
            found += min(wanted.count, Int(most))
        }
        if isProof { print("SQL against export: \(rounds) random bounds, \(found) rows, 0 differ") }
    }

    @Test func `a Julian day compares to the millisecond that it has`() throws {
        let (ring, times) = try days()
        for moment in times where moment % 1000 == 0 {
            // 15 digits of a Julian day are good for a millisecond.
            let late = "julianday(\(moment + 3) / 1000.0, 'unixepoch')"
            let early = "julianday(\(moment - 3) / 1000.0, 'unixepoch')"
            let rows = try ring.rows(
                "SELECT count(*) FROM events WHERE time BETWEEN \(early) AND \(late)"
            )
            let wanted = times.count { moment - 3 <= $0 && $0 <= moment + 3 }
            #expect(rows == [[.integer(Int64(wanted))]])
        }
    }

    @Test func `the local columns show the clock, and compare with SQLite's local times`() throws {
        let (ring, times) = try days()
        let rows = try ring.rows(
            """
            SELECT count(*), sum(local = strftime('%Y-%m-%d %H:%M:%f', ms / 1000.0, 'unixepoch',
              'localtime')), sum(local >= datetime(ms / 1000, 'unixepoch', 'localtime')),
              sum(local < datetime(ms / 1000 + 1, 'unixepoch', 'localtime')) FROM events
            """
        )
        let count = Cell.integer(Int64(times.count))
        #expect(rows == [[count, count, count, count]])
        for moment in times.prefix(40) {
            let local = "datetime(\(moment / 1000), 'unixepoch', 'localtime')"
            let after = try ring.rows("SELECT count(*) FROM events WHERE local >= \(local)")
            #expect(after == [[.integer(Int64(times.count { $0 >= moment / 1000 * 1000 }))]])
        }
    }

    @Test func `times are sorted and grouped as the moments they are`() throws {
        let (ring, times) = try days()
        let rows = try ring.rows("SELECT ms FROM events ORDER BY time DESC")
        #expect(rows == times.sorted(by: >).map { [.integer($0)] })
        #expect(
            try ring.rows("SELECT count(DISTINCT time), max(time) FROM events")
                == [[.integer(Int64(Set(times).count)), .text(WallTime(times.max() ?? 0).text)]]
        )
    }
}
