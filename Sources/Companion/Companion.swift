// SPDX-License-Identifier: Apache-2.0

import Bus
import Control
import Events
import Glibc
package import Person
import System

/// The companion: the icon, the notifications and the session's signals, on one thread.
///
/// Upstream: the buses of the session and the system. Downstream: mcid's control socket. Promise: it
/// holds no key, no connection to the X server and no recording, and waits for events; only the beat
/// to mcid wakes it.
package final class Companion {
    private let session: BusConnection?
    private let system: BusConnection?
    private var watch: SessionWatch?
    private var tray: TrayItem?
    private var attendant: Attendant?
    private var notices: Notices?
    private var status: Status?
    /// Whether somebody shows notifications.
    private var hasNotifications = false
    /// Whether the session's state must be reported before the loop waits.
    private var mustReport = true
    private let environment: [String: String]
    private let openingsPath: String
    /// What was last known of openings; nil while nothing was ever granted.
    private var openings: Openings?

    /// Connects to the buses that there are.
    ///
    /// - Parameters:
    ///   - environment: the process environment.
    ///   - socket: the path of mcid's control socket.
    ///   - path: of what the holder says of openings.
    package init(environment: [String: String], socket: String, openings path: String) {
        self.environment = environment
        openingsPath = path
        let runtime = environment["XDG_RUNTIME_DIR"] ?? "/run/user/\(getuid())"
        session = try? BusConnection(
            BusAddress.all(
                environment["DBUS_SESSION_BUS_ADDRESS"],
                fallback: "\(runtime)/bus"
            )
        )
        system = try? BusConnection(
            BusAddress.all(
                environment["DBUS_SYSTEM_BUS_ADDRESS"],
                fallback: "/run/dbus/system_bus_socket"
            )
        )
        openings = Openings.read(openingsPath)
        attendant = Attendant(path: socket) { [weak self] in self?.take($0) }
        notices = Notices { [weak self] in self?.show($0, $1, $2) }
        watch = SessionWatch(session, system, sessionID: environment["XDG_SESSION_ID"]) {
            [weak self] in self?.mustReport = true
        }
        tray = session.map { bus in TrayItem(bus) { [weak self] in self?.choose($0) } }
        session?.matchOwner(of: Self.notifications)
        session?.owner(of: Self.notifications) { [weak self] in self?.hasNotifications = $0 != nil }
    }

    private static let notifications = "org.freedesktop.Notifications"

    /// Whether there is a bus to listen to.
    package var hasBus: Bool { session != nil || system != nil }

    /// Runs until a bus is lost.
    package func run() {
        while session?.isLost != true, system?.isLost != true {
            let now = SystemClock.now().monotonic.milliseconds
            watch?.tick(now)
            notices?.tick(now)
            if notices?.takeWarning(SystemClock.now().wall) == true { askForExemptions() }
            if mustReport || attendant.map({ $0.due <= now }) == true { report(now) }
            wait()
            attendant?.turn()
            session?.turn { message in
                if let change = message.ownerChange, change.name == Self.notifications {
                    hasNotifications = change.owner != nil
                }
                watch?.takeSession(message)
                tray?.take(message)
            }
            system?.turn { watch?.takeSystem($0, now: SystemClock.now().monotonic.milliseconds) }
        }
    }

    private func report(_ now: Int64) {
        mustReport = false
        readOpenings()
        let closed = watch?.closed ?? []
        var knows = watch?.sources ?? []
        if tray?.isInPanel == true { knows.append("tray") }
        if hasNotifications { knows.append("notifications") }
        attendant?.report(closed, knows: knows, at: now) { [weak self] in
            if closed.contains("asleep") { self?.watch?.letSleep() }
        }
    }

    /// Looks, with each beat, whether somebody opened a release.
    private func readOpenings() {
        guard let new = Openings.read(openingsPath), new != openings else { return }
        let before = openings?.count ?? 0
        openings = new
        tray?.show(openings: new)
        guard new.count > before, let words = new.words else { return }
        show("mci: a release was opened", "\(words). See: mcictl release trace", .normal)
    }

    /// Waits for the next message or moment.
    private func wait() {
        guard !mustReport else { return }
        var watched: [pollfd] = [session, system].compactMap(\.self).map {
            Self.watch($0.descriptor, $0.hasOutput)
        }
        watched += (attendant?.links ?? []).map { Self.watch($0.descriptor, $0.hasOutput) }
        let now = SystemClock.now().monotonic.milliseconds
        let due = [attendant?.due, watch?.due, notices?.due(now, SystemClock.now().wall)]
            .compactMap(\.self).min()
        let timeout = due.map { Int32(clamping: max(0, $0 - now)) } ?? -1
        _ = unsafe poll(&watched, nfds_t(watched.count), timeout)
    }

    private static func watch(_ descriptor: Int32, _ writes: Bool) -> pollfd {
        pollfd(fd: descriptor, events: Int16(POLLIN | (writes ? POLLOUT : 0)), revents: 0)
    }

    // MARK: mcid

    private func take(_ new: Status?) {
        let before = status
        status = new
        tray?.show(new)
        guard let new else { return }
        notices?.take(new, SystemClock.now().monotonic.milliseconds, SystemClock.now().wall)
        if before?.exemptions != new.exemptions { askForExemptions() }
    }

    private func askForExemptions() {
        attendant?.call(.listExemptions) { [weak self] answer in
            guard case .success(let reply)? = answer else { return }
            self?.notices?.warn(reply.exemptions ?? [], SystemClock.now().wall)
        }
    }

    // MARK: The person

    private func choose(_ item: Menu.Item) {
        switch item {
        case .pause15: call(.pause(.init(seconds: 15 * 60)))
        case .pause30: call(.pause(.init(seconds: 30 * 60)))
        case .pause60: call(.pause(.init(seconds: 60 * 60)))
        case .pauseTomorrow: call(.pause(.init(until: Words.tomorrow)))
        case .resume: call(.resume)
        case .exemptFront:
            call(.exempt(ExemptCall(front: true))) { _ in "It is exempt from now on." }
        case .forget5: forget(minutes: 5)
        case .forget15: forget(minutes: 15)
        case .report:
            // A protected key needs a terminal, which asks for the passphrase.
            let again = "mcictl report; printf \"Press Enter. \"; read -r line"
            let terminal = "x-terminal-emulator -e sh -c '\(again)'"
            start(["sh", "-c", "mcictl report </dev/null || \(terminal)"])
        case .settings:
            let shell = "mcictl set --help; exec \"${SHELL:-sh}\""
            start(["x-terminal-emulator", "-e", "sh", "-c", shell])
        case .openings:
            let again = "mcictl release trace; printf \"Press Enter. \"; read -r line"
            start(["x-terminal-emulator", "-e", "sh", "-c", again])
        case .leave:
            call(.leave)
            exit(Self.left)
        case .root, .state, .firstLine, .secondLine, .pause, .forget: break
        }
    }

    /// The exit status after “Go on without this icon”; the unit does not start it again.
    package static let left: Int32 = 77

    private func forget(minutes: Int64) {
        let since = WallTime(SystemClock.now().wall.milliseconds - minutes * 60_000)
        call(.forget(.init(since: since.text))) { "\($0.batches ?? 0) batches were erased." }
    }

    /// Makes a call, and shows what it did where `words` says it, or why it was refused.
    private func call(
        _ call: ControlCall,
        words: @escaping (ControlReply) -> String? = { _ in nil }
    ) {
        attendant?.call(call) { [weak self] answer in
            switch answer {
            case .success(let reply): words(reply).map { self?.show("mci", $0, .normal) }
            case .failure(let refusal): self?.show("mci", refusal.reason, .normal)
            case nil: self?.show("mci", "mcid does not run. See: mcictl status", .normal)
            }
        }
    }

    /// Shows a notification, where the desktop has a place for them.
    private func show(_ title: String, _ text: String, _ urgency: Notices.Urgency) {
        let arguments: [BusValue] = [
            .string("mci"), .uint32(0), .string(""), .string(title), .string(text),
            .strings([]), .dictionary([("urgency", .byte(urgency.rawValue))]), .int32(-1),
        ]
        let (name, path) = (Self.notifications, "/org/freedesktop/Notifications")
        session?.call(.call(name, path, name, "Notify", arguments)) { _ in }
    }

    /// Has the notice shown once in this login, if the person has not decided yet.
    ///
    /// - Parameter paths: where the person's decision is, and that they were asked.
    package func askForConsent(_ paths: Paths) {
        guard let controls = try? ControlsFile(paths).read(), controls.consent == nil,
            controls.withdrawnAt == nil, environment["DISPLAY"] != nil,
            let file = try? Disk.make(paths.asked)
        else { return }
        close(file)
        start(["mcictl", "consent", "--dialog"])
    }

    /// Starts a program that goes on by itself; nothing happens where it is missing.
    ///
    /// A service's program would inherit the unit's limits, so systemd starts it beside the unit.
    private func start(_ command: [String]) {
        signal(SIGCHLD, SIG_IGN)
        let isService = environment["INVOCATION_ID"] != nil
        let runner = isService ? ["systemd-run", "--user", "--quiet", "--collect"] : []
        let command = runner + command
        let words = unsafe command.map { unsafe strdup($0) }
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var id: pid_t = 0
        _ = unsafe posix_spawnp(&id, command[0], nil, nil, words + [nil], environ)
    }
}
