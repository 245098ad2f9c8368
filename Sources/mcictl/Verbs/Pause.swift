// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Person
import Policy

/// The verb `pause`.
struct PauseVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Record nothing for a while.",
        discussion: """
            The pause is in force, and on disk, before this command ends. It survives restarts and \
            also holds while mcid is not running. Without a duration, it lasts until you resume. \
            With --since it then asks whether to erase; if you answer no, the pause stays.

            EXAMPLES
              mcictl pause 30m
              mcictl pause --until 15:00
              mcictl pause --until "tomorrow 09:00"
              mcictl pause --since 5m       also erase the last five minutes; asks
              mcictl pause --since 14:05 --yes
            """
    )

    @Argument(help: "How long, with a unit: 90s, 30m, 1h30, 2 hours, 1d.")
    var duration: [String] = []

    @Option(help: "Until a time: 15:00, 24:00, tomorrow 09:00, 2026-11-21 (the end of that day).")
    var until: String?

    @Option(help: "Then also erase from this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Flag(help: "Erase without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let installation = Installation()
        let now = installation.now
        guard duration.isEmpty || until == nil else {
            throw Failure("Give a duration or --until, not both.", code: Failure.usage)
        }
        let words = duration.joined(separator: " ")
        let length = try duration.isEmpty ? nil : TimeText.duration(words)
        let end = try until.flatMap { try TimeText.span(from: now.wall, until: $0).to }
        let past = try since.map { try beginning($0, installation) }
        guard past != nil || !yes else {
            throw Failure(
                "--yes only goes with --since: a pause by itself asks nothing.",
                code: Failure.usage
            )
        }
        let request = ControlCall.PauseCall(
            seconds: length.map { Int(($0 + 999) / 1000) },
            until: end?.text
        )
        let asked = length ?? end.map { $0.milliseconds - now.wall.milliseconds }
        let (reply, pause, milliseconds) = try installation.pause(request, length: asked)
        if !json { report(reply, pause, now.wall) }
        if milliseconds != asked {
            Terminal.report(
                "That is the longest pause the policy allows; you can pause again when it ends."
            )
            Terminal.report("  With no end date: mcictl exempt add --everything")
        }
        var erased = 0
        var isUnanswered = false
        if let past {
            // Up to the moment at which recording stopped.
            let stretch = past...max(past, SystemClock.now().wall.milliseconds)
            (erased, isUnanswered) = try erase(stretch, installation)
        }
        if json { try printJSON(reply, pause, erased) }
        if isUnanswered {
            throw Failure(
                "The pause is in force. Nothing was erased: that asks a question, and there is no"
                    + " terminal to ask on.",
                next: "mcictl forget --since \(Terminal.shellWord(since ?? "")) --yes",
                code: Failure.refused
            )
        }
    }

    /// The time from which to erase, as in every `--since`.
    private func beginning(_ since: String, _ installation: Installation) throws -> Int64 {
        let from = try installation.range(since: since, until: nil).lowerBound
        guard from <= installation.now.wall.milliseconds else {
            throw Failure("“\(since)” is in the future.", code: Failure.usage)
        }
        return from
    }

    /// Asks, and erases; the pause is already in force.
    ///
    /// - Returns: how many batches were erased, and whether there was nobody to ask.
    private func erase(_ stretch: ClosedRange<Int64>, _ installation: Installation) throws -> (
        Int, Bool
    ) {
        let forgetting = Eraser(installation)
        let count = try forgetting.erase(.stretch(stretch), dryRun: true).batches
        let batches = TimeText.count(count, "batch", "batches")
        guard count > 0 else {
            Terminal.report("Nothing was recorded since then, so there is nothing to erase.")
            return (0, false)
        }
        if !yes {
            guard Terminal.canAsk else { return (0, true) }
            let from = TimeText.short(WallTime(stretch.lowerBound), now: installation.now.wall)
            let question = "Permanently erase what was recorded since \(from) (\(batches))?"
            guard try Terminal.ask(question, script: "--yes") else {
                Terminal.report("Nothing was erased. The pause is in force.")
                return (0, false)
            }
        }
        let (erased, pending) = try forgetting.erase(.stretch(stretch), dryRun: false)
        if !json { Terminal.print("Erased \(TimeText.count(erased, "batch", "batches")).") }
        if pending {
            Terminal.report(
                "A program is reading the ring: traces remain until it ends. See: mcictl status"
            )
        }
        return (erased, false)
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

    private func printJSON(_ reply: ControlReply?, _ pause: TimeLimit, _ erased: Int) throws {
        try Terminal.printJSON(
            Answer(
                since: reply?.status?.since ?? pause.since,
                until: reply?.status.map(\.until) ?? pause.until,
                erasedBatches: erased,
                daemonRunning: reply != nil
            )
        )
    }

    private func report(_ reply: ControlReply?, _ pause: TimeLimit, _ now: WallTime) {
        let until = reply?.status.map(\.until) ?? pause.until
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
        if reply == nil, !Installation().isDaemonAlive() {
            Terminal.report("mcid is not running; the pause will hold when it starts.")
        }
    }
}

extension Installation {
    /// Pauses for as long as the policy allows, whether or not mcid runs.
    ///
    /// - Parameters:
    ///   - request: what mcid is asked for.
    ///   - asked: the same length in milliseconds; nil for a pause without end.
    /// - Returns: mcid's answer, the pause and its length; the answer is nil when mcid is down.
    /// - Throws: as ``change(_:_:)``.
    func pause(
        _ request: ControlCall.PauseCall,
        length asked: Int64?
    ) throws -> (reply: ControlReply?, pause: TimeLimit, length: Int64?) {
        // A policy that cannot be used records nothing anyway.
        let policy = (try? paths.policy.read()) ?? nil
        let length = policy.map { $0.capped(pause: asked) } ?? asked
        let pause = TimeLimit(from: now, length: length, bootID: SystemClock.bootID())
        return (try change(.pause(request)) { $0.pause = pause }, pause, length)
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

    private struct NotRunning: Encodable {
        var schema = 1
        var state = "not-running"
    }

    func run() throws {
        let installation = Installation()
        let wasPaused = (try? ControlsFile(installation.paths).read().pause) != nil
        let reply = try installation.change(.resume) { $0.pause = nil }
        if let status = reply?.status {
            if json { return try Terminal.printJSON(status) }
            if !wasPaused { Terminal.report("There was no pause.") }
            Terminal.print(StatusText.lines(status, installation.now.wall)[0])
        } else {
            if json { return try Terminal.printJSON(NotRunning()) }
            let what = wasPaused ? "The pause has ended." : "There was no pause."
            Terminal.print("\(what) mcid is not running, so nothing is recorded.")
            Terminal.report("  Start: \(Installation.startCommand)")
        }
    }
}
