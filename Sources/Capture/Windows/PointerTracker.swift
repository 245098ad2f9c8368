// SPDX-License-Identifier: Apache-2.0

import Events

/// Tracks the window under the pointer, which receives buttons and motions.
///
/// Crossings of the root's children (windows of programs, or frames around them) and raw events are
/// in one stream. So their order is exact: a motion belongs to the window in which it begins. When
/// the pointer leaves a window, its window is unknown at once.
///
/// While a client grabs the pointer, the server reports crossings to that client alone, and input
/// belongs to the window of the grab. A grab that is active at connection time is not detected.
/// Several master pointers on one screen are treated as one.
struct PointerTracker: ContextTracker {
    /// The destination of the pointer's input.
    private enum State: Equatable {
        case unknown
        /// The root window, which no application owns.
        case background
        case window(UInt)
        /// A grab by the root or an unwatched window: unknown until it ends.
        case held
    }

    private(set) var context: AppContext = .unknown

    private var cache: WindowCache
    private var state = State.unknown
    /// The application that receives the window's input.
    private var attribution: Dated<WindowCache.Attribution>?
    /// A reply that does not hold yet.
    private var answer: Dated<UInt>?
    private var hasAsked = false

    init(_ cache: WindowCache) {
        self.cache = cache
    }

    var isPending: Bool {
        if answer != nil { return true }
        if let attribution, cache.isStale(attribution.value) { return true }
        if case .unknown = context { return attribution != nil }
        return false
    }

    /// The child of the root that contains the pointer, 0 for the root itself; nil if unknown.
    var window: UInt? {
        switch state {
        case .window(let window): cache.top(of: window)
        case .background: 0
        case .unknown, .held: nil
        }
    }

    mutating func start(_ connection: X11Connection) {
        // On another screen the pointer has no known window, but crossings there must be reported
        // all the same.
        for root in [connection.root] + connection.otherRoots {
            connection.watch(root, for: .rootCrossing)
            for window in connection.family(of: root)?.children ?? [] {
                connection.watch(window, for: .crossing)
            }
        }
        prepare(connection)
        ask(connection)
    }

    /// Reads visible windows now, so that the facts hold for the first click too.
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

    /// Forgets where the pointer is; it is queried again.
    mutating func lose() {
        answer = nil
        go(to: .unknown)
    }

    mutating func beginRound() {
        hasAsked = false
    }

    mutating func take(_ event: X11Event, serial: StreamSerial, _ connection: X11Connection) {
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
                // The pointer went into an inner window: input stays with this one.
                enter(window, serial, connection)
            } else {
                go(to: mode == .grab ? .held : .unknown)
            }
        case .created(let window, _):
            connection.watch(window, for: cache.watches(window) ? .facts(.pointer) : .crossing)
        case .destroyed(let window), .unmapped(let window), .reparented(let window, _):
            // The server then reports where the pointer is.
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

    mutating func settle(_ serial: StreamSerial, _ connection: X11Connection) {
        if let answer, answer.holds(at: serial) {
            self.answer = nil
            if answer.value == 0 {
                go(to: .background)
            } else {
                enter(answer.value, serial, connection)
            }
        }
        if case .window(let window) = state, let attribution, cache.isStale(attribution.value) {
            // The embedded windows changed. Former ones stay excluded until the pointer has left,
            // because events are read later than they happened.
            enter(window, serial, connection, stillWith: attribution.value.facts.around)
        }
        useFacts(at: serial)
    }

    private mutating func useFacts(at serial: StreamSerial) {
        if let attribution, attribution.holds(at: serial) {
            context = .window(attribution.value.facts)
        }
    }

    // MARK: Entering and leaving

    private mutating func enter(
        _ window: UInt,
        _ serial: StreamSerial,
        _ connection: X11Connection,
        stillWith around: [WindowFacts] = []
    ) {
        state = .window(window)
        attribution = cache.find(window, connection)
        for facts in around where attribution?.value.facts.around.contains(facts) == false {
            attribution?.value.facts.around.append(facts)
        }
        context = .unknown
        useFacts(at: serial)
    }

    private mutating func go(to state: State) {
        self.state = state
        attribution = nil
        context = state == .background ? .window(WindowFacts(app: "", title: "")) : .unknown
    }

    /// Queries the window under the pointer twice, so that the reply is certain from a known serial
    /// on.
    private mutating func ask(_ connection: X11Connection) {
        hasAsked = true
        guard let first = connection.pointedWindow() else { return }
        if first != 0 { connection.watch(first, for: .facts(.pointer)) }
        guard let second = connection.confirmed(first, { connection.pointedWindow() }) else {
            return
        }
        answer = second
    }
}
