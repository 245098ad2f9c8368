// SPDX-License-Identifier: Apache-2.0

import Events

/// Finds windows inside a program's window that belong to another program or have their own class.
///
/// A program that embeds another (XEmbed, a viewer in a browser, tabbed) keeps the focus and the
/// pointer's crossings and passes on the typed keys. So the streams do not say which of the two got
/// an event. Embedded windows therefore count as part of their host: the strictest verdict on any
/// of them applies, for keys and for the pointer.
///
/// Both streams share one instance. All queries and selections use the keyboard's connection.
final class EmbeddedWindows {
    /// The contents of a host window.
    struct Inside {
        var facts: [WindowFacts] = []
        var programs: [WindowSnapshot.Program] = []
        var hasTitle = false
        /// The host and all windows in it.
        fileprivate var windows: Set<UInt> = []
        /// The windows of other programs and those with a class.
        fileprivate var notable: Set<UInt> = []
    }

    /// The number of changes of any host's contents.
    private(set) var changes = 0

    private var versions: [UInt: Int] = [:]
    private var epoch = 0

    private unowned let connection: X11Connection
    private var known: [UInt: Inside] = [:]

    /// Maximum windows in a host; beyond it, the contents count as unknown.
    private static let maxWindows = 4096

    /// Creates the cache.
    ///
    /// - Parameter connection: The keyboard's connection, which outlives this object.
    init(_ connection: X11Connection) {
        self.connection = connection
    }

    /// Forgets everything, so that it is queried again.
    func forgetAll() {
        known.removeAll()
        epoch += 1
        changes += 1
    }

    /// A number that changes whenever the contents of a host change.
    func version(of host: UInt) -> Int { epoch + versions[host, default: 0] }

    /// Whether the contents of these hosts have not changed since they had these versions.
    func hold(_ hosts: [UInt: Int]) -> Bool { hosts.allSatisfy { version(of: $0.key) == $0.value } }

    /// Forgets what an event of the keyboard's stream invalidates.
    ///
    /// - Parameter event: The event.
    /// - Returns: The hosts whose contents have changed from here on, or may have.
    func take(_ event: X11Event) -> [UInt] {
        var changed: [UInt] = []
        for (host, inside) in known where isInvalidated(inside, of: host, by: event) {
            known[host] = nil
            versions[host, default: 0] += 1
            changed.append(host)
        }
        if case .destroyed(let window) = event { versions[window] = nil }
        if !changed.isEmpty { changes += 1 }
        return changed
    }

    private func isInvalidated(_ inside: Inside, of host: UInt, by event: X11Event) -> Bool {
        switch event {
        case .created(let window, let parent) where inside.windows.contains(parent):
            // Most belong to the host itself, which creates and destroys windows all the time.
            let isOwn = connection.client(of: window) == connection.client(of: host)
            guard isOwn else { return true }
            connection.watch(window, for: .contents)
            known[host]?.windows.insert(window)
            return connection.ownClass(of: window) != nil
                || connection.family(of: window)?.children.isEmpty == false
        case .reparented(let window, let parent):
            return inside.windows.contains(parent) || inside.windows.contains(window)
        case .destroyed(let window):
            if window == host || inside.notable.contains(window) { return true }
            known[host]?.windows.remove(window)
            return false
        case .propertyChanged(let window, .identity):
            return window != host && inside.windows.contains(window)
        case .propertyChanged(let window, .title):
            return inside.hasTitle && inside.notable.contains(window)
        default: return false
        }
    }

    /// The contents of a window that a window manager manages.
    ///
    /// - Parameters:
    ///   - host: The window.
    ///   - isTitleNeeded: Decides which windows' titles are read.
    /// - Returns: The contents; nil if they are unknown.
    func inside(_ host: UInt, _ isTitleNeeded: (WindowFacts) -> Bool) -> Inside? {
        if let known = known[host] { return known }
        var inside = Inside()
        inside.windows = [host]
        connection.watch(host, for: .contents)
        let owner = connection.client(of: host)
        var waiting = connection.family(of: host)?.children ?? []
        while let window = waiting.popLast() {
            guard inside.windows.count < Self.maxWindows else { return nil }
            guard inside.windows.insert(window).inserted else { continue }
            connection.watch(window, for: .contents)
            waiting += connection.family(of: window)?.children ?? []
            let isForeign = connection.client(of: window) != owner
            if isForeign { inside.notable.insert(window) }
            guard let facts = WindowSnapshot.facts(of: window, connection, isTitleNeeded) else {
                if isForeign {
                    inside.programs.append(WindowSnapshot.program(of: window, "", connection))
                }
                continue
            }
            inside.notable.insert(window)
            inside.hasTitle = inside.hasTitle || isTitleNeeded(facts)
            if !inside.facts.contains(facts) { inside.facts.append(facts) }
            if isForeign {
                inside.programs.append(WindowSnapshot.program(of: window, facts.app, connection))
            }
        }
        guard !connection.isLost else { return nil }
        known[host] = inside
        return inside
    }
}
