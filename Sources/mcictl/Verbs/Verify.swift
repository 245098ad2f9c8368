// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Person
import Sealing
import Signing
import Storage
import System
import Timeline

/// The verb `verify`.
struct VerifyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the recording is complete and unaltered.",
        discussion: """
            Every batch is sealed, signed by the recorder and numbered, and names the one before it. A \
            changed bit is found, and so is a batch that is missing, moved, duplicated or foreign.

            EXAMPLES
              mcictl verify
              mcictl verify --json
              mcictl verify --acknowledge     accept what was found; it is no longer new

            A finding stays on record: the answer is then "acknowledged on …", never "whole".
            Exit code 0 when everything is whole or acknowledged, otherwise 1.
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Acknowledge what is found; asks first.")
    var acknowledge = false

    @Flag(help: "Acknowledge without being asked.")
    var yes = false

    @Option(help: "Check this ring file, which an earlier version wrote.", completion: .file())
    var ring: String?

    func run() throws {
        let installation = Installation()
        let identities = try installation.identities()
        let isRunning = ring == nil && (try? installation.call(.flush)) != nil
        let path = ring ?? installation.paths.ring
        guard Disk.exists(path) else {
            guard ring == nil, Disk.exists(RingHead.path(path)) else {
                throw Failure(
                    ring.map { "There is no file \($0)." } ?? "Nothing has been recorded yet.",
                    next: "mcictl status"
                )
            }
            throw Failure(
                "The ring file is gone, although something was recorded into it.",
                next: "\(Installation.startCommand) (creates a new one)"
            )
        }
        let key = try trustedKey(installation)
        var found = try verify(installation, path, identities, key, isRunning: isRunning)
        let file = Acknowledgements(installation.paths.acknowledgements)
        found.acknowledge(file.read(key))
        if acknowledge, try close(found, file, installation) { found.acknowledge(file.read(key)) }
        if json {
            try Terminal.printJSON(Answer(found))
        } else {
            lines(found, installation.now.wall).forEach { Terminal.print($0) }
        }
        if !found.isWhole, !found.isAcknowledged { throw ExitCode(Failure.failed) }
    }

    private func verify(
        _ installation: Installation,
        _ path: String,
        _ identities: [Identity],
        _ key: DeviceVerifier,
        isRunning: Bool
    ) throws -> Verification {
        let bar = ProgressBar("Verifying")
        defer { bar.end() }
        do throws(StorageError) {
            let marks = ring == nil ? installation.paths.highWater : nil
            return try Verifier(path, identities, key, marks).verify { bar.show($0, of: $1) }
        } catch {
            bar.end()
            if error.code == .busy {
                throw Failure(
                    "The recorder kept writing, so the ring could not be checked.",
                    next: "mcictl verify"
                )
            }
            throw Failure(
                "The ring cannot be read at all: \(error.description)",
                next: isRunning
                    ? "mcictl status" : "\(Installation.startCommand) (repairs what it can)"
            )
        }
    }

    /// Signs that the findings are acknowledged, after asking.
    ///
    /// - Returns: whether it was.
    private func close(
        _ found: Verification,
        _ file: Acknowledgements,
        _ installation: Installation
    ) throws -> Bool {
        let open = found.findings.filter { $0.acknowledged == nil }
        guard !open.isEmpty else {
            Terminal.report("There is nothing new to acknowledge.")
            return false
        }
        if !yes {
            lines(found, installation.now.wall).forEach { Terminal.report($0) }
            guard try Terminal.ask("Acknowledge this permanently?", script: "--yes") else {
                Terminal.report("Nothing was changed.")
                return false
            }
        }
        do {
            try file.add(
                open.map(\.name),
                at: installation.now.wall.milliseconds,
                signedBy: try installation.deviceKey()
            )
        } catch let error as FileError {
            throw Failure(
                "The acknowledgement could not be written to \(installation.paths.acknowledgements) (\(error))."
            )
        }
        return true
    }

    /// The recorder's public key, as named in the person's consent.
    private func trustedKey(_ installation: Installation) throws -> DeviceVerifier {
        let found = try? ControlsFile(installation.paths).find()
        // The consent in controls that were put back still says which key it was.
        let named = (found?.controls.consent ?? found?.lapsedConsent)?.deviceKey
        let own = installation.deviceKeyText
        guard let key = (named ?? own).flatMap({ DeviceVerifier($0) }) else {
            throw Failure("The recorder's key is gone, so its signatures cannot be checked.")
        }
        if let named, let own, named != own {
            Terminal.report("warning: the recorder's key is not the one named in your consent.")
            Terminal.report("  Next: mcictl consent")
        }
        return key
    }

    private func lines(_ found: Verification, _ now: WallTime) -> [String] {
        func time(_ time: WallTime?) -> String { time.map { TimeText.full($0) } ?? "?" }
        let count = TimeText.count(found.whole, "batch", "batches")
        let stretch = found.whole > 0 ? ", \(time(found.from)) to \(time(found.to))" : ""
        let latest = found.findings.compactMap(\.acknowledged).max()
        let first =
            if found.isWhole {
                "● whole: \(count)\(stretch)"
            } else if found.isAcknowledged, let latest {
                "◐ acknowledged on \(TimeText.full(latest)) · \(count) whole\(stretch)"
            } else {
                "✗ not whole · \(count) whole\(stretch)"
            }
        var lines = [first]
        for finding in found.findings {
            guard finding.fault.isOfBatches, finding.first > 0 else {
                let when = finding.to.map { " (\(TimeText.full($0)))" } ?? ""
                lines.append("  \(finding.fault.words)\(when)\(known(finding))")
                continue
            }
            let range = finding.first == finding.last ? "" : "–\(finding.last)"
            let batches = finding.first == finding.last ? "batch" : "batches"
            lines.append(
                "  \(batches) \(finding.first)\(range) \(finding.fault.words)\(known(finding))"
            )
            lines.append("    between \(time(finding.from)) and \(time(finding.to))")
        }
        if !found.isWhole, !found.isAcknowledged {
            lines.append("  If you know what happened: mcictl verify --acknowledge")
        }
        let notes = [
            (found.forgotten, "erased at your request"), (found.expired, "erased by age"),
            (found.lost, "lost, as the recorder noted"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if !notes.isEmpty {
            lines.append("  Batches accounted for: \(notes.joined(separator: ", "))")
        }
        if found.isIncomplete {
            lines.append("  Part of the ring is still being rebuilt and was not checked.")
        }
        return lines
    }

    private func known(_ finding: Verification.Finding) -> String {
        finding.acknowledged.map { " · acknowledged on \(TimeText.full($0))" } ?? ""
    }

    /// The answer as JSON.
    private struct Answer: Encodable {
        struct Finding: Encodable {
            var fault: String
            var firstBatch: UInt64
            var lastBatch: UInt64
            var from: String?
            var to: String?
            var acknowledged: String?
        }

        var schema = 1
        var whole: Bool
        var acknowledged: Bool
        var batches: Int
        var from: String?
        var to: String?
        var forgotten: Int
        var expired: Int
        var lost: Int
        var incomplete: Bool
        var findings: [Finding]

        init(_ found: Verification) {
            whole = found.isWhole
            acknowledged = found.isAcknowledged
            batches = found.whole
            (from, to) = (found.from?.text, found.to?.text)
            (forgotten, expired, lost) = (found.forgotten, found.expired, found.lost)
            incomplete = found.isIncomplete
            findings = found.findings.map {
                Finding(
                    fault: $0.fault.rawValue,
                    firstBatch: $0.first,
                    lastBatch: $0.last,
                    from: $0.from?.text,
                    to: $0.to?.text,
                    acknowledged: $0.acknowledged?.text
                )
            }
        }
    }
}
