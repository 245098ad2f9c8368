// SPDX-License-Identifier: Apache-2.0

import Events

/// What is known of the windows seen on one connection, each read once and again when it changed.
///
/// A reply tells how things are when the server answers, while the events that are being looked at
/// are older. So all that is found says from which place of the stream on it holds, and a change
/// that stands in the stream after the reading began makes it void: at a key or a movement the
/// facts are those of that very moment, or there are none.
struct WindowCache {
    /// Whose input it is that a window gets.
    struct Attribution {
        var facts: WindowFacts
        /// Whether a change of title makes this void.
        var hasTitle: Bool
        /// The programs whose terminals it may show: its own first, then those of what is embedded in it.
        var programs: [WindowSnapshot.Program]
        var sources: Set<UInt>
        var readSince: UInt
        /// The serial number from which on this holds.
        var validFrom: UInt
        /// The windows in which others may be embedded, with the version of what was.
        var hosts: [UInt: Int]
        /// How often what is embedded had changed anywhere when this was found: while it has not since, there
        /// is no need to look at the hosts.
        var changes: Int

        /// Whether a change of a window at a place in the stream makes this void.
        func isInvalidated(_ window: UInt, _ serial: UInt) -> Bool {
            serial >= readSince && sources.contains(window)
        }
    }

    private let role: X11Connection.Role
    private let history: ClientHistory
    private let embedded: EmbeddedWindows
    private var isTitleNeeded: (WindowFacts) -> Bool
    private var snapshots: [UInt: WindowSnapshot] = [:]

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

    /// Reads the titles of other windows than before; all is found out anew.
    mutating func readTitles(where isNeeded: @escaping (WindowFacts) -> Bool) {
        isTitleNeeded = isNeeded
        snapshots.removeAll()
        if role == .keyboard { embedded.forgetAll() }
    }

    /// Whether changes of a window are told because something is known of it.
    func watches(_ window: UInt) -> Bool {
        snapshots.values.contains { $0.sources.contains(window) }
    }

    /// The child of the root that a window is, or is in; nil where nothing is known of it.
    func top(of window: UInt) -> UInt? { snapshots[window]?.top }

    /// Whether a window is known to be the window manager's, around a program's.
    func isFrame(_ window: UInt) -> Bool { snapshots[window].map { $0.subject != window } ?? false }

    // MARK: Changes

    /// Forgets what an event makes void.
    ///
    /// - Parameters:
    ///   - event: the event, in the order of the stream.
    ///   - serial: its place there.
    ///   - attribution: what is in use.
    /// - Returns: whether that is void now.
    mutating func take(_ event: X11Event, _ serial: UInt, inUse attribution: Attribution?) -> Bool {
        var isInvalidated = false
        for host in role == .keyboard ? embedded.take(event) : [] {
            forget(host, serial)
            isInvalidated = isInvalidated || attribution?.isInvalidated(host, serial) ?? false
        }
        return takeOwn(event, serial, inUse: attribution) || isInvalidated
    }

    private mutating func takeOwn(
        _ event: X11Event,
        _ serial: UInt,
        inUse attribution: Attribution?
    ) -> Bool {
        switch event {
        case .propertyChanged(let window, .title):
            forget(window, serial, titlesOnly: true)
            return attribution.map { $0.hasTitle && $0.isInvalidated(window, serial) } ?? false
        case .propertyChanged(let window, .identity), .reparented(let window, _),
            .created(let window, _):
            forget(window, serial)
            return attribution?.isInvalidated(window, serial) ?? false
        case .destroyed(let window):
            // Ids are given again.
            history.forget(window)
            forget(window, serial)
            return attribution?.isInvalidated(window, serial) ?? false
        default: return false
        }
    }

    private mutating func forget(
        _ window: UInt,
        _ serial: UInt,
        titlesOnly: Bool = false
    ) {
        for (key, snapshot) in snapshots
        where serial >= snapshot.readSince && snapshot.sources.contains(window)
            && (snapshot.hasTitle || !titlesOnly)
        {
            snapshots[key] = nil
        }
    }

    /// Whether something is embedded somewhere, or is not any more, of which nothing was known when a window
    /// was found.
    func isStale(_ attribution: Attribution) -> Bool {
        attribution.changes != embedded.changes && !embedded.hold(attribution.hosts)
    }

    // MARK: Attribution

    /// Whose input a window gets; nil where nobody can say.
    ///
    /// A popup belongs to the window it names; else to the one its client last had in front or
    /// under the pointer, where these are alike; else to itself.
    mutating func find(_ window: UInt, _ connection: X11Connection) -> Attribution? {
        guard let found = find(window, connection, depth: 0) else { return nil }
        if let snapshot = snapshots[window], !snapshot.isPopup {
            history.note(snapshot.subject, connection.client(of: snapshot.subject), role)
        }
        return found
    }

    /// Reads what ``find(_:_:)`` needs for a window, and for the program's own window inside a frame, so
    /// that what it finds holds from here on.
    mutating func prepare(_ window: UInt, _ connection: X11Connection) {
        _ = find(window, connection, depth: 0)
        if let inner = snapshots[window]?.subject, inner != window {
            _ = find(inner, connection, depth: 0)
        }
    }

    private mutating func find(
        _ window: UInt,
        _ connection: X11Connection,
        depth: Int
    ) -> Attribution? {
        guard depth < 8, let snapshot = snapshot(of: window, connection) else { return nil }
        let own = snapshot.facts.map {
            Attribution(
                facts: $0,
                hasTitle: snapshot.hasTitle,
                programs: snapshot.programs,
                sources: snapshot.sources,
                readSince: snapshot.readSince,
                validFrom: snapshot.validFrom,
                hosts: snapshot.hosts,
                changes: embedded.changes
            )
        }
        guard snapshot.isPopup else { return own }
        if let owner = snapshot.owner, owner != window,
            let found = find(owner, connection, depth: depth + 1)
        {
            return found.joined(snapshot)
        }
        let others = history.windows(of: connection.client(of: snapshot.subject))
            .filter { $0 != window && $0 != snapshot.subject }
            .compactMap { find($0, connection, depth: depth + 1) }
        guard let first = others.first else { return own }
        guard others.allSatisfy({ $0.facts == first.facts }) else { return nil }
        return others.dropFirst().reduce(first) { $0.joined($1) }.joined(snapshot)
    }

    private mutating func snapshot(of window: UInt, _ connection: X11Connection) -> WindowSnapshot?
    {
        // What is embedded is told on the keyboard's connection alone.
        if let known = snapshots[window], embedded.hold(known.hosts) { return known }
        let snapshot = WindowSnapshot(window, connection, role, embedded, isTitleNeeded)
        if let snapshot { snapshots[window] = snapshot }
        return snapshot
    }
}

extension WindowCache.Attribution {
    /// The same facts, void also when a popup that belongs to them changes.
    fileprivate func joined(_ snapshot: WindowSnapshot) -> Self {
        joined(snapshot.sources, snapshot.readSince, snapshot.validFrom, snapshot.hosts)
    }

    fileprivate func joined(_ other: Self) -> Self {
        joined(other.sources, other.readSince, other.validFrom, other.hosts)
    }

    private func joined(
        _ sources: Set<UInt>,
        _ readSince: UInt,
        _ validFrom: UInt,
        _ hosts: [UInt: Int]
    ) -> Self {
        var result = self
        result.sources.formUnion(sources)
        result.readSince = min(readSince, self.readSince)
        result.validFrom = max(validFrom, self.validFrom)
        // Of two versions the older one: it is void as soon as either is.
        result.hosts.merge(hosts) { min($0, $1) }
        return result
    }
}

/// The windows that each client of the server last had in front and under the pointer.
///
/// Both connections share it, for a menu opened with the pointer may take keys.
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
