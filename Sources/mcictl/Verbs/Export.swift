// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Events
import Export
import Packing
import Report
import System
import Timeline

/// The verb `export`.
struct ExportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the recording, unencrypted, as JSON Lines, CSV, Parquet and more.",
        usage: """
            mcictl export [--since <time>] [--until <time>] [--format <format>] [--out <file>]
                          [--demonstration <name>] [--human-only] [--ring <file>] [--json]
            """,
        discussion: """
            Writes to standard output (also --out -), or with --out to a file that appears once it is \
            complete; a FIFO or terminal is written to directly. Parquet is written by Python's pyarrow \
            (python3 -m pip install pyarrow), which reads the events from a pipe; it needs a file. In \
            CSV, a text that a spreadsheet would take for a formula begins with an apostrophe. For other \
            tools, ducktrack is the events.jsonl of DuckTrack, and libinput is the YAML of libinput \
            record, with the key codes of a US keyboard. Whatever these formats cannot express is left \
            out, and this command says so. Events made by programs (XTEST: xdotool, x11vnc, Barrier, \
            password managers that type) have the field injected; --human-only leaves them out. With --out \
            events.csv, it also writes events.quality.json: how much time was recorded, how much was not \
            and why, and other facts about quality.

            EXAMPLES
              mcictl export > events.jsonl
              mcictl export --since 2h --until 1h --out hour.csv
              mcictl export --format parquet --out events.parquet
              mcictl export --format libinput --out recording.yml
              mcictl export --human-only --out hands.jsonl
            """
    )

    /// The formats, by their names.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case jsonl
        case csv
        case parquet
        case ducktrack
        case libinput

        /// Its file name endings.
        var endings: [String] {
            switch self {
            case .jsonl: ["jsonl", "ndjson"]
            case .csv: ["csv"]
            case .parquet: ["parquet"]
            case .ducktrack: ["jsonl", "ndjson", "ducktrack"]
            case .libinput: ["yml", "yaml", "libinput"]
            }
        }
    }

    @Option(help: "From this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to this time.")
    var until: String?

    @Option(help: "Only what was recorded in the demonstrations of this name.")
    var demonstration: String?

    @Option(help: "Read this ring file, which an earlier version wrote.", completion: .file())
    var ring: String?

    @Option(help: "jsonl, csv, parquet, ducktrack or libinput; by default as --out ends, or jsonl.")
    var format: Format?

    @Option(
        help: "The file to write; an existing one is replaced once the new one is complete.",
        completion: .file()
    )
    var out: String?

    @Flag(help: "Leave out events made by programs, and say how many.")
    var humanOnly = false

    @Flag(help: "The same as --format jsonl.")
    var json = false

    /// The format given by name or by the ending of the file; the two must agree.
    private func chosenFormat() throws -> Format {
        if json, let format, format != .jsonl {
            throw Failure(
                "Give --json or --format \(format.rawValue), not both.",
                code: Failure.usage
            )
        }
        let named = json ? .jsonl : format
        let file = out.flatMap { OutFile.isStream($0) ? nil : $0 }?.split(separator: "/").last
        guard let file, let dot = file.lastIndex(of: "."), dot != file.startIndex else {
            return named ?? .jsonl
        }
        let ending = file[file.index(after: dot)...].lowercased()
        let meant = Format.allCases.filter { $0.endings.contains(ending) }
        guard let named else {
            if let first = meant.first { return first }
            throw Failure(
                "“.\(ending)” is not a known format. Use .jsonl, .csv, .parquet or .yml.",
                next: "the same command with --format jsonl, csv, parquet, ducktrack or libinput",
                code: Failure.usage
            )
        }
        guard let first = meant.first, !meant.contains(named) else { return named }
        throw Failure(
            "“.\(ending)” means \(first.rawValue), but you asked for \(named.rawValue).",
            next: "--out with the ending .\(named.endings[0])",
            code: Failure.usage
        )
    }

    func run() throws {
        let installation = Installation()
        let range = try installation.range(since: since, until: until)
        let format = try chosenFormat()
        if format == .parquet, out.map(OutFile.isStream) ?? true {
            throw Failure("Parquet needs a file.", next: "--out FILE", code: Failure.usage)
        }
        let timeline = try installation.timeline(ring)
        let target = try out.map { try ExportFile($0, isParquet: format == .parquet) }
        let isOnTerminal = target?.isTerminal ?? Terminal.isResultOnTerminal
        let bar = ProgressBar("Exporting")
        let write = { (bytes: [UInt8]) in
            if let target { try target.write(bytes) } else { Terminal.write(bytes) }
        }
        let summary: TimelineReader.Summary
        var omissions = Omissions()
        // Only beside a file the quality is written.
        var tally = target?.isStream == false ? Tally(range) : nil
        do {
            switch format {
            case .jsonl:
                var lines = JSONLines(withKeys: true)
                summary = try export(timeline, range, &lines, &tally, bar, write)
            case .csv, .parquet:
                let reader = isOnTerminal ? CSV.Reader.terminal : .spreadsheet
                var lines = CSV(for: format == .parquet ? .program : reader)
                summary = try export(timeline, range, &lines, &tally, bar, write)
            case .ducktrack:
                var lines = DuckTrack()
                summary = try export(timeline, range, &lines, &tally, bar, write)
                omissions = lines.omissions
            case .libinput:
                (summary, omissions) = try exportDevices(timeline, range, &tally, bar, write)
            }
            bar.end()
            try target?.finish()
        } catch {
            bar.end()
            target?.abandon()
            throw error
        }
        if let demonstration, summary.batches == 0 {
            Terminal.report(
                "There is no demonstration “\(Terminal.printable(demonstration))” in the recording."
            )
            Terminal.report("  Next: mcictl query \"SELECT * FROM demonstrations\"")
        }
        if let out {
            Terminal.report("\(TimeText.count(summary.events, "event", "events")) in \(out)")
            if let tally { try writeQuality(tally.facts(summary), beside: out) }
        }
        report(omissions, format)
        reportInjected(summary)
        warn(about: summary)
    }

    /// Writes the quality of the data into a file of its own: `events.quality.json`.
    private func writeQuality(_ facts: RecordingFacts, beside out: String) throws {
        let name = out.split(separator: "/").last ?? ""
        let dot = name.lastIndex(of: ".").flatMap { $0 > name.startIndex ? $0 : nil }
        let ending = dot.map { name[$0...].count } ?? 0
        let path = out.dropLast(ending) + ".quality.json"
        if Disk.exists(String(path)), !Self.isQuality(String(path)) {
            let shown = Terminal.printable(String(path))
            return Terminal.report(
                "\(shown) is a file of yours: the quality was not written there."
            )
        }
        do {
            try OutFile.write(try Terminal.json(Quality(facts)), to: String(path))
        } catch {
            throw Failure("\(path) cannot be written (\(error)). The events are in \(out).")
        }
        Terminal.report(
            "Their quality as training data: \(Terminal.printable(String(path)))"
        )
    }

    /// Whether a file is one that an earlier export wrote, which may be replaced.
    private static func isQuality(_ path: String) -> Bool {
        guard let bytes = try? Disk.read(path) else { return false }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasPrefix("{\"batches\":") && text.contains("\"clockSteps\":")
    }

    /// Writes one device after another, reading the recording once for each: the format requires that
    /// order, and this keeps no events in memory.
    private func exportDevices(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ tally: inout Tally?,
        _ bar: ProgressBar,
        _ write: ([UInt8]) throws -> Void
    ) throws -> (TimelineReader.Summary, Omissions) {
        var found = Libinput.Summary()
        let summary = try timeline.read(
            range,
            onlyHuman: humanOnly,
            where: isWanted,
            onBatch: { tally?.begin($0) },
            { event in
                found.take(event)
                tally?.take(event)
                return true
            }
        )
        // Leaves out events that are recorded meanwhile: each reading covers the same time.
        let stretch = range.clamped(to: range.lowerBound...max(range.lowerBound, found.end))
        try write(found.head)
        var omissions = Omissions()
        for device in found.devices {
            var lines = Libinput(device, found)
            var counted: Tally?
            _ = try export(timeline, stretch, &lines, &counted, bar, write)
            omissions.add(lines.omissions)
        }
        return (summary, omissions)
    }

    /// Whether a batch belongs to what is exported.
    private func isWanted(_ batch: OpenedBatch) -> Bool {
        demonstration.map { batch.demonstration?.name == $0 } ?? true
    }

    private func reportInjected(_ summary: TimelineReader.Summary) {
        func events(_ count: Int) -> String { TimeText.count(count, "event", "events") }
        if summary.injected > 0 {
            Terminal.report("\(events(summary.injected)) made by programs: left out.")
        }
        if summary.undescribed > 0 {
            let words = "of undescribed devices, possibly made by programs"
            Terminal.report("\(events(summary.undescribed)) \(words): left out.")
        }
    }

    private func report(_ omissions: Omissions, _ format: Format) {
        func keys(_ count: Int) -> String { TimeText.count(count, "key", "keys") }
        if omissions.hiddenKeys > 0 {
            let fate = format == .libinput ? "written as KEY_A" : "left out"
            Terminal.report("\(keys(omissions.hiddenKeys)) recorded by class only: \(fate).")
        }
        if omissions.runs > 0 {
            Terminal.report(EventText.leftOut(runs: omissions.runs))
        }
        if omissions.unnamedKeys > 0 {
            let fate = format == .libinput ? "written as KEY_UNKNOWN" : "left out"
            Terminal.report("\(keys(omissions.unnamedKeys)) that the format cannot name: \(fate).")
        }
        if omissions.motions > 0 {
            let motions = TimeText.count(omissions.motions, "movement", "movements")
            Terminal.report("\(motions) without a pixel: left out.")
        }
        if omissions.axes > 0 {
            let values = TimeText.count(omissions.axes, "value", "values")
            Terminal.report("\(values) of axes that the format cannot name: left out.")
        }
        if omissions.touches > 0 {
            let touches = TimeText.count(omissions.touches, "touch event", "touch events")
            Terminal.report("\(touches): left out.")
        }
    }

    private func export(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ lines: inout some EventWriter,
        _ tally: inout Tally?,
        _ bar: ProgressBar,
        _ write: ([UInt8]) throws -> Void
    ) throws -> TimelineReader.Summary {
        try write(lines.head)
        let summary = try timeline.read(
            range,
            onlyHuman: humanOnly,
            progress: bar.show,
            where: isWanted,
            onBatch: { tally?.begin($0) },
            { event in
                lines.append(event)
                tally?.take(event)
                if let bytes = lines.take() { try write(bytes) }
                return true
            }
        )
        try write(lines.take(all: true) ?? [])
        return summary
    }
}
