// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Glibc
import System

/// The verb `doctor`.
struct DoctorVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the installation and say how to fix it.",
        discussion: """
            Checks the service, its socket and version, the display, the sandbox, who can change the \
            files, your consent, the ring, free space, the clock, your identity and the exclusions.

            EXAMPLES
              mcictl doctor
              mcictl doctor --bundle mcid-doctor.json    for a bug report; no recorded data

            Exit code 1 when a check fails.
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Also write the findings to a file, for a bug report; - is standard output.")
    var bundle: String?

    func run() throws {
        let findings = DoctorChecks(Installation()).findings()
        let failed = findings.filter { $0.verdict == .fail }.count
        let report = Report(
            findings: findings.map {
                .init(
                    verdict: $0.verdict.rawValue,
                    subject: $0.subject,
                    words: $0.words,
                    next: $0.next
                )
            }
        )
        if json {
            try Terminal.printJSON(report)
        } else if bundle == "-" {
            // The report itself is the result.
        } else {
            findings.forEach { Terminal.print($0.line) }
            let notable = findings.filter { $0.verdict != .ok }.count
            Terminal.print(
                notable == 0 ? "All is well." : "\(TimeText.count(notable, "finding", "findings"))."
            )
        }
        if let bundle, !(json && bundle == "-") { try write(report, to: bundle) }
        if failed > 0 { throw ExitCode(Failure.failed) }
    }

    /// What `--json` prints and a bundle contains: the findings, without any recorded data.
    struct Report: Encodable {
        struct Row: Encodable {
            var verdict: String
            var subject: String
            var words: String
            var next: String
        }

        var schema = 1
        var findings: [Row]
    }

    private func write(_ report: Report, to path: String) throws {
        do {
            signal(SIGPIPE, SIG_IGN)
            try OutFile.write(Terminal.json(report), to: path)
        } catch {
            throw Failure("The bundle cannot be written to \(path) (\(error)).")
        }
        Terminal.report("Wrote \(path): the lines above and no recorded data.")
    }
}

/// The finding about one subject.
struct Finding {
    /// How serious it is.
    enum Verdict: String {
        case ok
        case warn
        case fail
    }

    var verdict: Verdict
    var subject: String
    var words: String
    /// The next command; empty where there is nothing to do.
    var next = ""

    /// The finding as a line.
    var line: String {
        let mark = "[\(verdict.rawValue)]".padded(to: 7)
        return "\(mark) \(subject.padded(to: 10)) \(words)" + (next.isEmpty ? "" : " → \(next)")
    }
}

extension String {
    /// Padded with spaces.
    fileprivate func padded(to length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - count))
    }
}
