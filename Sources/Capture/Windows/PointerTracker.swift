// SPDX-License-Identifier: Apache-2.0

import Events

/// Follows the window under the pointer, to which buttons and movements belong.
///
/// Crossings of the root's children (programs' windows, or the frames around them) and raw events
/// stand in one stream, so their order is the truth: a movement belongs to the window in which it
/// begins. A window left is a window unknown, at once.
///
/// While a client grabs the pointer the server tells crossings to that client alone, and what the
/// person does belongs to the window of the grab. A grab that was already in force at the
/// connection is not seen. Of several pointers on one screen all are taken for one.
struct PointerTracker: ContextTracker {
    /// Where the pointer's input goes.
    private enum State: Equatable {
        case unknown
        /// Nobody's window.
        case background
        case window(UInt)
        /// A grab by the root or by a window that is not watched: unknown until its end.
        case held
    }

    private(set) var context: AppContext = .unknown

    private var cache: WindowCache
    private var state = State.unknown
    /// Whose window it is, from a place in the stream on.
    private var attribution: WindowCache.Attribution?
    /// An answer of the server that holds from this serial number on.
    private var answer: (window: UInt, serial: UInt)?
    private var hasAsked = false

    init(_ cache: WindowCache) {
        self.cache = cache
    }

    var isPending: Bool {
        if answer != nil { return true }
        if let attribution, cache.isStale(attribution) { return true }
        if case .unknown = context { return attribution != nil }
        return false
    }

    /// The child of the root the pointer is in, 0 for the root itself; nil where that is not known.
    var window: UInt? {
        switch state {
        case .window(let window): cache.top(of: window)
        case .background: 0
        case .unknown, .held: nil
        }
    }

    mutating func start(_ connection: X11Connection) {
        // In a window of another screen it is nobody's; what is there must be told all the same.
        for root in [connection.root] + connection.otherRoots {
            connection.watch(root, for: .rootCrossing)
            for window in connection.family(of: root)?.children ?? [] {
                connection.watch(window, for: .crossing)
            }
        }
        prepare(connection)
        ask(connection)
    }

    /// Reads what is shown: read now, it holds for the first click into it too.
    private mutating func prepare(_ connection: X11Connection) {
        for window in connection.shownWindows { cache.prepare(window, connection) }
    }

    mutating func readTitles(
        where isNeeded: @escaping (WindowFacts) -> Bool,
        _ connection: X11Connection
    ) {
        cache.readTitles(where: isNeeded)
        prepare(connection)
        guard state != .held else { return }
        go(to: .unknown)
        ask(connection)
    }

    /// Nobody can say where the pointer is; it is asked.
    mutating func lose() {
        answer = nil
        go(to: .unknown)
    }

    mutating func beginRound() {
        hasAsked = false
    }

    mutating func take(_ event: X11Event, serial: UInt, _ connection: X11Connection) {
        settle(serial, connection)
        let isInvalidated = cache.take(event, serial, inUse: attribution)
        switch event {
        case .entered(let window, let mode, let detail, _):
            answer = nil
            if window != connection.root {
                enter(window, serial, connection)
            } else if mode == .grab {
                go(to: .held)
            } else {
                go(to: detail == .virtual ? .unknown : .background)
            }
        case .left(let window, let mode, let detail, _):
            answer = nil
            if detail == .inferior, window != connection.root {
                // Into a window inside: it stays with this one.
                enter(window, serial, connection)
            } else {
                go(to: mode == .grab ? .held : .unknown)
            }
        case .created(let window, _):
            connection.watch(window, for: cache.watches(window) ? .facts(.pointer) : .crossing)
        case .destroyed(let window), .unmapped(let window), .reparented(let window, _):
            // The server tells where the pointer is then.
            if state == .window(window) { go(to: .unknown) }
        default: break
        }
        if isInvalidated, case .window(let window) = state { enter(window, serial, connection) }
    }

    mutating func inputCame(at time: EventTime, _ connection: X11Connection) -> Bool {
        askUnlessKnown(connection)
        return false
    }

    mutating func endRound(_ connection: X11Connection) {
        askUnlessKnown(connection)
    }

    private mutating func askUnlessKnown(_ connection: X11Connection) {
        guard !hasAsked, answer == nil else { return }
        switch state {
        case .held, .background: return
        case .window where attribution != nil: return
        case .unknown, .window: ask(connection)
        }
    }

    mutating func settle(_ serial: UInt, _ connection: X11Connection) {
        if let answer, serial >= answer.serial {
            self.answer = nil
            if answer.window == 0 {
                go(to: .background)
            } else {
                enter(answer.window, serial, connection)
            }
        }
        if case .window(let window) = state, let attribution, cache.isStale(attribution) {
            // Something was embedded in it, or is not any more: what was left out of it stays so until
            // the pointer has left, for its events are read later than they happened.
            enter(window, serial, connection, stillWith: attribution.facts.around)
        }
        if let attribution, serial >= attribution.validFrom { context = .window(attribution.facts) }
    }

    // MARK: Coming and leaving

    private mutating func enter(
        _ window: UInt,
        _ serial: UInt,
        _ connection: X11Connection,
        stillWith around: [WindowFacts] = []
    ) {
        state = .window(window)
        attribution = cache.find(window, connection)
        for facts in around where attribution?.facts.around.contains(facts) == false {
            attribution?.facts.around.append(facts)
        }
        context = .unknown
        if let attribution, serial >= attribution.validFrom { context = .window(attribution.facts) }
    }

    private mutating func go(to state: State) {
        self.state = state
        attribution = nil
        context = state == .background ? .window(WindowFacts(app: "", title: "")) : .unknown
    }

    /// Asks for the window under the pointer twice, so that the answer is certain from a known
    /// serial number on.
    private mutating func ask(_ connection: X11Connection) {
        hasAsked = true
        guard let first = connection.pointedWindow() else { return }
        if first != 0 { connection.watch(first, for: .facts(.pointer)) }
        let serial = connection.serialBeforeQuery
        guard connection.pointedWindow() == first else { return }
        answer = (first, serial)
    }
}
