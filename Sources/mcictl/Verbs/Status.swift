// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Calendar
import Control
import Events
import Person
import Timeline

/// The verb `status`.
struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what is recorded now.",
        discussion: """
            EXAMPLES
              mcictl status
              mcictl status --json
              mcictl status --follow --json    one line for each change of state

            Exit code 0 when mcid runs, 3 when it does not, 4 when it does not answer.
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Keep running, and print at every change of state.")
    var follow = false

    func run() throws {
        let installation = Installation()
        do {
            guard let status = try installation.call(.getStatus)?.status else {
                return try notRunning(installation)
            }
            try show(status, installation, installation.now.wall)
            guard follow else { return }
            var isFirst = true
            try ControlClient(path: installation.paths.socket).monitor { status in
                if !isFirst { try? show(status, installation, SystemClock.now().wall) }
                isFirst = false
                return true
            }
        } catch let error as ControlError {
            if follow && error.code == .notRunning { return try notRunning(installation) }
            Terminal.report(
                error.code == .foreign
                    ? "error: \(error.description)"
                    : "error: mcid is running but does not answer as expected (\(error.code.rawValue))."
            )
            Terminal.report("  Next: systemctl --user status mcid")
            throw ExitCode(4)
        }
    }

    private struct NotRunning: Encodable {
        var schema = 1
        var state = "not-running"
        var pausedUntil: String?
        var isPaused: Bool
        var notices: [String]
        /// What will be looser than the defaults when it runs.
        var loosened: [Loosening]
    }

    private func notRunning(_ installation: Installation) throws {
        if installation.isDaemonAlive() {
            Terminal.report(
                "error: mcid does not say what it records: it is starting, or its socket is gone."
            )
            Terminal.report("  Next: systemctl --user restart mcid")
            throw ExitCode(4)
        }
        let controls = try? ControlsFile(installation.paths).read()
        let pause = controls?.pause
        let notices = installation.notices
        if json {
            try Terminal.printJSON(
                NotRunning(
                    pausedUntil: pause?.until,
                    isPaused: pause != nil,
                    notices: notices,
                    loosened: installation.loosenings(controls ?? Controls())
                )
            )
        } else {
            Terminal.print("○ not running · nothing is recorded")
            if let pause {
                let end = pause.until.flatMap { WallTime($0) }
                    .map { "until \(TimeText.short($0, now: installation.now.wall))" }
                Terminal.print("  Paused \(end ?? "until you resume").")
            }
            notices.forEach { Terminal.print("  \($0)") }
            if installation.validConsent() == nil {
                let withdrawn = controls?.withdrawnAt.flatMap { WallTime($0) }
                    .map { "You withdrew your consent on \(TimeText.full($0))" }
                Terminal.print("  \(withdrawn ?? "You have not consented"): mcictl consent")
            }
            for line in installation.loosened(controls ?? Controls()) {
                Terminal.print("  \(line)")
            }
            showReleases(installation)
            Terminal.print("  Start: \(Installation.startCommand)")
        }
        throw ExitCode(3)
    }

    /// What was released and opened.
    private func showReleases(_ installation: Installation) {
        if let words = installation.releasesInWords {
            Terminal.print("  Released: \(Terminal.printable(words)): mcictl release trace")
        }
        for purpose in installation.unreviewed {
            Terminal.print("  You have not reviewed what goes to \(purpose): mcictl release review")
        }
    }

    private func show(_ status: Status, _ installation: Installation, _ now: WallTime) throws {
        if json { return try Terminal.printJSON(status) }
        let recipients = status.recipients ?? (try? installation.readers())?.keys ?? []
        let readers = installation.readersInWords(recipients)
        StatusText.lines(status, now, readers: readers).forEach { Terminal.print($0) }
        showReleases(installation)
    }
}

/// The status in words.
enum StatusText {
    /// Why keys in the terminal in front are not recorded.
    static func words(_ asking: AskingTerminal, _ now: WallTime) -> String {
        let since = WallTime(asking.since).map { " since \(TimeText.short($0, now: now))" } ?? ""
        return
            "keys in the terminal in front: \(program(asking)) may be asking for a secret\(since)"
    }

    /// The program that may be asking, and where.
    static func program(_ asking: AskingTerminal) -> String {
        let program = asking.program.isEmpty ? "a program" : Terminal.printable(asking.program)
        return "\(program) on \(Terminal.printable(asking.terminal))"
    }

    /// The answer first, then what is looser than usual, then the details.
    ///
    /// - Parameters:
    ///   - status: of the daemon.
    ///   - now: the moment.
    ///   - readers: who can read, in words; nil leaves the line out.
    /// - Returns: the lines.
    static func lines(_ status: Status, _ now: WallTime, readers: String? = nil) -> [String] {
        let since = WallTime(status.since) ?? now
        let length = TimeText.length(now.milliseconds - since.milliseconds)
        var lines: [String]
        switch status.state {
        case .recording:
            lines = ["● recording since \(TimeText.short(since, now: now)) (\(length))"]
        case .paused:
            lines = ["‖ \(pause(status, now))", "  Nothing is recorded. Resume now: mcictl resume"]
        case .closed:
            lines = ["○ closed: \(reason(status))", "  Nothing is recorded. \(remedy(status))"]
        case .reconnecting:
            lines = ["○ waiting for the X server since \(TimeText.short(since, now: now))"]
        }
        let ring = status.ring
        let size = "\(mebibytes(ring.bytes)) of \(mebibytes(ring.cap)) MiB"
        let oldest = ring.oldest.flatMap { WallTime($0) }
            .map { " · oldest \(TimeText.length(now.milliseconds - $0.milliseconds)) ago" }
        let detail = keys(status, now)
        let stored = status.lastStored.flatMap { WallTime($0) }
            .map { " · last event \(TimeText.exact($0))" }
        let limit =
            ring.retention > 0 ? " · deleted after \(TimeText.length(ring.retention * 1000))" : ""
        let erasing = status.pendingErasure ? " · an erasure is waiting for a reader to end" : ""
        lines.append("")
        if let demonstration = status.demonstration {
            lines.append("  " + words(demonstration, now))
        }
        lines += (status.loosened ?? []).map { "  Chosen     \(Installation.line($0))" }
        lines += [
            "  Keys       \(detail)",
            "  Gate       \(gate(status))",
            "  Ring       \(size)\(oldest ?? "")\(limit)\(stored ?? "")\(erasing)",
        ]
        if let readers { lines.append("  Readable   \(readers)") }
        lines += [
            status.mark.map { "  Mark       \(mark($0))" },
            "  Sandbox    \(sandbox(status))",
            "  Health     \(status.events.lost) events lost · mcid \(status.version)",
        ].compactMap(\.self)
        if let asking = status.asking { lines.append("  Left out   " + words(asking, now)) }
        lines += (status.notices ?? []).filter { $0 != status.reason }.map { "  Notice     \($0)" }
        lines += status.questions.map {
            "  Question   exemption \($0) needs your answer: mcictl exempt answer \($0)"
        }
        return lines
    }

    private static func gate(_ status: Status) -> String {
        let exemptions = TimeText.count(status.exemptions, "exemption", "exemptions")
        let policy = status.policy == nil ? "no policy" : "a policy (mcictl policy show)"
        return "\(exemptions) in force · \(policy) · mcictl explain, exclude list"
    }

    /// The mark in words: where it stands, or why it cannot be seen.
    static func mark(_ mark: Status.Mark) -> String {
        let monitors = TimeText.count(mark.monitors, "monitor", "monitors")
        let corner = mark.corner.split(separator: "-").joined(separator: " ")
        guard mark.isSeen else { return "hidden: \(hidden(mark.hiddenBy))" }
        return "seen at the \(corner) of \(monitors)\(mark.isExact ? "" : ", whatever its colours")"
    }

    private static func hidden(_ cause: String?) -> String {
        switch cause {
        case "changed": "another program moved, changed or partly covered it"
        case "new": "it has just been shown"
        default: "another window covers it, or a program painted over it"
        }
    }

    /// A pause in words: until when, and how long that is.
    static func pause(_ status: Status, _ now: WallTime) -> String {
        guard let until = status.until.flatMap({ WallTime($0) }) else {
            return "paused until you resume"
        }
        let left = TimeText.length(until.milliseconds - now.milliseconds)
        return "paused until \(TimeText.short(until, now: now)) (\(left) left)"
    }

    private static func reason(_ status: Status) -> String {
        status.reasonInWords ?? status.reason ?? "unknown"
    }

    private static func remedy(_ status: Status) -> String {
        switch status.reason {
        case GapReason.noConsent.name: "Read the notice and decide: mcictl consent"
        case Status.outdatedConsent: "Read the new notice and decide: mcictl consent"
        case GapReason.exempt.name: "See: mcictl exempt list"
        case GapReason.excluded.name: "See: mcictl exclude list"
        case GapReason.diskFull.name:
            "Free some disk space, or keep less free: mcictl set free-space"
        case GapReason.markHidden.name:
            "It goes on as soon as the mark can be seen; behind a colour filter: mcictl set mark-look off"
        case GapReason.asleep.name: "It goes on in two seconds."
        case GapReason.sessionLocked.name, GapReason.away.name:
            "It goes on afterwards; if the desktop errs: mcictl resume"
        case GapReason.unattended.name:
            "Start it: systemctl --user start mci-companion. Go on without it: mcictl resume"
        case let reason? where reason.hasPrefix(PutBack.subject):
            "Read the notice and decide: mcictl consent"
        default: "See: journalctl --user -u mcid"
        }
    }

    private static func keys(_ status: Status, _ now: WallTime) -> String {
        switch status.keyDetail {
        case "off": return "not recorded"
        case "activity": return "only when keys were pressed, in steps of 5 s"
        case "shortcuts":
            return "shortcuts by name; for text only when it was typed, in steps of 5 s"
        case "classes", "full":
            let until = status.keyDetailUntil.flatMap { WallTime($0) }
            let end = until.map { " until \(TimeText.short($0, now: now))" } ?? ""
            return status.keyDetail == "full"
                ? "FULL: what you type can be read back\(end)"
                : "CLASSES: the class and time of each key of a text\(end)"
        default: return status.keyDetail
        }
    }

    private static func sandbox(_ status: Status) -> String {
        status.isSandboxWaived
            ? "NONE: mcid was started with --no-sandbox, for debugging"
            : status.sandbox.joined(separator: ", ")
    }

    private static func mebibytes(_ bytes: Int) -> String {
        let tenths = bytes * 10 / (1 << 20)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
