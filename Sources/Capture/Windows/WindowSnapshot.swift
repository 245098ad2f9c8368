// SPDX-License-Identifier: Apache-2.0

import Events

/// The properties of a window, as read at one time.
struct WindowSnapshot {
    /// The program behind a window.
    struct Program: Equatable {
        /// Its process id, from the server (X-Resource) or else from the window (_NET_WM_PID).
        var process: Int32?
        var isRemote = false
        var isKnownTerminal = false
        /// Whether a window of its class may show no terminal.
        var mayHaveNone = false
    }

    /// The child of the root that the window is or is in.
    let top: UInt
    /// The window that the facts describe; the child of the root if no window has a class.
    var subject: UInt
    /// The facts of the subject; nil if it has no class.
    var facts: WindowFacts?
    var hasTitle = false
    /// Whether it is a menu, a tooltip or the like, which belongs to another window.
    var isPopup: Bool
    /// The window that it names as its owner (WM_TRANSIENT_FOR).
    var owner: UInt?
    /// Its program and the embedded ones.
    var programs: [Program] = []
    /// The window that may contain embedded ones, with the version of its contents at the reading.
    var hosts: [UInt: Int] = [:]
    /// The windows whose change or end invalidates the snapshot.
    var sources: Set<UInt> = []

    /// Reads a window: its frame, the client window in the frame, and that window's properties.
    ///
    /// The result is nil when the window is gone or is not an ordinary one. It selects first, then
    /// reads, so no change is missed. It costs some ten round trips, once per window.
    ///
    /// - Parameters:
    ///   - window: The window that has the focus or contains the pointer.
    ///   - connection: The connection for the queries.
    ///   - role: The purpose of the connection, which decides what is needed.
    ///   - embedded: The cache of embedded windows.
    ///   - isTitleNeeded: Decides which windows' titles are read.
    init?(
        _ window: UInt,
        _ connection: X11Connection,
        _ role: X11Connection.Role,
        _ embedded: EmbeddedWindows,
        _ isTitleNeeded: (WindowFacts) -> Bool
    ) {
        var chain: [UInt] = []
        var next = window
        repeat {
            guard next != 0, next != connection.root, chain.count < 16,
                !connection.otherRoots.contains(next)
            else { return nil }
            connection.watch(next, for: .facts(role))
            chain.append(next)
            guard let parent = connection.family(of: next)?.parent else { return nil }
            next = parent
        } while next != connection.root
        top = chain[chain.count - 1]
        guard let isOverrideRedirect = connection.isOverrideRedirect(top) else { return nil }

        var found: (UInt, (app: ServerText, instance: ServerText))?
        for window in chain where found == nil {
            found = connection.ownClass(of: window).map { (window, $0) }
        }
        // A frame belongs to the window manager, and the client is inside.
        if found == nil || found?.0 == top, !connection.isManaged(top),
            let inner = Self.client(inside: top, connection, orAnyClass: found == nil)
        {
            connection.watch(inner, for: .facts(role))
            chain.append(inner)
            found = connection.ownClass(of: inner).map { (inner, $0) } ?? found
        }
        subject = found?.0 ?? top
        sources = Set(chain)
        let isOwn = connection.client(of: subject) == connection.client(of: top)
        isPopup = found == nil || (isOverrideRedirect && isOwn)
        if isPopup { owner = connection.owner(of: subject) }
        if let (app, instance) = found?.1 {
            var facts = Self.facts(of: subject, app, instance, connection, isTitleNeeded)
            hasTitle = isTitleNeeded(facts)
            if role == .keyboard { programs = [Self.program(of: subject, app.text, connection)] }
            // The windows around the subject, and the windows in it.
            for window in chain where window != subject {
                guard let outer = Self.facts(of: window, connection, isTitleNeeded) else {
                    continue
                }
                hasTitle = hasTitle || isTitleNeeded(outer)
                facts.around.append(outer)
            }
            let host = chain.last { connection.isManaged($0) } ?? subject
            hosts = [host: embedded.version(of: host)]
            guard let inside = embedded.inside(host, isTitleNeeded) else { return nil }
            facts.around += inside.facts.filter { !$0.isLike(facts) }
            programs += inside.programs
            hasTitle = hasTitle || inside.hasTitle
            self.facts = facts
        }
        guard !connection.isLost else { return nil }
    }

    /// The facts of a window; nil if it has no class.
    static func facts(
        of window: UInt,
        _ connection: X11Connection,
        _ isTitleNeeded: (WindowFacts) -> Bool
    ) -> WindowFacts? {
        connection.ownClass(of: window).map { app, instance in
            facts(of: window, app, instance, connection, isTitleNeeded)
        }
    }

    private static func facts(
        of window: UInt,
        _ app: ServerText,
        _ instance: ServerText,
        _ connection: X11Connection,
        _ isTitleNeeded: (WindowFacts) -> Bool
    ) -> WindowFacts {
        var facts = WindowFacts(app: app.text, instance: instance.text)
        facts.others.app = app.other
        facts.others.instance = instance.other
        if isTitleNeeded(facts) {
            let title = connection.title(of: window)
            facts.title = title?.text
            facts.others.title = title?.other
        }
        return facts
    }

    /// The program behind a window.
    ///
    /// - Parameters:
    ///   - window: The window.
    ///   - app: Its class.
    ///   - connection: The connection for the queries.
    /// - Returns: The program, as far as it is known.
    static func program(of window: UInt, _ app: String, _ connection: X11Connection) -> Program {
        var program = Program()
        program.process = connection.wire.process(of: window) ?? connection.process(of: window)
        if program.process == nil, let leader = connection.leader(of: window) {
            program.process = connection.process(of: leader)
        }
        program.isRemote = connection.isRemote(window)
        program.isKnownTerminal = KnownTerminals.contains(app)
        program.mayHaveNone = !KnownTerminals.isEmulator(app)
        return program
    }

    /// The client window in a frame: a managed one, or else any window with a class.
    private static func client(
        inside top: UInt,
        _ connection: X11Connection,
        orAnyClass takesAny: Bool
    ) -> UInt? {
        var level = [top]
        var withClass: UInt?
        var left = 64
        for _ in 0..<3 {
            var below: [UInt] = []
            for window in level {
                below += connection.family(of: window)?.children.prefix(left - below.count) ?? []
            }
            for window in below {
                if connection.isManaged(window) { return window }
                if takesAny, withClass == nil, connection.ownClass(of: window) != nil {
                    withClass = window
                }
            }
            left -= below.count
            level = below
        }
        return withClass
    }
}
