// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Person
import Policy
import Storage

/// The verb `set ring-size`.
struct RingSizeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring-size",
        abstract: "Choose how much disk space the recording may use.",
        discussion: """
            All its files together never take more. A larger ring grows at once; a smaller one keeps \
            as many of the newest batches as fit.

            EXAMPLES
              mcictl set ring-size 64M      about 24 working days; the default
              mcictl set ring-size 1G
            """
    )

    @Argument(help: "A size with its unit, from 3M to 64G.")
    var size: String

    @Flag(help: "Make it smaller without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let bytes = try SizeText.bytes(size)
        guard SettingRanges.ringSizes.contains(bytes) else {
            throw Failure("The ring size must be from 3M to 64G.", code: Failure.usage)
        }
        let installation = Installation()
        let now = try installation.call(.getStatus)?.status?.ring
        if let now, now.batches > RingFormat.slots(cap: bytes), !yes {
            let lost = now.batches - RingFormat.slots(cap: bytes)
            let what = TimeText.count(lost, "batch does", "batches do")
            guard
                try Terminal.ask(
                    "The oldest \(what) not fit and would be erased. Continue?",
                    script: "--yes"
                )
            else {
                Terminal.report("Nothing was changed.")
                return
            }
        }
        let (settings, isRunning) = try installation.change { $0.ringSize = bytes }
        if json { return try Terminal.printJSON(settings) }
        Terminal.print("The ring may use \(SizeText.words(bytes)).")
        EffectiveSetting.reportCeiling("ring-size", settings, installation)
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }
}

/// The verb `set retention`.
struct RetentionVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Choose when recorded data is erased.",
        discussion: """
            Whatever is older is overwritten at once, and later within a minute of reaching that age.

            EXAMPLES
              mcictl set retention 7d       the default
              mcictl set retention 12h
            """
    )

    @Argument(help: "A duration from 1m to 3653d.")
    var length: String

    @Flag(help: "Shorten it without being asked.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let maxDays = Int64(SettingRanges.retentions.upperBound / 86_400)
        let milliseconds = try TimeText.duration(length, maximum: maxDays)
        let seconds = Int(milliseconds / 1000)
        guard SettingRanges.retentions.contains(seconds) else {
            throw Failure("The shortest retention is 1m.", code: Failure.usage)
        }
        let installation = Installation()
        let oldest = try installation.call(.getStatus)?.status?.ring.oldest.flatMap { WallTime($0) }
        let limit = installation.now.wall.milliseconds - milliseconds
        if let oldest, oldest.milliseconds <= limit, !yes {
            let age = TimeText.length(installation.now.wall.milliseconds - oldest.milliseconds)
            let question =
                "The ring goes back \(age); whatever is older than \(length) is erased. Continue?"
            guard try Terminal.ask(question, script: "--yes") else {
                Terminal.report("Nothing was changed.")
                return
            }
        }
        let (settings, isRunning) = try installation.change { $0.retention = seconds }
        if json { return try Terminal.printJSON(settings) }
        Terminal.print("Recordings are erased after \(TimeText.length(milliseconds)).")
        EffectiveSetting.reportCeiling("retention", settings, installation)
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }
}

/// The verb `set free-space`.
struct FreeSpaceVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "free-space",
        abstract: "Choose how much disk space is kept free.",
        discussion: """
            With less free space, nothing is recorded, and status says so. The default is 500 MiB, or \
            5 % of a disk smaller than 10 GB.

            EXAMPLES
              mcictl set free-space 2G
              mcictl set free-space 0
            """
    )

    @Argument(help: "A size with its unit, up to 1024T, or 0.")
    var size: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let bytes = size == "0" ? 0 : try SizeText.bytes(size)
        guard SettingRanges.freeSpaces.contains(Int64(bytes)) else {
            throw Failure(
                "No disk has that much space: with \(size), nothing would be recorded. The maximum is 1024T.",
                code: Failure.usage
            )
        }
        let installation = Installation()
        let (settings, isRunning) = try installation.change { $0.freeSpace = Int64(bytes) }
        if json { return try Terminal.printJSON(settings) }
        let words =
            bytes == 0
            ? "Free space is not checked." : "\(SizeText.words(bytes)) of disk is kept free."
        Terminal.print(words)
        if !isRunning { Terminal.report("mcid is not running; this takes effect when it starts.") }
    }
}
