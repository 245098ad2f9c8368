// SPDX-License-Identifier: Apache-2.0

import Events
import Foundation
import Testing

/// The person's times in the commands that erase, show and pause, on days when clocks change.
@Suite struct TimeCommandTests {
    /// Runs mcictl when the local clock of a zone shows a time.
    private func command(
        _ folder: TemporaryFolder,
        _ zone: String,
        _ now: String,
        _ arguments: String...
    ) throws -> Program.Result {
        var environment = folder.environment
        environment["TZ"] = zone
        environment["LD_PRELOAD"] = try Program.faketime()
        environment["DONT_FAKE_MONOTONIC"] = "1"
        environment["FAKETIME"] = "@\(now)"
        // Through another program: the first one that libfaketime is loaded into loses its arguments.
        return try Program.run(
            "env",
            [try #require(Program.path("mcictl"))] + arguments,
            environment: environment
        )
    }

    /// A ring with a movement at each of some moments.
    private func ring(_ moments: String...) throws -> SyntheticRing {
        let ring = try SyntheticRing()
        for text in moments {
            let moment = try #require(WallTime(text)).milliseconds - SyntheticRing.origin
            try ring.put(minute: moment / 60_000, header: "Editor", times: [0])
        }
        return ring
    }

    /// The moments of the movements that are shown.
    private func shown(_ result: Program.Result) -> [String] {
        result.objects.filter { $0["type"] as? String == "motion" }
            .compactMap { ($0["time"] as? String).map { String($0.prefix(16)) } }
    }

    @Test func `of an hour that comes twice both passes are shown and erased, and it is said`()
        throws
    {
        // 02:20 CEST and 02:20 CET; an hour before and after them.
        let ring = try ring(
            "2027-10-30T23:20:00Z",
            "2027-10-31T00:20:00Z",
            "2027-10-31T01:20:00Z",
            "2027-10-31T02:20:00Z"
        )
        func run(_ verb: String, _ more: String = "--json") throws -> Program.Result {
            try command(
                ring.folder,
                "Europe/Berlin",
                "2027-10-31 09:00:00",
                verb,
                "--since",
                "02:10",
                "--until",
                "02:30",
                more
            )
        }
        let notes = """
            note: On 2027-10-31, clocks show 02:10 twice; the first one counts (CEST).
            note: On 2027-10-31, clocks show 02:30 twice; the second one counts (CET).

            """
        let log = try run("log")
        #expect(shown(log) == ["2027-10-31T00:20", "2027-10-31T01:20"])
        #expect(log.errors.hasPrefix(notes), "\(log.errors)")
        #expect(try shown(run("export")) == ["2027-10-31T00:20", "2027-10-31T01:20"])
        let forget = try run("forget", "--yes")
        #expect(forget.output == "Erased 2 batches.\n", "\(forget.errors)")
        #expect(forget.errors.hasPrefix(notes), "\(forget.errors)")
        let rest = try Program.run("mcictl", ["export"], environment: ring.folder.environment)
        #expect(shown(rest) == ["2027-10-30T23:20", "2027-10-31T02:20"])
    }

    @Test func `a date is the local one, far from Greenwich`() throws {
        let ring = try ring("2027-11-28T20:07:00Z", "2027-11-29T20:07:00Z", "2027-11-30T20:07:00Z")
        for (since, until) in [
            ("2027-11-30 09:04", "2027-11-30 09:11"), ("2027-11-30 09:04", "09:11"),
            ("09:04", "09:11"), ("2027-11-30", "2027-11-30"), ("today", "now"),
        ] {
            let result = try command(
                ring.folder,
                "Pacific/Auckland",
                "2027-11-30 14:00:00",
                "export",
                "--since",
                since,
                "--until",
                until
            )
            #expect(shown(result) == ["2027-11-29T20:07"], "\(since) \(until) \(result.errors)")
        }
    }

    @Test func `both bounds are of one night`() throws {
        let ring = try ring("2027-11-28T23:05:00Z", "2027-11-29T09:00:00Z", "2027-11-29T20:00:00Z")
        let result = try command(
            ring.folder,
            "UTC",
            "2027-11-29 20:24:00",
            "forget",
            "--since",
            "23:00",
            "--until",
            "23:10",
            "--yes"
        )
        #expect(result.output == "Erased 1 batch.\n", "\(result.errors)")
        let rest = try Program.run("mcictl", ["export"], environment: ring.folder.environment)
        #expect(shown(rest) == ["2027-11-29T09:00", "2027-11-29T20:00"])
    }

    @Test(arguments: [
        ("Europe/Berlin", "2026-10-24 22:00:00", "07:00", "2026-10-25T06:00:00.000Z"),
        ("Europe/Berlin", "2026-03-28 22:00:00", "07:00", "2026-03-29T05:00:00.000Z"),
        ("Europe/Berlin", "2026-10-24 22:00:00", "24:00", "2026-10-24T22:00:00.000Z"),
        ("Europe/Berlin", "2026-10-24 22:00:00", "tomorrow 09:00", "2026-10-25T08:00:00.000Z"),
        ("Europe/Berlin", "2026-10-24 22:00:00", "2026-10-25 02:30", "2026-10-25T01:30:00.000Z"),
        ("America/New_York", "2026-10-31 22:00:00", "07:00", "2026-11-01T12:00:00.000Z"),
        ("Australia/Lord_Howe", "2026-04-04 22:00:00", "07:00", "2026-04-04T20:30:00.000Z"),
    ])
    func `a pause ends when the wall clock shows its end`(
        zone: String,
        now: String,
        until: String,
        end: String
    ) throws {
        let folder = try TemporaryFolder()
        let result = try command(folder, zone, now, "pause", "--until", until, "--json")
        #expect(result.json["until"] as? String == end, "\(result.errors)")
    }

    @Test func `a pause erases from a time on, in the words of every other command`() throws {
        for (since, left) in [("10m", 2), ("20:00", 2), ("2027-11-29 08:00", 1), ("yesterday", 0)] {
            let ring = try ring(
                "2027-11-28T23:05:00Z",
                "2027-11-29T09:00:00Z",
                "2027-11-29T20:20:00Z"
            )
            let result = try command(
                ring.folder,
                "UTC",
                "2027-11-29 20:24:00",
                "pause",
                "--since",
                since,
                "--yes"
            )
            #expect(result.code == 0, "\(result.errors)")
            let rest = try Program.run("mcictl", ["export"], environment: ring.folder.environment)
            #expect(shown(rest).count == left, "\(since): \(result.output)\(result.errors)")
        }
    }

    @Test(arguments: [
        (["set", "ring-size", "32M"], "The ring may use 32 MiB.\n"),
        (["set", "ring-size", "1536M"], "The ring may use 1.5 GiB.\n"),
        (["set", "free-space", "2G"], "2 GiB of disk is kept free.\n"),
        (["set", "free-space", "1024T"], "1024 TiB of disk is kept free.\n"),
        (["set", "free-space", "900K"], "900 KiB of disk is kept free.\n"),
        (["set", "retention", "3653d"], "Recordings are erased after 3653 d 0 h.\n"),
        (["set", "free-space", "1000000T"], ""), (["set", "free-space", "1025T"], ""),
        (["set", "free-space", "999999999T"], ""), (["set", "retention", "3654d"], ""),
        (["set", "ring-size", "65G"], ""),
    ])
    func `a size or a time is said as it was chosen, or refused before it is stored`(
        arguments: [String],
        output: String
    ) throws {
        let folder = try TemporaryFolder()
        let result = try Program.run("mcictl", arguments, environment: folder.environment)
        #expect(result.output == output, "\(result.errors)")
        #expect(result.code == (output.isEmpty ? 64 : 0))
        if output.isEmpty { #expect(folder.files().isEmpty && !result.errors.isEmpty) }
    }
}
