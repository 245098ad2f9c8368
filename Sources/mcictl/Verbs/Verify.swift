// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import Events
import Files
import Sealing
import Settings
import Signing
import Storage
import Timeline

/// The verb `verify`.
struct VerifyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look whether the ring holds all that was stored, and nothing else.",
        discussion: """
            Every batch is sealed, signed by the recorder, numbered, and names the one before it. A
            changed bit, and a batch that is missing, moved, doubled or foreign, is found.

            EXAMPLES
              mcictl verify
              mcictl verify --json

            Exit code 0 when all is whole, 1 when something is not.
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let place = Workplace()
        let identities = try place.identities()
        let isRunning = (try? place.call(.flush)) != nil
        guard Disk.exists(place.paths.ring) else {
            guard Disk.exists(RingHead.path(place.paths.ring)) else {
                throw Failure("Nothing has been recorded yet.", next: "mcictl status")
            }
            throw Failure(
                "The ring is gone, though something was recorded into it.",
                next: "\(Workplace.startCommand) makes a new one"
            )
        }
        let bar = ProgressBar("Verifying")
        let key = try trustedKey(place)
        let found: Verification
        do {
            found = try Verifier(place.paths.ring, identities, key).verify { bar.show($0, of: $1) }
        } catch {
            bar.end()
            throw Failure(
                "The ring cannot be read at all: \(error.description)",
                next: isRunning ? "mcictl status" : "\(Workplace.startCommand) mends what it can"
            )
        }
        bar.end()
        if json {
            try Terminal.printJSON(Answer(found))
        } else {
            lines(found, place.now.wall).forEach { Terminal.print($0) }
        }
        if !found.isWhole { throw ExitCode(Failure.failed) }
    }

    /// The recorder's public key, as the person's consent names it.
    private func trustedKey(_ place: Workplace) throws -> DeviceVerifier {
        let found = try? ControlsFile(place.paths).find()
        // Of controls that were put back the consent still tells which key it was.
        let named = (found?.controls.consent ?? found?.lapsedConsent)?.deviceKey
        let own = place.deviceKeyText
        guard let key = (named ?? own).flatMap({ DeviceVerifier($0) }) else {
            throw Failure("The recorder's key is gone, so nobody can tell what it signed.")
        }
        if let named, let own, named != own {
            Terminal.tell("warning: the recorder's key is not the one that your consent names.")
            Terminal.tell("  Next: mcictl consent")
        }
        return key
    }

    private func lines(_ found: Verification, _ now: WallTime) -> [String] {
        func time(_ time: WallTime?) -> String { time.map { TimeText.full($0) } ?? "?" }
        let count = TimeText.count(found.whole, "batch", "batches")
        let stretch = found.whole > 0 ? ", \(time(found.from)) to \(time(found.to))" : ""
        var lines = [
            found.isWhole ? "● whole: \(count)\(stretch)" : "✗ not whole · \(count) whole\(stretch)"
        ]
        for finding in found.findings {
            guard finding.fault.isOfBatches, finding.first > 0 else {
                lines.append("  \(finding.fault.words)")
                continue
            }
            let range = finding.first == finding.last ? "" : "–\(finding.last)"
            let batches = finding.first == finding.last ? "batch" : "batches"
            lines.append("  \(batches) \(finding.first)\(range) \(finding.fault.words)")
            lines.append("    between \(time(finding.from)) and \(time(finding.to))")
        }
        let notes = [
            (found.forgotten, "forgotten"), (found.expired, "expired"),
            (found.lost, "lost and noted by the recorder"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if !notes.isEmpty {
            lines.append("  Gone on purpose or noted: \(notes.joined(separator: ", "))")
        }
        if found.isIncomplete {
            lines.append("  A part of the ring is still being rebuilt and was not looked at.")
        }
        return lines
    }

    /// The answer as JSON.
    private struct Answer: Encodable {
        struct Finding: Encodable {
            var fault: String
            var firstBatch: UInt64
            var lastBatch: UInt64
            var from: String?
            var to: String?
        }

        var schema = 1
        var whole: Bool
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
                    to: $0.to?.text
                )
            }
        }
    }
}
