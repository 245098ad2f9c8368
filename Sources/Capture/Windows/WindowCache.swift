// SPDX-License-Identifier: Apache-2.0

import Events

/// A cache of the windows seen on one connection; each is read once and again after a change.
///
/// Each entry is dated, and a change in the stream after the reading began invalidates it. At a key
/// or a motion, the facts are therefore those of that moment, or there are none.
struct WindowCache {
    /// Which application receives a window's input.
    struct Attribution {
        var facts: WindowFacts
        /// Whether a change of title invalidates it.
        var hasTitle: Bool
        /// The programs whose terminals it may show: its own first, then embedded ones.
        var programs: [WindowSnapshot.Program]
        /// The windows whose changes invalidate it.
        var sources: Set<UInt>
        /// The windows that may contain embedded ones, with the version of their contents.
        var hosts: [UInt: Int]
        /// The number of changes of embedded windows anywhere when it was found.
        ///
        /// While the number is the same, the hosts need not be checked.
        var changes: Int
    }

    private let role: X11Connection.Role
    private let history: ClientHistory
    private let embedded: EmbeddedWindows
    private var isTitleNeeded: (WindowFacts) -> Bool
    private var snapshots: [UInt: Dated<WindowSnapshot>] = [:]

    init(
        _ role: X11Connection.Role,
        _ history: ClientHistory,
        _ embedded: EmbeddedWindows,
        _ isTitleNeeded: @escaping (WindowFacts) -> Bool
    ) {
        self.role = role
        self.history = history
        self.embedded = embedded
        self.isTitleNeeded = isTitleNeeded
    }

    /// Changes the windows whose titles are read; everything is queried again.
    mutating func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        isTitleNeeded = isNeeded
        snapshots.removeAll()
        if role == .keyboard { embedded.forgetAll() }
    }

    /// Whether changes of a window are selected because the cache depends on it.
    func watches(_ window: UInt) -> Bool {
        snapshots.values.contains { $0.value.sources.contains(window) }
    }

    /// The child of the root that a window is or is in; nil if unknown.
    func top(of window: UInt) -> UInt? { snapshots[window]?.value.top }

    /// Whether a window is known to be a window manager's frame around a program's window.
    func isFrame(_ window: UInt) -> Bool {
        snapshots[window].map { $0.value.subject != window } ?? false
    }

    // MARK: Changes

    /// Forgets what an event invalidates.
    ///
    /// - Parameters:
    ///   - event: The event, in stream order.
    ///   - serial: The event's serial.
    ///   - attribution: The attribution in use.
    /// - Returns: Whether that is invalidated.
    mutating func take(
        _ event: X11Event,
        _ serial: StreamSerial,
        inUse attribution: Dated<Attribution>?
    ) -> Bool {
        var isInvalidated = false
        for host in role == .keyboard ? embedded.take(event) : [] {
            forget(host, serial)
            isInvalidated = isInvalidated || attribution?.isInvalidated(host, serial) ?? false
        }
        return takeOwn(event, serial, inUse: attribution) || isInvalidated
    }

    private mutating func takeOwn(
        _ event: X11Event,
        _ serial: StreamSerial,
        inUse attribution: Dated<Attribution>?
    ) -> Bool {
        switch event {
        case .propertyChanged(let window, .title):
            forget(window, serial, titlesOnly: true)
            return attribution.map { $0.value.hasTitle && $0.isInvalidated(window, serial) }
                ?? false
        case .propertyChanged(let window, .identity), .reparented(let window, _),
            .created(let window, _):
            forget(window, serial)
            return attribution?.isInvalidated(window, serial) ?? false
        case .destroyed(let window):
            // The server reuses ids.
            history.forget(window)
            forget(window, serial)
            return attribution?.isInvalidated(window, serial) ?? false
        default: return false
        }
    }

    private mutating func forget(
        _ window: UInt,
        _ serial: StreamSerial,
        titlesOnly: Bool = false
    ) {
        for (key, snapshot) in snapshots
        where snapshot.isOutdated(byChangeAt: serial) && snapshot.value.sources.contains(window)
            && (snapshot.value.hasTitle || !titlesOnly)
        {
            snapshots[key] = nil
        }
    }

    /// Whether embedded windows have changed since an attribution was found.
    func isStale(_ attribution: Attribution) -> Bool {
        attribution.changes != embedded.changes && !embedded.hold(attribution.hosts)
    }

    // MARK: Attribution

    /// Finds the application that receives a window's input; nil if unknown.
    ///
    /// A popup belongs to the window it names. Otherwise it belongs to the windows that its client
    /// last had in front and under the pointer, if their facts are equal. Without those it belongs
    /// to itself.
    mutating func find(_ window: UInt, _ connection: X11Connection) -> Dated<Attribution>? {
        guard let found = find(window, connection, depth: 0) else { return nil }
        if let snapshot = snapshots[window]?.value, !snapshot.isPopup {
            history.note(snapshot.subject, connection.client(of: snapshot.subject), role)
        }
        return found
    }

    /// Reads what ``find(_:_:)`` needs for a window, and for the program's window inside a frame.
    ///
    /// So later attributions hold from here on.
    mutating func prepare(_ window: UInt, _ connection: X11Connection) {
        _ = find(window, connection, depth: 0)
        if let inner = snapshots[window]?.value.subject, inner != window {
            _ = find(inner, connection, depth: 0)
        }
    }

    private mutating func find(
        _ window: UInt,
        _ connection: X11Connection,
        depth: Int
    ) -> Dated<Attribution>? {
        guard depth < 8, let dated = snapshot(of: window, connection) else { return nil }
        let snapshot = dated.value
        let own = dated.map { Attribution($0, embedded.changes) }.unwrapped()
        guard snapshot.isPopup else { return own }
        if let owner = snapshot.owner, owner != window,
            let found = find(owner, connection, depth: depth + 1)
        {
            return found.joined(dated)
        }
        let others = history.windows(of: connection.client(of: snapshot.subject))
            .filter { $0 != window && $0 != snapshot.subject }
            .compactMap { find($0, connection, depth: depth + 1) }
        guard let first = others.first else { return own }
        guard others.allSatisfy({ $0.value.facts == first.value.facts }) else { return nil }
        return others.dropFirst().reduce(first) { $0.joined($1) }.joined(dated)
    }

    private mutating func snapshot(
        of window: UInt,
        _ connection: X11Connection
    ) -> Dated<WindowSnapshot>? {
        // Embedded windows are reported on the keyboard's connection only.
        if let known = snapshots[window], embedded.hold(known.value.hosts) { return known }
        let snapshot = connection.dated {
            WindowSnapshot(window, connection, role, embedded, isTitleNeeded)
        }.unwrapped()
        if let snapshot { snapshots[window] = snapshot }
        return snapshot
    }
}

extension WindowCache.Attribution {
    /// The attribution of a window to itself; nil if it has no class.
    fileprivate init?(_ snapshot: WindowSnapshot, _ changes: Int) {
        guard let facts = snapshot.facts else { return nil }
        self.init(
            facts: facts,
            hasTitle: snapshot.hasTitle,
            programs: snapshot.programs,
            sources: snapshot.sources,
            hosts: snapshot.hosts,
            changes: changes
        )
    }

    fileprivate func joined(_ sources: Set<UInt>, _ hosts: [UInt: Int]) -> Self {
        var result = self
        result.sources.formUnion(sources)
        // The older of two versions is kept, so that a change of either invalidates it.
        result.hosts.merge(hosts) { min($0, $1) }
        return result
    }
}

extension Dated<WindowCache.Attribution> {
    /// Whether a change of a window at a serial invalidates it.
    fileprivate func isInvalidated(_ window: UInt, _ serial: StreamSerial) -> Bool {
        isOutdated(byChangeAt: serial) && value.sources.contains(window)
    }

    /// The same facts, which changes of a popup that belongs to them invalidate too.
    fileprivate func joined(_ snapshot: Dated<WindowSnapshot>) -> Self {
        combined(with: snapshot) { $0.joined($1.sources, $1.hosts) }
    }

    fileprivate func joined(_ other: Self) -> Self {
        combined(with: other) { $0.joined($1.sources, $1.hosts) }
    }
}

/// The windows that each X client last had in front and under the pointer.
///
/// Both connections share it, because a menu opened with the pointer may take keys.
final class ClientHistory {
    private var focused: [UInt: UInt] = [:]
    private var entered: [UInt: UInt] = [:]

    func note(_ window: UInt, _ client: UInt, _ role: X11Connection.Role) {
        if role == .keyboard { focused[client] = window } else { entered[client] = window }
    }

    func windows(of client: UInt) -> [UInt] {
        [focused[client], entered[client]].compactMap(\.self)
    }

    func forget(_ window: UInt) {
        for (client, known) in focused where known == window { focused[client] = nil }
        for (client, known) in entered where known == window { entered[client] = nil }
    }
}
