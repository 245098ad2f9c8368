// SPDX-License-Identifier: Apache-2.0

import Events

/// Finds the windows inside a program's window that are another program's, or have a class of their own.
///
/// A program that embeds another (XEmbed, a viewer in a browser, tabbed) keeps the focus and the pointer's
/// crossings to itself and passes on what is typed, so that nothing in the streams says which of both got
/// an event. So what is embedded counts as a part of its host: the strictest of what the rules say of them
/// decides, for keys and for the pointer.
///
/// Both streams share it. All is asked and watched on the keyboard's connection.
final class EmbeddedWindows {
    /// What is inside a host.
    struct Inside {
        var facts: [WindowFacts] = []
        var programs: [WindowSnapshot.Program] = []
        var hasTitle = false
        /// The host and all that is in it.
        fileprivate var windows: Set<UInt> = []
        /// Those of other programs and those with a class.
        fileprivate var notable: Set<UInt> = []
    }

    /// How often what is inside some host changed.
    private(set) var changes = 0

    private var versions: [UInt: Int] = [:]
    private var epoch = 0

    private unowned let connection: X11Connection
    private var known: [UInt: Inside] = [:]

    /// A host with more windows than this cannot be looked through: nobody can say what is in it.
    private static let maxWindows = 4096

    /// - Parameter connection: the keyboard's, which outlives this.
    init(_ connection: X11Connection) {
        self.connection = connection
    }

    /// All is found out anew.
    func forgetAll() {
        known.removeAll()
        epoch += 1
        changes += 1
    }

    /// Another number after what is inside a host has changed.
    func version(of host: UInt) -> Int { epoch + versions[host, default: 0] }

    /// Whether nothing has changed since hosts had these versions.
    func hold(_ hosts: [UInt: Int]) -> Bool { hosts.allSatisfy { version(of: $0.key) == $0.value } }

    /// Forgets what an event of the keyboard's stream makes void.
    ///
    /// - Parameter event: the event.
    /// - Returns: the hosts in which other windows count from here on, or may.
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
            // Most are of the host itself, which makes and removes them all the time.
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

    /// What is inside a window that a window manager manages.
    ///
    /// - Parameters:
    ///   - host: the window.
    ///   - isTitleNeeded: of which windows the title is read.
    /// - Returns: nil where nobody can say.
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
