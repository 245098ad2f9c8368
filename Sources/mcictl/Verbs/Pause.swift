// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Settings

/// The verb `pause`.
struct PauseVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Record nothing for a while.",
        discussion: """
            The pause is in force, and on disk, before this command ends. It outlasts restarts and
            holds also when mcid is not running now. Without a duration it lasts until you resume.

            EXAMPLES
              mcictl pause 30m
              mcictl pause --until 15:00
              mcictl pause --until "tomorrow 09:00"
              mcictl pause --since 5m       also erase the last five minutes
            """
    )

    @Argument(help: "How long, with a unit: 90s, 30m, 1h30, 2 hours, 1d.")
    var duration: [String] = []

    @Option(help: "Until a time: 15:00, 24:00, tomorrow 09:00, 2026-11-21 (the end of that day).")
    var until: String?

    @Option(help: "Also erase from a time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let place = Workplace()
        let now = place.now
        guard duration.isEmpty || until == nil else {
            throw Failure("Give a duration or --until, not both.", code: Failure.usage)
        }
        let words = duration.joined(separator: " ")
        let length = try duration.isEmpty ? nil : TimeText.duration(words)
        let end = try until.flatMap { try TimeText.span(from: now.wall, until: $0).to }
        let past = try since.map { try self.length(since: $0, now.wall) }
        let request = ControlCall.PauseCall(
            seconds: length.map { Int(($0 + 999) / 1000) },
            until: end?.text,
            forgetSeconds: past.map { Int(($0 + 999) / 1000) }
        )
        let asked = length ?? end.map { $0.milliseconds - now.wall.milliseconds }
        // A policy that cannot be used records nothing anyway.
        let policy = (try? place.paths.policy.read()) ?? nil
        let milliseconds = policy.map { $0.capped(pause: asked) } ?? asked
        let pause = Term(from: now, length: milliseconds, bootID: SystemClock.bootID())
        let reply = try place.change(.pause(request)) { $0.pause = pause }
        var erased = reply?.erased ?? 0
        if reply == nil, let past {
            let from = now.wall.milliseconds - past
            let stretch = from...max(from, now.wall.milliseconds)
            erased = try Forgetting(place).withoutDaemon(.stretch(stretch), dryRun: false)
        }
        try tell(reply, pause, erased, now.wall)
        if milliseconds != asked {
            Terminal.tell("That is the most the policy allows at once; you may pause again then.")
            Terminal.tell("  Without an end: mcictl exempt add --everything")
        }
    }

    /// How much of the past is to be erased.
    private func length(since text: String, _ now: WallTime) throws -> Int64 {
        let start = try TimeText.span(since: text, until: nil, now: now).from ?? now
        guard start < now, now.milliseconds - start.milliseconds <= 366 * 86_400_000 else {
            throw Failure(
                "“\(text)” is not a time within the last year. To erase more: mcictl forget --all",
                code: Failure.usage
            )
        }
        return now.milliseconds - start.milliseconds
    }

    private struct Answer: Encodable {
        var schema = 1
        var state = "paused"
        var since: String
        var until: String?
        var by = "user"
        var erasedBatches: Int
        var daemonRunning: Bool

        enum CodingKeys: CodingKey {
            case schema, state, since, until, by, erasedBatches, daemonRunning
        }

        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(schema, forKey: .schema)
            try fields.encode(state, forKey: .state)
            try fields.encode(since, forKey: .since)
            try fields.encode(until, forKey: .until)
            try fields.encode(by, forKey: .by)
            try fields.encode(erasedBatches, forKey: .erasedBatches)
            try fields.encode(daemonRunning, forKey: .daemonRunning)
        }
    }

    private func tell(
        _ reply: ControlReply?,
        _ pause: Term,
        _ erased: Int,
        _ now: WallTime
    ) throws {
        let until = reply?.status.map(\.until) ?? pause.until
        if json {
            return try Terminal.printJSON(
                Answer(
                    since: reply?.status?.since ?? pause.since,
                    until: until,
                    erasedBatches: erased,
                    daemonRunning: reply != nil
                )
            )
        }
        let end = until.flatMap { WallTime($0) }.map { TimeText.short($0, now: now) }
        if reply?.wasPaused == true {
            let before = reply?.previousUntil.flatMap { WallTime($0) }
                .map { "until \(TimeText.short($0, now: now))" }
            let after = end.map { "until \($0)" } ?? "until you resume"
            Terminal.print("Already paused \(before ?? "until you resume"). Now \(after).")
        } else {
            let last = reply?.status?.lastStored.flatMap { WallTime($0) }
                .map { " Last stored event: \(TimeText.exact($0))." }
            let until = end.map { "until \($0)" } ?? "until you resume"
            Terminal.print("Paused \(until).\(last ?? "") Resume: mcictl resume")
        }
        if since != nil { Terminal.print("Erased \(TimeText.count(erased, "batch", "batches")).") }
        if reply?.pending == true {
            Terminal.tell(
                "A program is reading the ring: traces remain until it ends. See mcictl status."
            )
        }
        if reply == nil, !Workplace().isDaemonAlive() {
            Terminal.tell("mcid is not running; the pause holds when it starts.")
        }
    }
}

/// The verb `resume`.
struct ResumeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End a pause.",
        discussion: """
            EXAMPLES
              mcictl resume
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let place = Workplace()
        let wasPaused = (try? ControlsFile(place.paths).read().pause) != nil
        let reply = try place.change(.resume) { $0.pause = nil }
        if let status = reply?.status {
            if json { return try Terminal.printJSON(status) }
            if !wasPaused { Terminal.tell("There was no pause.") }
            Terminal.print(StatusText.lines(status, place.now.wall)[0])
        } else {
            if json { return try Terminal.printJSON(["state": "not-running"]) }
            let what = wasPaused ? "The pause is ended." : "There was no pause."
            Terminal.print("\(what) mcid is not running, so nothing is recorded.")
            Terminal.tell("  Start: \(Workplace.startCommand)")
        }
    }
}
