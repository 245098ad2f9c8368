// SPDX-License-Identifier: Apache-2.0

import Bus
import Glibc

/// What the desktop says of the session: locked, asleep, or not in front.
///
/// Upstream: logind on the system's bus, and whatever owns a name that ends with `.ScreenSaver` on
/// the session's bus. Downstream: the lease at mcid. Promise: any source closes by itself, and all
/// that are known must agree to open; a source that said “locked” and is gone still counts, until it
/// is there again and says otherwise.
final class SessionWatch {
    /// A program that can lock the screen.
    private struct Saver {
        /// Its unique name; nil while nobody owns the name.
        var owner: String?
        var isActive = false
    }

    private let session: BusConnection?
    private let system: BusConnection?
    private let sessionID: String?
    private let changed: () -> Void

    private var savers: [String: Saver] = [:]
    /// Unique name of logind, and the object of this session; nil while unknown.
    private var logind: String?
    private var sessionPath: String?
    private var isHinted = false
    private var isActive = true
    private var isAsleep = false
    /// Until when a Lock signal without a locker behind it counts, in monotonic milliseconds.
    private var lockEnd: Int64?
    /// Holds sleep back until it is closed.
    private var inhibitor: Int32 = -1

    static let login = "org.freedesktop.login1"
    private static let manager = "org.freedesktop.login1.Manager"
    private static let properties = "org.freedesktop.DBus.Properties"
    private static let suffix = ".ScreenSaver"
    /// Names that are watched before they have said anything.
    private static let knownSavers = [
        "org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.mate.ScreenSaver",
        "org.cinnamon.ScreenSaver", "org.xfce.ScreenSaver",
    ]
    /// Milliseconds for which a Lock signal alone counts.
    private static let lockPatience: Int64 = 5000

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - session: the session's bus; nil where there is none.
    ///   - system: the system's bus; nil where there is none.
    ///   - sessionID: the session's id (`XDG_SESSION_ID`); nil to ask logind.
    ///   - changed: called after each change of ``closed``.
    init(
        _ session: BusConnection?,
        _ system: BusConnection?,
        sessionID: String?,
        changed: @escaping () -> Void
    ) {
        (self.session, self.system) = (session, system)
        (self.sessionID, self.changed) = (sessionID, changed)
        session?.match("type='signal',member='ActiveChanged'")
        for name in Self.knownSavers { watch(name) }
        system?.matchOwner(of: Self.login)
        system?.owner(of: Self.login) { [weak self] in self?.found(logind: $0) }
    }

    deinit { if inhibitor >= 0 { close(inhibitor) } }

    /// The words for what closes, as `Attend` takes them.
    var closed: [String] {
        let isLocked = isHinted || lockEnd != nil || savers.values.contains(where: \.isActive)
        return [("locked", isLocked), ("asleep", isAsleep), ("away", !isActive)]
            .filter(\.1).map(\.0)
    }

    /// The names of what can report a lock here, for `doctor`.
    var sources: [String] {
        let found = savers.filter { $0.value.owner != nil }.keys.sorted()
        return (sessionPath == nil ? [] : [Self.login]) + found
    }

    /// When a Lock signal lapses, in monotonic milliseconds; nil for never.
    var due: Int64? { lockEnd }

    /// Ends what is due.
    func tick(_ now: Int64) {
        guard let lockEnd, lockEnd <= now else { return }
        self.lockEnd = nil
        changed()
    }

    // MARK: Signals

    /// Takes a signal of the session's bus.
    func takeSession(_ signal: BusMessage) {
        if let change = signal.ownerChange, savers[change.name] != nil {
            return found(change.name, owner: change.owner)
        }
        guard signal.member == "ActiveChanged", let name = signal.interface,
            name.hasSuffix(Self.suffix), let isActive = signal.body.first?.flag
        else { return }
        if let saver = savers[name] {
            // Only the owner of the name knows; another one can only have it looked at.
            guard saver.owner == signal.sender else { return ask(name) }
            return set(name, isActive)
        }
        // Who sends the first signal may not own the name.
        watch(name) { [weak self] owner in
            if owner == signal.sender { self?.set(name, isActive) }
        }
    }

    /// Takes a signal of the system's bus.
    func takeSystem(_ signal: BusMessage, now: Int64) {
        if let change = signal.ownerChange, change.name == Self.login {
            return found(logind: change.owner)
        }
        guard let logind, signal.sender == logind else { return }
        if signal.interface == Self.manager, signal.member == "PrepareForSleep" {
            isAsleep = signal.body.first?.flag ?? true
            if !isAsleep { holdSleep() }
            return changed()
        }
        guard signal.path == sessionPath else { return }
        switch signal.member {
        case "Lock": lockEnd = now + Self.lockPatience
        case "Unlock": lockEnd = nil
        case "PropertiesChanged": use(signal.body.dropFirst().first)
        default: return
        }
        changed()
    }

    // MARK: Lockers

    private func watch(_ name: String, _ take: @escaping (String?) -> Void = { _ in }) {
        guard savers[name] == nil, savers.count < 64, let session else { return }
        savers[name] = Saver()
        session.matchOwner(of: name)
        session.owner(of: name) { [weak self] owner in
            self?.found(name, owner: owner)
            take(owner)
        }
    }

    private func found(_ name: String, owner: String?) {
        savers[name]?.owner = owner
        if owner != nil { ask(name) }
    }

    /// Asks a locker whether it is active; without an answer, what it said last remains.
    private func ask(_ name: String) {
        let paths = ["/" + name.split(separator: ".").joined(separator: "/"), "/ScreenSaver"]
        for path in paths {
            var call = BusMessage.call(name, path, name, "GetActive")
            call.startsNothing = true
            session?.call(call) { [weak self] reply in
                if let isActive = reply?.body.first?.flag { self?.set(name, isActive) }
            }
        }
    }

    private func set(_ name: String, _ isActive: Bool) {
        // A locker that is not active yet says nothing about a Lock signal.
        if savers[name]?.isActive == true, !isActive { lockEnd = nil }
        savers[name]?.isActive = isActive
        changed()
    }

    // MARK: logind

    private func found(logind owner: String?) {
        logind = owner
        guard owner != nil else { return }
        system?.match(
            "type='signal',sender='\(Self.login)',interface='\(Self.manager)',"
                + "member='PrepareForSleep'"
        )
        holdSleep()
        let ways: [(String, BusValue)] =
            (sessionID.map { [("GetSession", .string($0))] } ?? [])
            + [("GetSessionByPID", .uint32(UInt32(getpid())))]
        findSession(ways[...])
    }

    /// Finds the object of the session: by its id, by this process, or the user's display.
    private func findSession(_ ways: ArraySlice<(String, BusValue)>) {
        guard let (method, argument) = ways.first else {
            let path = "/org/freedesktop/login1/user/_\(getuid())"
            return get(path, "org.freedesktop.login1.User", "Display") { [weak self] display in
                if let path = display.elements.last?.text { self?.use(session: path) }
            }
        }
        let call = BusMessage.call(
            Self.login,
            "/org/freedesktop/login1",
            Self.manager,
            method,
            [argument]
        )
        system?.call(call) { [weak self] reply in
            guard let path = reply?.body.first?.text else {
                self?.findSession(ways.dropFirst())
                return
            }
            self?.use(session: path)
        }
    }

    private func use(session path: String) {
        sessionPath = path
        system?.match("type='signal',sender='\(Self.login)',path='\(path)'")
        for name in ["LockedHint", "Active"] {
            get(path, "org.freedesktop.login1.Session", name) { [weak self] value in
                self?.use(.dictionary([(name, value)]))
                self?.changed()
            }
        }
    }

    private func get(
        _ path: String,
        _ interface: String,
        _ name: String,
        _ take: @escaping (BusValue) -> Void
    ) {
        let arguments: [BusValue] = [.string(interface), .string(name)]
        system?.call(.call(Self.login, path, Self.properties, "Get", arguments)) { reply in
            if let value = reply?.body.first?.content { take(value) }
        }
    }

    private func use(_ properties: BusValue?) {
        if let isHinted = properties?[key: "LockedHint"]?.flag {
            self.isHinted = isHinted
            // The hint says what becomes of the lock from here on.
            lockEnd = nil
        }
        if let isActive = properties?[key: "Active"]?.flag { self.isActive = isActive }
    }

    // MARK: Sleep

    /// Makes the machine wait before it sleeps, until the gate is closed.
    private func holdSleep() {
        guard inhibitor < 0, let system else { return }
        let words = ["sleep", "mci", "Recording ends before the computer sleeps", "delay"]
        let call = BusMessage.call(
            Self.login,
            "/org/freedesktop/login1",
            Self.manager,
            "Inhibit",
            words.map { .string($0) }
        )
        system.call(call) { [weak self] reply in
            guard let index = reply?.body.first?.number,
                let descriptor = system.takeDescriptor(index)
            else { return }
            guard let self, inhibitor < 0 else {
                close(descriptor)
                return
            }
            inhibitor = descriptor
            // It may have come too late.
            if isAsleep { changed() }
        }
    }

    /// Lets the machine sleep; called once mcid has closed its gate.
    ///
    /// If it woke before mcid answered, what is held is for the next sleep.
    func letSleep() {
        guard isAsleep, inhibitor >= 0 else { return }
        close(inhibitor)
        inhibitor = -1
    }
}
