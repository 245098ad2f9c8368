// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Files
import Settings
import Storage

/// The verb `forget`.
struct ForgetVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Erase what was recorded, for good.",
        discussion: """
            Whole batches are erased, those that may touch the stretch of time: up to two minutes
            more on either side. When this command ends they are overwritten in every file.

            EXAMPLES
              mcictl forget --last 15m
              mcictl forget --since 14:00 --until 14:30
              mcictl forget --all --yes
            """
    )

    @Option(help: "Erase this much of the past: 15m, 2h, 1d.")
    var last: String?

    @Option(help: "From a time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to a time.")
    var until: String?

    @Flag(help: "Erase everything.")
    var all = false

    @Flag(help: "Erase without being asked.")
    var yes = false

    @Flag(help: "Only say what would be erased.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        var schema = 1
        var batches: Int
        var dryRun: Bool
        var pending: Bool
    }

    func run() throws {
        let place = Workplace()
        let ways = [last != nil, since != nil || until != nil, all].filter(\.self).count
        guard ways == 1 else {
            throw Failure(
                "Say what to erase: --last, --since and --until, or --all.",
                next: "mcictl forget --help",
                code: Failure.usage
            )
        }
        var range = try place.range(since: since, until: until)
        if let last {
            let start = place.now.wall.milliseconds - (try TimeText.duration(last))
            range = start...max(start, place.now.wall.milliseconds)
        }
        let forgetting = Forgetting(place)
        let count = try forgetting.erase(range, dryRun: true).batches
        let hasSetAside = Disk.exists(place.paths.ring + Ring.setAsideSuffix)
        if dryRun || (count == 0 && !hasSetAside) {
            return try tell(count, pending: false, dryRun: dryRun)
        }
        if hasSetAside { Terminal.tell("The damaged ring that was set aside goes with it.") }
        if !yes {
            let what =
                "\(count) sealed \(count == 1 ? "batch" : "batches")\(scope(range, place.now.wall))"
            guard try Terminal.ask("Erase \(what) for good?", script: "--yes") else {
                Terminal.tell("Nothing was changed.")
                return
            }
        }
        let (erased, pending) = try forgetting.erase(range, dryRun: false)
        try tell(erased, pending: pending, dryRun: false)
    }

    private func scope(_ range: ClosedRange<Int64>, _ now: WallTime) -> String {
        if all { return "" }
        let from = range.lowerBound > 0 ? TimeText.short(WallTime(range.lowerBound), now: now) : "…"
        let to =
            WallTime(range.upperBound) < now
            ? TimeText.short(WallTime(range.upperBound), now: now) : "now"
        return " (\(from)–\(to))"
    }

    private func tell(_ count: Int, pending: Bool, dryRun: Bool) throws {
        if json {
            return try Terminal.printJSON(Answer(batches: count, dryRun: dryRun, pending: pending))
        }
        if count == 0 { return Terminal.print("Nothing is recorded there.") }
        if dryRun {
            return Terminal.print("Would erase \(TimeText.count(count, "batch", "batches")).")
        }
        Terminal.print("Erased \(TimeText.count(count, "batch", "batches")).")
        if pending {
            Terminal.tell(
                "A program is reading the ring: traces remain until it ends. See mcictl status."
            )
        }
    }
}

/// Erases by the daemon, or without it while it is down.
struct Forgetting {
    private let place: Workplace

    init(_ place: Workplace) {
        self.place = place
    }

    /// Erases the batches that touch a stretch of wall time.
    func erase(_ range: ClosedRange<Int64>, dryRun: Bool) throws -> (batches: Int, pending: Bool) {
        let call = ControlCall.ForgetCall(
            since: range.lowerBound > 0 ? WallTime(range.lowerBound).text : nil,
            until: range.upperBound < Int64.max / 4 ? WallTime(range.upperBound).text : nil,
            dryRun: dryRun
        )
        if let reply = try place.call(.forget(call)) {
            return (reply.batches ?? 0, reply.pending ?? false)
        }
        return (try withoutDaemon(range, dryRun: dryRun), false)
    }

    /// Does the same on the ring itself, under the lock that keeps a daemon from starting.
    func withoutDaemon(_ range: ClosedRange<Int64>, dryRun: Bool) throws -> Int {
        guard Disk.exists(place.paths.ring) else { return 0 }
        guard let lock = try FileLock.take(place.paths.daemonLock, waits: false) else {
            throw Failure(
                "mcid holds the ring but does not answer. Nothing was changed.",
                next: "systemctl --user restart mcid",
                code: Failure.unavailable
            )
        }
        let ring = try Ring(path: place.paths.ring)
        let batches = ring.batches(touching: range)
        if !dryRun {
            if !batches.isEmpty { try ring.erase(batches) }
            _ = Ring.eraseSetAside(place.paths.ring)
        }
        _ = consume lock
        return batches.count
    }
}
