// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Export
import Person
import Report
import Storage
import System
import Timeline

/// The verb `report`.
struct ReportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show what was recorded in pictures, as a page to read or to print.",
        usage: """
            mcictl report [--since <time>] [--until <time>] [--out <file>] [--no-open]
            mcictl report --quality [--since <time>] [--until <time>] [--json]
            """,
        discussion: """
            Makes one HTML file that loads nothing and runs nothing, and opens it in your browser. \
            It is not encrypted. Without --out the page stays in memory, and only you can read it: it is \
            deleted when you log out or erase something.

            EXAMPLES
              mcictl report
              mcictl report --since 09:00
              mcictl report --since 2026-11-23 --until 2026-11-29 --out week.html
              mcictl report --quality       its quality as training data
            """
    )

    @Option(help: "From this time on: 10m (ago), 14:05, or 2026-11-21 14:05.")
    var since: String?

    @Option(help: "Up to this time.")
    var until: String?

    @Option(
        help: "The file to write, as plaintext; - is standard output. It is not opened.",
        completion: .file()
    )
    var out: String?

    @Flag(help: "Do not open the page.")
    var noOpen = false

    @Flag(help: "Assess its quality as training data: times, pixels, clocks, injected input.")
    var quality = false

    @Option(help: "Read this ring file, which an earlier version wrote.", completion: .file())
    var ring: String?

    @Flag(help: "With --quality, print JSON.")
    var json = false

    func validate() throws {
        if json, !quality {
            throw ValidationError(
                "--json works only with --quality. To get data, use mcictl export or mcictl query."
            )
        }
        if quality, noOpen || out != nil {
            throw ValidationError(
                "--quality does not write a page, so --out and --no-open cannot be used with it."
            )
        }
    }

    func run() throws {
        let installation = Installation()
        let range = try installation.range(since: since, until: until)
        let status = try? installation.call(.getStatus)?.status
        let isNow = ring == nil && status?.state == .recording
        let facts = try RecordingFacts.read(installation, range, ring, isNow: isNow)
        warn(about: facts.summary)
        if quality { return try show(Quality(facts)) }
        if facts.span.isEmpty {
            throw Failure(
                since == nil && until == nil
                    ? "The recording contains nothing to show."
                    : "Nothing is recorded in this period.",
                next: since == nil && until == nil ? "mcictl status" : "mcictl report"
            )
        }
        let page = Page(facts, try setting(installation, status, range)).html
        try write(Array(page.utf8), installation)
    }

    private func setting(
        _ installation: Installation,
        _ status: Status?,
        _ range: ClosedRange<Int64>
    ) throws -> Page.Setting {
        let readers = status?.recipients ?? (try? installation.readers())?.keys ?? []
        let settings = try? SettingsFile(installation.paths.settings).read()
        let retention = status.map { $0.ring.retention * 1000 } ?? settings?.retentionTime ?? 0
        var period: [String] = []
        if since != nil { period.append("--since \(WallTime(range.lowerBound).text)") }
        if until != nil { period.append("--until \(WallTime(range.upperBound).text)") }
        let size = status.map {
            "It uses \(SizeText.words($0.ring.bytes)) of at most \(SizeText.words($0.ring.cap))."
        }
        var setting = Page.Setting(
            now: installation.now.wall,
            period: period.joined(separator: " "),
            readers: installation.readersInWords(readers),
            retention: retention,
            ring: size ?? ""
        )
        setting.openings = installation.openings?.words
        setting.releases = installation.releaseRows
        setting.bounds = (
            since == nil ? nil : range.lowerBound, until == nil ? nil : range.upperBound
        )
        return setting
    }

    private func write(_ page: [UInt8], _ installation: Installation) throws {
        if let out {
            do {
                try OutFile.write(page, to: out)
            } catch {
                throw Failure("\(out) cannot be written (\(error)). Nothing was changed.")
            }
            if !OutFile.isStream(out) {
                Terminal.report("The report is in \(Terminal.printable(out)), as plaintext.")
            }
            return
        }
        try Self.open(page, installation, noOpen: noOpen)
    }

    /// Writes a page into memory, and opens it in a browser.
    ///
    /// - Parameters:
    ///   - page: the HTML file.
    ///   - installation: the one whose page it is.
    ///   - noOpen: only write it.
    /// - Throws: a ``Failure`` if it cannot be written.
    static func open(_ page: [UInt8], _ installation: Installation, noOpen: Bool = false) throws {
        let path = installation.paths.report
        do {
            try Disk.makeFolder(installation.paths.runtime)
            try OutFile.write(page, to: path)
        } catch {
            throw Failure(
                "\(path) cannot be written (\(error)).",
                next: "mcictl report --out report.html"
            )
        }
        Terminal.print(path)
        Terminal.report(
            "It is unencrypted, in memory: deleted when you log out or run mcictl forget."
        )
        guard !noOpen else { return }
        let canShow =
            Terminal.variable("DISPLAY") != nil || Terminal.variable("WAYLAND_DISPLAY") != nil
        if !canShow || !ChildProcess.start(["xdg-open", path], patience: 2000) {
            Terminal.report("No browser could be started. Open the file yourself.")
            Terminal.report("  Next: mcictl report --out report.html")
        } else {
            Terminal.report(
                "If a sandboxed browser cannot open it: mcictl report --out report.html"
            )
        }
    }

    // MARK: Quality

    private func show(_ quality: Quality) throws {
        if json { return try Terminal.printJSON(quality) }
        guard let from = quality.from.flatMap({ WallTime($0) }),
            let to = quality.to.flatMap({ WallTime($0) })
        else { return Terminal.print("Nothing is recorded in this period.") }
        Terminal.print("From \(TimeText.full(from)) to \(TimeText.full(to))")
        Terminal.print("")
        let rows =
            [["REASON", "STREAM", "MINUTES", "SHARE"]]
            + quality.times.map { time in
                let percent = (time.share * 1000).rounded() / 10
                return [
                    time.reason, time.stream ?? "all input",
                    "\((time.minutes * 10).rounded() / 10)", "\(percent) %",
                ]
            }
        TableText.lines(rows).forEach { Terminal.print($0) }
        Terminal.print("")
        for check in quality.checks {
            Terminal.print("\(check.isGood ? "[ok]  " : "[warn]")  \(check.words)")
            if !check.next.isEmpty { Terminal.print("        Next: \(check.next)") }
        }
    }
}

extension RecordingFacts {
    /// Counts the recording, with a bar where that takes long.
    ///
    /// - Parameters:
    ///   - installation: the one whose recording is read.
    ///   - range: the time that is asked for.
    ///   - ring: the file of a ring, instead of the one that is recorded into.
    ///   - isNow: whether the recording goes on.
    /// - Returns: the facts.
    /// - Throws: a ``Failure`` if there is nothing to read or no key to read it with.
    static func read(
        _ installation: Installation,
        _ range: ClosedRange<Int64>,
        _ ring: String?,
        isNow: Bool
    ) throws -> RecordingFacts {
        let timeline = try installation.timeline(ring)
        var tally = Tally(range)
        let bar = ProgressBar("Reading")
        defer { bar.end() }
        let summary = try timeline.read(
            range,
            progress: bar.show,
            onBatch: { tally.begin($0) },
            {
                tally.take($0)
                return true
            }
        )
        return tally.facts(summary, openUntil: isNow ? installation.now.wall : nil)
    }
}
