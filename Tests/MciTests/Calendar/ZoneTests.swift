// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Gate
import Person
import Testing

@testable import Calendar

/// Local times in the zones of the world, beside Python's `zoneinfo`.
///
/// A process has one zone: each test runs in a process of its own.
@Suite struct ZoneTests {
    /// Goes to another time zone; only where no other test runs.
    private static func go(to zone: String) {
        setenv("TZ", zone, 1)
        LocalTime.readZone()
    }

    @Test func `local times name the moments that Python's zoneinfo gives them`() async throws {
        let folder = try TemporaryFolder()
        let (zones, times, seed) = isProof ? (200, 400, 17) : (24, 30, 17)
        let made = try Program.run(
            "python3",
            [
                "\(Program.root)/Tests/MciTests/Calendar/zones.py", "\(zones)", "\(times)",
                "\(seed)",
            ]
        )
        try #require(made.code == 0, "\(made.errors)")
        let file = "\(folder.path)/zones"
        try made.output.write(toFile: file, atomically: true, encoding: .utf8)
        await #expect(processExitsWith: .success) { [file = file as String] in
            let text = try String(contentsOfFile: file, encoding: .utf8)
            var (zone, differences, compared, doubled, skipped) = ("", 0, 0, 0, 0)
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                if words[0] != zone {
                    zone = words[0]
                    ZoneTests.go(to: zone)
                }
                let numbers = words.dropFirst().compactMap { Int64($0) }
                let part = numbers.map { Int32(truncatingIfNeeded: $0) }
                let local = try #require(
                    LocalTime(
                        year: part[0],
                        month: part[1],
                        day: part[2],
                        hour: part[3],
                        minute: part[4],
                        second: part[5]
                    )
                )
                let readings = local.readings
                let count: [LocalTime.Readings.Count] = [.never, .once, .twice]
                let expected = (numbers[6] * 1000, numbers[7] * 1000)
                if (readings.earliest.milliseconds, readings.latest.milliseconds) != expected
                    || readings.count != count[Int(numbers[8])]
                {
                    differences += 1
                    print("differs: \(line): \(readings)")
                }
                // As a person writes it: the lower bound is the earliest, the upper one the latest.
                let written = "\(local.date) \(local.clock):\(LocalTime.two(local.second))"
                let now = WallTime(numbers[7] * 1000 + 86_400_000)
                let span = try TimeSpan(since: written, until: written, now: now)
                if (span.from?.milliseconds, span.to?.milliseconds) != expected
                    || span.notes.isEmpty != (numbers[8] == 1)
                {
                    differences += 1
                    print("differs: \(written) in \(zone): \(span)")
                }
                compared += 1
                doubled += numbers[8] == 2 ? 1 : 0
                skipped += numbers[8] == 0 ? 1 : 0
            }
            print("\(compared) times, \(doubled) twice, \(skipped) never: \(differences) differ")
            #expect(differences == 0 && compared > 100 && doubled > 10 && skipped > 10)
            exit(differences == 0 && compared > 100 && doubled > 10 && skipped > 10 ? 0 : 1)
        }
        if isProof {
            let count = made.lines.count
            print("zoneinfo: \(zones) zones, \(count) local times, 0 differences")
        }
    }

    /// zone, now, since (or - for what begins now), until, from, to; or what the refusal says.
    private static let spans: [[String]] = [
        // The morning after clocks went back, and forward.
        ["Europe/Berlin", "2026-10-24T20:00:00Z", "-", "07:00", "-", "2026-10-25T06:00:00Z"],
        ["Europe/Berlin", "2026-03-28T21:00:00Z", "-", "07:00", "-", "2026-03-29T05:00:00Z"],
        ["Europe/Berlin", "2026-10-24T20:00:00Z", "-", "02:30", "-", "2026-10-25T01:30:00Z"],
        ["Europe/Berlin", "2026-10-25T00:45:00Z", "-", "02:30", "-", "2026-10-25T01:30:00Z"],
        ["Europe/Berlin", "2026-10-25T01:45:00Z", "-", "02:30", "-", "2026-10-26T01:30:00Z"],
        ["Europe/Berlin", "2026-10-24T20:00:00Z", "-", "24:00", "-", "2026-10-24T22:00:00Z"],
        ["Europe/Berlin", "2026-10-24T20:00:00Z", "-", "today", "-", "2026-10-24T22:00:00Z"],
        [
            "Europe/Berlin", "2026-10-24T20:00:00Z", "-", "tomorrow 09:00", "-",
            "2026-10-25T08:00:00Z",
        ],
        [
            "Europe/Berlin", "2026-10-24T20:00:00Z", "-", "2026-10-25", "-",
            "2026-10-25T23:00:00Z",
        ],
        [
            "America/Santiago", "2026-09-05T20:00:00Z", "-", "24:00", "-",
            "2026-09-06T04:00:00Z",
        ],
        // The local day, far from Greenwich.
        [
            "Pacific/Auckland", "2026-11-30T01:00:00Z", "2026-11-30 09:04", "2026-11-30 09:11",
            "2026-11-29T20:04:00Z", "2026-11-29T20:11:00Z",
        ],
        [
            "Pacific/Auckland", "2026-11-30T01:00:00Z", "2026-11-30", "2026-11-30",
            "2026-11-29T11:00:00Z", "2026-11-30T10:59:59.999Z",
        ],
        [
            "Pacific/Honolulu", "2026-11-30T08:00:00Z", "yesterday", "yesterday 10:00",
            "2026-11-28T10:00:00Z", "2026-11-28T20:00:00Z",
        ],
        // Both bounds of one night.
        [
            "UTC", "2026-11-30T20:24:00Z", "23:00", "23:10", "2026-11-29T23:00:00Z",
            "2026-11-29T23:10:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "23:00", "00:10", "2026-11-29T23:00:00Z",
            "2026-11-30T00:10:00Z",
        ],
        [
            "UTC", "2026-11-30T00:05:00Z", "23:00", "23:10", "2026-11-29T23:00:00Z",
            "2026-11-29T23:10:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "14:00", "14:00", "2026-11-30T14:00:00Z",
            "2026-11-30T14:00:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "20:00", "21:00", "2026-11-30T20:00:00Z",
            "2026-11-30T21:00:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "2026-11-28 09:00", "09:30", "2026-11-28T09:00:00Z",
            "2026-11-28T09:30:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "09:00", "2026-11-28 09:30", "2026-11-28T09:00:00Z",
            "2026-11-28T09:30:00Z",
        ],
        [
            "UTC", "2026-11-30T20:24:00Z", "2h", "1 hour ago", "2026-11-30T18:24:00Z",
            "2026-11-30T19:24:00Z",
        ],
        // Both passes of an hour.
        [
            "Europe/Berlin", "2026-10-25T08:00:00Z", "02:10", "02:30", "2026-10-25T00:10:00Z",
            "2026-10-25T01:30:00Z",
        ],
        [
            "Europe/Berlin", "2026-10-25T08:00:00Z", "02:40", "02:10", "2026-10-25T00:40:00Z",
            "2026-10-25T01:10:00Z",
        ],
        // Clocks leap over both.
        [
            "Europe/Berlin", "2026-03-29T08:00:00Z", "02:10", "02:30", "2026-03-29T00:10:00Z",
            "2026-03-29T01:30:00Z",
        ],
        // Refused.
        ["UTC", "2026-11-30T20:24:00Z", "14:00", "13:00", "--until is earlier", ""],
        ["UTC", "2026-11-30T20:24:00Z", "2026-11-30", "2026-11-29", "--until is earlier", ""],
        ["UTC", "2026-11-30T20:24:00Z", "2026-02-29", "now", "is not a date", ""],
        ["UTC", "2026-11-30T20:24:00Z", "2026-11-30T10:00:60Z", "now", "is not a time of", ""],
        ["UTC", "2026-11-30T20:24:00Z", "-", "2027-12-24", "more than a year", ""],
        ["UTC", "2026-11-30T20:24:00Z", "-", "1h", "--until takes a time", ""],
    ]

    @Test func `bounds of a person are the moments that the wall clock shows`() async {
        await #expect(processExitsWith: .success) {
            var failures = 0
            for row in ZoneTests.spans {
                ZoneTests.go(to: row[0])
                let now = try #require(WallTime(row[1]))
                var found: [String]
                do throws(TimeError) {
                    let span =
                        row[2] == "-"
                        ? try TimeSpan(from: now, until: row[3])
                        : try TimeSpan(since: row[2], until: row[3], now: now)
                    found = [row[2] == "-" ? nil : span.from, span.to].map { $0?.text ?? "-" }
                } catch {
                    found = [error.description.contains(row[4]) ? row[4] : error.description, ""]
                }
                let expected = row[4...].map { WallTime($0)?.text ?? $0 }
                if found != expected {
                    failures += 1
                    print("\(row): \(found)")
                }
            }
            exit(failures == 0 ? 0 : 1)
        }
    }

    @Test func `hours of the week hold for both passes of an hour, and from the first to the last`()
        async
    {
        await #expect(processExitsWith: .success) {
            ZoneTests.go(to: "Europe/Berlin")
            var failures = 0
            func holds(_ hours: String, _ moment: String, _ expected: Bool) {
                let minute = SystemClock.weekMinute(WallTime(moment) ?? WallTime(0))
                if WeekHours(hours)?.contains(minute) != expected {
                    failures += 1
                    print("\(hours) at \(moment) is not \(expected)")
                }
            }
            // Clocks go back at 01:00 UTC on Sunday the 25th.
            for (moment, expected) in [
                ("2026-10-24T19:59:00Z", false), ("2026-10-24T20:00:00Z", true),
                ("2026-10-25T00:29:00Z", true), ("2026-10-25T00:45:00Z", true),
                ("2026-10-25T01:29:00Z", true), ("2026-10-25T01:30:00Z", false),
            ] { holds("22:00-02:30", moment, expected) }
            for (moment, expected) in [
                ("2026-10-25T00:39:00Z", false), ("2026-10-25T00:40:00Z", true),
                ("2026-10-25T01:10:00Z", true), ("2026-10-25T02:59:00Z", true),
                ("2026-10-25T03:00:00Z", false),
            ] { holds("Sun 02:40-04:00", moment, expected) }
            // They go forward at 01:00 UTC on Sunday the 29th.
            for (moment, expected) in [
                ("2026-03-29T00:29:00Z", false), ("2026-03-29T00:30:00Z", true),
                ("2026-03-29T01:00:00Z", true), ("2026-03-29T01:59:00Z", true),
                ("2026-03-29T02:00:00Z", false),
            ] { holds("Sun 02:30-04:00", moment, expected) }
            holds("02:10-02:20", "2026-03-29T01:15:00Z", true)
            // An ordinary day.
            holds("22:00-02:30", "2026-11-25T01:29:00Z", true)
            holds("22:00-02:30", "2026-11-25T01:31:00Z", false)
            exit(failures == 0 ? 0 : 1)
        }
    }
}
