// SPDX-License-Identifier: Apache-2.0

import Calendar
import Control
import Events
import Gate
import Person
import Release
import Signing
import System

/// Checks the installation, and never reads what was recorded.
struct DoctorChecks {
    private let installation: Installation
    private let environment = CurrentProcess.environment()
    private let status: Status?
    private let failure: ControlError?

    /// Checks of the person's mci; its daemon is asked once.
    init(_ installation: Installation) {
        self.installation = installation
        do {
            status = try ControlClient(path: installation.paths.socket, timeout: 5).call(.getStatus)
                .status
            failure = nil
        } catch {
            status = nil
            failure = error as? ControlError
        }
    }

    /// All subjects, each after those it depends on.
    func findings() -> [Finding] {
        [
            service, socket, version, display, mark, companion, sandbox, files, consent, ring,
            space, clock,
            identity, exclusions,
        ] + syntheticKeys + releases + fileFindings
    }

    /// The files that were put back or damaged; none when all is well.
    private var fileFindings: [Finding] {
        let files = installation.paths.highWater
        let found = files.read(DeviceKeyFile.read(installation.paths.deviceKey)?.verifier)
        let marks = found.damaged.map {
            Finding(
                verdict: .warn,
                subject: "marks",
                words: "\($0) is damaged, or signed with another recorder's key",
                next: "mcictl consent"
            )
        }
        // The daemon found the fault when it started, and has begun a new file since.
        let reported = status?.notices?.filter { !$0.hasPrefix(PutBack.subject) }
        let accounts =
            reported
            ?? [EventCountersFile(installation.paths).find().fault?.description].compactMap(\.self)
        let asking = status?.asking.map { StatusText.words($0, installation.now.wall) }
        return marks + accounts.map { Finding(verdict: .warn, subject: "notices", words: $0) }
            + [asking].compactMap(\.self).map {
                Finding(verdict: .warn, subject: "left out", words: $0)
            }
    }

    /// What is wrong with grants and their holder; none where nothing was granted.
    private var releases: [Finding] {
        let files = installation.releaseFiles
        let (grants, unreadable) = files.readGrants()
        let damaged = unreadable.map {
            Finding(
                verdict: .fail,
                subject: "releases",
                words: "\($0.folder) is damaged: \($0.reason)",
                next: "mcictl key restore-grants FILE"
            )
        }
        if !damaged.isEmpty { return damaged }
        guard let last = grants.last else { return [] }
        var found: [Finding] = []
        let now = installation.now.wall
        for record in grants where record.isUnfinished {
            found.append(
                Finding(
                    verdict: .warn,
                    subject: "releases",
                    words:
                        "a withdrawn grant's lock is not destroyed yet: the holder did not run",
                    next: "mcictl release withdraw \(record.purpose.content.id)"
                )
            )
        }
        for purpose in installation.unreviewed {
            found.append(
                Finding(
                    verdict: .warn,
                    subject: "releases",
                    words: "whole days go to \(purpose), and you have not reviewed them for a week",
                    next: "mcictl release draft --since yesterday, then mcictl release review"
                )
            )
        }
        guard grants.contains(where: { $0.isAlive(at: now) }) else { return found }
        if !Disk.exists(installation.paths.holder + "/holder.db") {
            found.append(
                Finding(
                    verdict: .fail,
                    subject: "releases",
                    words: "the holder's file is gone, so nothing released can be opened any more",
                    next: "mcictl release withdraw \(last.purpose.content.id), and grant it anew"
                )
            )
        }
        let alive = grants.count { $0.isAlive(at: now) }
        let words = "\(TimeText.count(alive, "grant", "grants")) in force"
        return found.isEmpty ? [Finding(verdict: .ok, subject: "releases", words: words)] : found
    }

    /// A warning if most keys come from programs, and so are stored only as typing runs.
    private var syntheticKeys: [Finding] {
        guard let keys = status?.keys, keys.syntheticRuns * 2 > keys.stored else { return [] }
        let part = "\(keys.syntheticRuns) of \(keys.stored) entries since the start"
        return [
            Finding(
                verdict: .warn,
                subject: "keys",
                words:
                    "most come from programs (\(part)), so only that there were some is recorded",
                next: "mcictl set synthetic-keys on"
            )
        ]
    }

    private var service: Finding {
        guard let status else {
            if failure?.code == .notRunning, installation.isDaemonAlive() {
                return Finding(
                    verdict: .fail,
                    subject: "service",
                    words: "runs without a socket",
                    next: "systemctl --user restart mcid"
                )
            }
            return failure?.code == .notRunning
                ? Finding(
                    verdict: .fail,
                    subject: "service",
                    words: "not running",
                    next: Installation.startCommand
                )
                : Finding(
                    verdict: .fail,
                    subject: "service",
                    words: "runs but does not answer",
                    next: "systemctl --user status mcid"
                )
        }
        let words = status.reason.map { "\(status.state.rawValue): \($0)" } ?? status.state.rawValue
        let isWell = status.state == .recording || status.state == .paused
        return Finding(
            verdict: isWell ? .ok : .warn,
            subject: "service",
            words: "\(words), since \(status.since)",
            next: isWell ? "" : "mcictl status"
        )
    }

    private var socket: Finding {
        guard let facts = try? SecretFile.facts(installation.paths.socket) else {
            return Finding(
                verdict: status == nil ? .warn : .fail,
                subject: "socket",
                words: "\(installation.paths.socket) is missing",
                next: Installation.startCommand
            )
        }
        let isPrivate = facts.isOwn && facts.mode == 0o600
        return Finding(
            verdict: isPrivate ? .ok : .fail,
            subject: "socket",
            words: "\(installation.paths.socket), mode \(String(facts.mode, radix: 8))",
            next: isPrivate ? "" : "systemctl --user restart mcid"
        )
    }

    /// Whether locks, sleep and other sessions are known, and whether there is an icon.
    private var companion: Finding {
        guard let session = status?.session, session.isAttended else {
            let isRequired = status?.session?.isRequired == true
            return Finding(
                verdict: isRequired ? .warn : .ok,
                subject: "companion",
                words: isRequired
                    ? "missing, so nothing is recorded"
                    : "not running: locks and sleep are known by the mark alone; no icon",
                next: isRequired ? "systemctl --user start mci-companion" : ""
            )
        }
        let locks = session.knows.filter { $0 != "tray" && $0 != "notifications" }
        let words = [
            locks.isEmpty
                ? "nothing here reports locks, so they are known by the mark alone"
                : "locks are reported by \(locks.joined(separator: ", "))",
            session.knows.contains("tray")
                ? "the icon is in the panel"
                : "no panel shows icons: the menu is in the launcher (mci)",
            session.knows.contains("notifications") ? nil : "nothing shows notifications",
        ]
        return Finding(
            verdict: .ok,
            subject: "companion",
            words: words.compactMap(\.self).joined(separator: "; ")
        )
    }

    private var version: Finding {
        guard let status else {
            return Finding(
                verdict: .warn,
                subject: "version",
                words: "mcictl \(CurrentProcess.version), mcid not reached"
            )
        }
        let isSame = status.version == CurrentProcess.version
        return Finding(
            verdict: isSame ? .ok : .fail,
            subject: "version",
            words: "mcictl \(CurrentProcess.version), mcid \(status.version)",
            next: isSame ? "" : "systemctl --user restart mcid"
        )
    }

    private var display: Finding {
        if environment["XDG_SESSION_TYPE"] == "wayland"
            || environment["WAYLAND_DISPLAY"]?.isEmpty == false
        {
            return Finding(
                verdict: .fail,
                subject: "display",
                words: "a Wayland session, which mcid does not record",
                next: "log in to an X11 session"
            )
        }
        guard let display = environment["DISPLAY"], !display.isEmpty else {
            return Finding(
                verdict: .warn,
                subject: "display",
                words: "DISPLAY is not set in this terminal",
                next: "run mcictl doctor in the graphical session"
            )
        }
        return Finding(verdict: .ok, subject: "display", words: "X11 \(display)")
    }

    private var mark: Finding {
        guard let mark = status?.mark else {
            return Finding(
                verdict: .ok,
                subject: "mark",
                words: "not shown, because mcid is not connected to the X server"
            )
        }
        return Finding(
            verdict: mark.isSeen && mark.isExact ? .ok : .warn,
            subject: "mark",
            words: "\(StatusText.mark(mark)), since \(mark.since)",
            next: mark.isSeen
                ? (mark.isExact ? "" : "mcictl set mark-look on")
                : "move what covers that corner, or: mcictl set mark-corner"
        )
    }

    private var sandbox: Finding {
        guard let status else {
            return Finding(
                verdict: .warn,
                subject: "sandbox",
                words: "unknown: mcid is not running"
            )
        }
        if status.isSandboxWaived || status.sandbox.isEmpty {
            return Finding(
                verdict: .fail,
                subject: "sandbox",
                words: "NONE: mcid was started with --no-sandbox",
                next: "systemctl --user restart mcid"
            )
        }
        return Finding(
            verdict: .ok,
            subject: "sandbox",
            words: status.sandbox.joined(separator: ", ")
        )
    }

    /// The files that mcid checks before it starts, and whether others can read any of them.
    private var files: Finding {
        if let fault = installation.paths.fault {
            return Finding(
                verdict: .fail,
                subject: "files",
                words: fault.words,
                next: fault.next
            )
        }
        guard let path = installation.paths.readableByOthers else {
            return Finding(verdict: .ok, subject: "files", words: "yours alone")
        }
        return Finding(
            verdict: .warn,
            subject: "files",
            words: "\(path) can be read by others",
            next: "chmod go= \(path)"
        )
    }

    private var consent: Finding {
        if let putBack = (try? ControlsFile(installation.paths).read())?.putBack {
            return Finding(
                verdict: .warn,
                subject: "consent",
                words: putBack.description,
                next: "mcictl consent"
            )
        }
        return installation.validConsent() == nil
            ? Finding(
                verdict: .warn,
                subject: "consent",
                words: (try? ControlsFile(installation.paths).read())?.consent == nil
                    ? "none, so nothing is recorded" : "given, but no longer valid",
                next: "mcictl consent"
            )
            : Finding(verdict: .ok, subject: "consent", words: "given")
    }

    private var ring: Finding {
        guard Disk.exists(installation.paths.ring) else {
            return Finding(verdict: .ok, subject: "ring", words: "none yet")
        }
        guard let status else {
            return Finding(verdict: .ok, subject: "ring", words: "present", next: "mcictl verify")
        }
        let lost = status.events.lost
        let size =
            "\(status.ring.batches) batches, \(status.ring.bytes) of \(status.ring.cap) bytes"
        return Finding(
            verdict: lost == 0 && !status.pendingErasure ? .ok : .warn,
            subject: "ring",
            words: size + (lost > 0 ? ", \(lost) events lost" : "")
                + (status.pendingErasure ? ", an erasure is waiting for a reader" : ""),
            next: lost > 0 ? "journalctl --user -u mcid" : ""
        )
    }

    private var space: Finding {
        let settings = (try? SettingsFile(installation.paths.settings).read()) ?? PersonSettings()
        let folder = Disk.exists(installation.paths.state) ? installation.paths.state : "/"
        guard let space = Disk.space(folder) else {
            return Finding(verdict: .warn, subject: "space", words: "cannot be determined")
        }
        let floor = settings.spaceFloor(ofWhole: space.whole)
        let isEnough = space.free >= floor
        return Finding(
            verdict: isEnough ? .ok : .fail,
            subject: "space",
            words: "\(space.free >> 20) MiB free, \(floor >> 20) MiB needed",
            next: isEnough ? "" : "mcictl set free-space"
        )
    }

    private var clock: Finding {
        // The end of the newest batch is rounded up to the minute.
        let newest = status?.ring.newest.flatMap { WallTime($0) }
        if let newest, newest.milliseconds > installation.now.wall.milliseconds + 120_000 {
            return Finding(
                verdict: .warn,
                subject: "clock",
                words: "behind the newest recording",
                next: "timedatectl"
            )
        }
        return Finding(verdict: .ok, subject: "clock", words: installation.now.wall.text)
    }

    /// Applies the rules to windows that nobody wants recorded.
    private var exclusions: Finding {
        let samples = [
            WindowFacts(app: "KeePassXC", instance: "keepassxc", title: "Passwords"),
            WindowFacts(app: "Pinentry-gtk-2", instance: "pinentry-gtk-2", title: "Passphrase"),
            WindowFacts(
                app: "firefox",
                instance: "Navigator",
                title: "Mozilla Firefox Private Browsing"
            ),
        ]
        let recorded: [String]
        do {
            let controls = try ControlsFile(installation.paths).read()
            let policy = try installation.policy()
            recorded = samples.filter {
                Explanation(
                    controls,
                    policy,
                    on: $0,
                    from: nil,
                    at: SystemClock.weekMinute(installation.now.wall)
                ).isRecorded
            }.map(\.app)
        } catch {
            return Finding(
                verdict: .fail,
                subject: "exclusions",
                words: "the rules cannot be read, so nothing is recorded",
                next: "mcictl status"
            )
        }
        return Finding(
            verdict: recorded.isEmpty ? .ok : .warn,
            subject: "exclusions",
            words: recorded.isEmpty
                ? "password managers, passphrase prompts and private windows are left out"
                : "windows like these are recorded: \(recorded.joined(separator: ", "))",
            next: recorded.isEmpty ? "" : "mcictl exclude list"
        )
    }

    private var identity: Finding {
        let path = installation.paths.identity
        guard let facts = try? SecretFile.facts(path) else {
            // A key can only be missing if something was sealed, or is about to be.
            let isNeeded =
                Disk.exists(installation.paths.recipients) || Disk.exists(installation.paths.ring)
            guard isNeeded || TrustedFile.isThere(path) else {
                return Finding(
                    verdict: .ok,
                    subject: "identity",
                    words: "none yet; your first consent creates it"
                )
            }
            return Finding(
                verdict: .warn,
                subject: "identity",
                words: "\(path) is missing: only a copy of it opens the recording",
                next: "mcictl key show"
            )
        }
        let isPrivate = facts.isOwn && facts.mode & 0o077 == 0
        return Finding(
            verdict: isPrivate ? .ok : .fail,
            subject: "identity",
            words: "\(path), mode \(String(facts.mode, radix: 8))",
            next: isPrivate ? "" : "chmod 600 \(path)"
        )
    }
}
