// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Person
import Replay
import System

/// The verb `replay`.
struct ReplayVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Play an export into a private X server.",
        discussion: """
            The file is a JSON Lines export. It is played with XTEST into an Xvfb, or an Xorg with \
            the dummy driver: never into the display you work at, and never into one that mcid \
            records. Keys are found by what they typed, wherever the other keyboard has them. A key \
            that was recorded by class only is played as a placeholder: a letter, a digit or a sign. \
            Focus changes and gaps are not played; a gap lasts at most a second.

            EXAMPLES
              Xvfb :7 &
              mcictl export --since 10m > events.jsonl
              mcictl replay events.jsonl --display :7
              mcictl replay events.jsonl --display :7 --speed max --skip-text
            """
    )

    @Argument(help: "A JSON Lines export.", completion: .file(extensions: ["jsonl"]))
    var file: String

    @Option(help: "The private display, such as :7.")
    var display: String

    @Option(help: "The speed as a multiple of the recorded one, or max.")
    var speed = "1"

    @Flag(help: "Leave out keys that were recorded by class only.")
    var skipText = false

    @Flag(
        help: "Allow a display that the mcid of another home records; never one of your own mcid."
    )
    var recordAgain = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let factor = try pace()
        let installation = Installation()
        let interruption = SignalWaiter()
        do {
            let performance = try ReplayFile(file)
            let target = try Target(
                display,
                host: CurrentProcess.hostName,
                environment: CurrentProcess.environment(),
                ownDaemon: ownDaemon(installation),
                mayBeRecorded: recordAgain
            )
            var player = try Player(target, skipsText: skipText)
            try player.prepare(performance.summary.keys)
            player.waitUntilKnown(or: interruption)
            let bar = ProgressBar("Replaying")
            defer { bar.end() }
            try performance.play(
                into: target,
                speed: factor,
                with: &player,
                until: interruption
            ) { bar.show($0, of: performance.summary.events) }
            bar.end()
            try report(player.summary)
        } catch let error as ReplayError {
            throw failure(error)
        }
        guard let signal = interruption.signal else { return }
        Terminal.report("Stopped early; every key and button was released.")
        throw ExitCode(128 + signal)
    }

    /// The speed; nil for as fast as possible.
    private func pace() throws -> Double? {
        if speed == "max" { return nil }
        guard let factor = Double(speed), factor.isFinite, (0.01...1000).contains(factor) else {
            throw Failure(
                "“\(Terminal.printable(speed))” is not a speed.",
                next: "--speed 2, from 0.01 to 1000, or --speed max",
                code: Failure.usage
            )
        }
        return factor
    }

    /// The process id of this home's mcid, if it runs.
    private func ownDaemon(_ installation: Installation) -> Int32? {
        guard installation.isDaemonAlive(),
            let bytes = try? Disk.read(installation.paths.daemonLock)
        else {
            return nil
        }
        return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    private struct Answer: Encodable {
        var schema = 1
        var played: Int
        var placeholders: Int
        var skippedKeys: Int
        var runs: Int
        var unmapped: Int
        var unknown: Int
    }

    private func report(_ summary: Player.Summary) throws {
        if json {
            return try Terminal.printJSON(
                Answer(
                    played: summary.played,
                    placeholders: summary.placeholders,
                    skippedKeys: summary.skippedKeys,
                    runs: summary.runs,
                    unmapped: summary.unmapped,
                    unknown: summary.unknown
                )
            )
        }
        func keys(_ count: Int) -> String { TimeText.count(count, "key", "keys") }
        let events = TimeText.count(summary.played, "event", "events")
        Terminal.print("Played \(events) into \(display).")
        if summary.placeholders > 0 {
            Terminal.report(
                "\(keys(summary.placeholders)) recorded by class only: placeholders were played."
            )
        }
        if summary.skippedKeys > 0 {
            Terminal.report("\(keys(summary.skippedKeys)) recorded by class only: left out.")
        }
        if summary.runs > 0 {
            Terminal.report(EventText.leftOut(runs: summary.runs))
        }
        if summary.unmapped > 0 {
            Terminal.report(
                "\(keys(summary.unmapped)) that do not fit on the display's keyboard: left out."
            )
        }
        if summary.unknown > 0 {
            let lines = TimeText.count(summary.unknown, "line", "lines")
            Terminal.report("\(lines) of kinds that cannot be played: left out.")
        }
    }

    private func failure(_ error: ReplayError) -> Failure {
        let isRefused = [.ownDisplay, .recorded, .recordedHere, .inhabited].contains(error.code)
        let next =
            switch error.code {
            case .badDisplay, .ownDisplay, .recordedHere, .inhabited, .unsuitable, .unreachable:
                "Xvfb :7 & mcictl replay FILE --display :7"
            case .recorded: "mcictl pause in that home, or --record-again if that is what you want"
            case .lost: "start the display again, then the same command"
            case .badFile: "mcictl export > events.jsonl"
            }
        return Failure(
            Terminal.printable(error.description),
            next: next,
            code: isRefused
                ? Failure.refused : error.code == .badDisplay ? Failure.usage : Failure.failed
        )
    }
}
