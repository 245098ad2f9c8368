// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Files
import Settings
import Timeline

/// The verb `export`.
struct ExportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what was recorded, in the clear, as JSON Lines, CSV or Parquet.",
        discussion: """
            To standard output, or with --out to a file that appears when it is whole. Parquet is
            written by Python's pyarrow (python3 -m pip install pyarrow), which gets the events
            through a pipe; it needs --out.

            EXAMPLES
              mcictl export > events.jsonl
              mcictl export --since 2h --until 1h --out hour.csv
              mcictl export --format parquet --out events.parquet
            """
    )

    /// The formats, by their names and the endings of their files.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case jsonl
        case csv
        case parquet
    }

    @Option(help: "From a time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to a time.")
    var until: String?

    @Option(help: "jsonl, csv or parquet; without it as --out ends, or jsonl.")
    var format: Format?

    @Option(help: "A file to write; one that is there is replaced when the new one is whole.")
    var out: String?

    @Flag(help: "JSON Lines.")
    var json = false

    func run() throws {
        let place = Workplace()
        let range = try place.range(since: since, until: until)
        let ending = out.flatMap { $0.split(separator: ".").last }.map(String.init)
        let format =
            self.format ?? (json ? .jsonl : ending.flatMap { Format(rawValue: $0) } ?? .jsonl)
        if format == .parquet, out == nil {
            throw Failure("Parquet needs a file.", next: "--out FILE", code: Failure.usage)
        }
        let timeline = try place.timeline()
        let target = try out.map { try ExportFile($0, isParquet: format == .parquet) }
        let bar = ProgressBar("Exporting")
        let write = { (bytes: [UInt8]) in
            if let target { try target.write(bytes) } else { Terminal.write(bytes) }
        }
        let summary: TimelineReader.Summary
        do {
            switch format {
            case .jsonl:
                var lines = JSONLines(withKeys: true)
                summary = try export(timeline, range, &lines, bar, write)
            case .csv, .parquet:
                var lines = CSV()
                summary = try export(timeline, range, &lines, bar, write)
            }
            bar.end()
            try target?.finish()
        } catch {
            bar.end()
            target?.abandon()
            throw error
        }
        if let out {
            Terminal.tell("\(TimeText.count(summary.events, "event", "events")) in \(out)")
        }
        warn(about: summary)
    }

    private func export(
        _ timeline: TimelineReader,
        _ range: ClosedRange<Int64>,
        _ lines: inout some EventWriter,
        _ bar: ProgressBar,
        _ write: ([UInt8]) throws -> Void
    ) throws -> TimelineReader.Summary {
        try write(lines.head)
        let summary = try timeline.read(range, progress: bar.show) { event in
            lines.append(event)
            if let bytes = lines.take() { try write(bytes) }
            return true
        }
        try write(lines.take(all: true) ?? [])
        return summary
    }
}
