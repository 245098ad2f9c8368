// SPDX-License-Identifier: Apache-2.0

import Events

/// What a window says of itself, as it was read at one time.
struct WindowPage {
    /// The program behind a window.
    struct Program {
        var process: Int32?
        var isElsewhere = false
        var isKnownTerminal = false
    }

    /// The child of the root that it is, or is in.
    let top: UInt
    /// The window the facts are of; the child of the root where none has a class.
    var subject: UInt
    /// What the subject says; nil where it has no class.
    var facts: WindowFacts?
    var hasTitle = false
    /// Whether it is a menu, a tooltip or the like, which belongs to another window.
    var isPopup: Bool
    /// The window it names as its owner.
    var owner: UInt?
    var program = Program()
    /// The windows whose change or end makes this void.
    var sources: [UInt] = []
    /// Changes with a smaller serial number are in here already.
    var readSince: UInt
    /// The serial number from which on this holds.
    var validFrom: UInt = 0

    /// Reads a window: its frame, the client window in the frame, and what that says.
    ///
    /// It is nil when the window is gone or is no ordinary one. Every window is watched first and read then, so that no change falls between. It costs some
    /// ten round trips, once for each window.
    ///
    /// - Parameters:
    ///   - window: where the focus or the pointer is.
    ///   - connection: where to ask.
    ///   - role: what the connection is for, which decides what is needed.
    ///   - isTitleNeeded: of which windows the title is read.
    init?(
        _ window: UInt,
        _ connection: X11Connection,
        _ role: X11Connection.Role,
        _ isTitleNeeded: (WindowFacts) -> Bool
    ) {
        readSince = connection.placeBeforeQuestion
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
        // A frame is the window manager's: the client is inside.
        if found == nil || found?.0 == top, !connection.isManaged(top),
            let inner = Self.client(inside: top, connection, orAnyClass: found == nil)
        {
            connection.watch(inner, for: .facts(role))
            chain.append(inner)
            found = connection.ownClass(of: inner).map { (inner, $0) } ?? found
        }
        subject = found?.0 ?? top
        sources = chain
        let isOwn = connection.client(of: subject) == connection.client(of: top)
        isPopup = found == nil || (isOverrideRedirect && isOwn)
        if isPopup { owner = connection.owner(of: subject) }
        if let (app, instance) = found?.1 {
            var facts = WindowFacts(app: app.text, instance: instance.text)
            facts.others.app = app.other
            facts.others.instance = instance.other
            if role == .keyboard { readProgram(app.text, connection) }
            if isTitleNeeded(facts) {
                hasTitle = true
                let title = connection.title(of: subject)
                facts.title = title?.text
                facts.others.title = title?.other
            }
            self.facts = facts
        }
        guard !connection.isLost else { return nil }
        validFrom = connection.placeAfterAnswer
    }

    private mutating func readProgram(_ app: String, _ connection: X11Connection) {
        program.process = connection.process(of: subject)
        if program.process == nil, let leader = connection.leader(of: subject) {
            program.process = connection.process(of: leader)
        }
        program.isElsewhere = connection.isElsewhere(subject)
        program.isKnownTerminal = KnownTerminals.contains(app)
    }

    /// The client window in a frame: one that is managed, or else any that has a class.
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
