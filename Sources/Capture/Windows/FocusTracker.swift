// SPDX-License-Identifier: Apache-2.0

import Events

/// Tracks the keyboard focus.
///
/// The server writes focus changes and raw events into one stream. So their order is exact: the
/// window that has the focus at a key's position in the stream got the key. In doubt the context is
/// unknown. Nothing is queried while the focus is in a known window.
struct FocusTracker: ContextTracker {
    /// Whether programs may ask for secrets on a terminal in the window in front.
    private(set) var terminal = TerminalWindow.none

    private var state: AppContext = .unknown
    private let terminals = TerminalPrompts()
    private var prompts = PromptGuard()
    /// Whether the key at this position of the stream may be part of a secret.
    private var mayBeSecret = false
    private var cache: WindowCache
    /// The window that has the focus.
    private var focused: UInt?
    /// The application that receives its input.
    private var attribution: Dated<WindowCache.Attribution>?
    /// A reply that does not hold yet: the window, and whether it has the focus by the pointer.
    private var answer: Dated<(window: UInt, followsPointer: Bool)>?
    private var hasAsked = false
    /// The receiver of keys according to the last query or event.
    private var target: EventWire.KeyTarget?
    /// Whether keys go to the window under the pointer, whose crossings are reported.
    private var followsPointer = false
    /// Whether another client grabs the pointer, which then alone receives crossings.
    private var isPointerGrabbed = false
    private var hasCheckedPointer = false

    /// Creates a tracker that knows no window yet.
    ///
    /// - Parameters:
    ///   - cache: The cache of windows.
    ///   - askers: The programs treated as asking for a secret.
    init(_ cache: WindowCache, _ askers: SecretAskers) {
        self.cache = cache
        terminals.askers = askers
    }

    var isPending: Bool { answer != nil || (attribution != nil && state == .unknown) }

    var context: AppContext {
        guard case .window(var facts) = state else { return state }
        facts.mayAskForSecret = mayBeSecret
        return .window(facts)
    }

    /// The program that may be asking for a secret in the window in front; nil if there is none.
    var asking: AskingProgram? { terminal == .local ? terminals.asking : nil }

    /// The reason why no key can be recorded now; nil if no such reason is known.
    var notice: CaptureNotice? {
        guard state == .unknown else { return nil }
        return switch target {
        case .pointer: .focusFollowsPointer
        case .nowhere: .noFocus
        case .window, nil: nil
        }
    }

    /// Selects events of the root and two levels of windows below it, and queries the current
    /// focus.
    mutating func start(_ connection: X11Connection) {
        connection.watch(connection.root, for: .rootFocus)
        for window in connection.family(of: connection.root)?.children ?? [] {
            watchNew(window, connection)
        }
        prepare(connection)
        ask(connection)
    }

    /// Reads visible windows of programs and those inside frames, because one may get the focus
    /// next.
    ///
    /// If they are read now, the facts hold for the first key too.
    private mutating func prepare(_ connection: X11Connection) {
        for window in connection.shownWindows {
            cache.prepare(window, connection)
            // A frame is full of decorations, none of which ever gets a key.
            guard !cache.isFrame(window) else { continue }
            for inner in connection.family(of: window)?.children ?? [] {
                cache.prepare(inner, connection)
            }
        }
    }

    mutating func readTitles(
        where isNeeded: @escaping (WindowFacts) -> Bool,
        _ connection: X11Connection
    ) {
        cache.readTitles(where: isNeeded)
        prepare(connection)
        guard state != .grabbed else { return leave(.grabbed) }
        leave(.unknown)
        ask(connection)
    }

    /// Changes the programs treated as asking for a secret; the terminals must be examined again.
    mutating func lookFor(_ askers: SecretAskers) {
        terminals.askers = askers
        prompts.enter()
        mayBeSecret = terminal != .none
    }

    mutating func beginRound() {
        hasAsked = false
        hasCheckedPointer = false
        prompts.beginReading()
    }

    mutating func endRound(_ connection: X11Connection) {
        // The window in front was created too late to be watched when it got the focus.
        if state == .unknown { askUnlessKnown(connection) }
    }

    /// Ends a drain after all replies were applied: the next key in a terminal needs an earlier
    /// look.
    mutating func look() {
        guard terminal == .local else { return }
        prompts.endReading(at: Proc.now()) { [terminals] in terminals.look() }
    }

    /// Looks now and updates ``asking``; false if there is no terminal to look at.
    func lookNow() -> Bool {
        guard terminal == .local else { return false }
        _ = terminals.look()
        return true
    }

    /// The time at which ``look()`` is due without an event, in ms of CLOCK_MONOTONIC; nil for
    /// never.
    var lookDue: Int64? {
        // A reply applies once everything before it was read.
        if isPending { return 0 }
        return terminal == .local ? prompts.lookDue?.milliseconds : nil
    }

    mutating func take(_ event: X11Event, serial: StreamSerial, _ connection: X11Connection) {
        settle(serial, connection)
        let isInvalidated = cache.take(event, serial, inUse: attribution)
        switch event {
        case .focusIn(let window, let mode, let detail):
            answer = nil
            focusDidEnter(window, mode, detail, serial, connection)
        case .focusOut(_, let mode, let detail):
            // Focus moved to a window inside: the application stays the same.
            if mode == .plain && detail == .inferior { break }
            answer = nil
            if mode == .grab {
                leave(.grabbed)
            } else if state != .grabbed || mode == .ungrab {
                leave(.unknown)
            }
        case .created(let window, let parent) where parent == connection.root:
            watchNew(window, connection)
            // It may have appeared under the pointer before it was watched.
            losePointer()
        case .reparented(let window, _) where followsPointer:
            watchNew(window, connection)
            losePointer()
        case .entered(let window, let mode, _, _):
            pointerDidEnter(window, mode, serial, connection)
        default: break
        }
        if isInvalidated, let focused { enter(focused, serial, connection) }
    }

    /// A key proves that no grab is active, because the server would withhold it.
    mutating func inputCame(at time: EventTime, _ connection: X11Connection) -> Bool {
        if terminal == .none, let attribution, terminals.haveTerminalsChanged() {
            // A terminal may have been opened inside meanwhile.
            use(terminals.enter(attribution.value.programs))
        }
        mayBeSecret =
            switch terminal {
            case .none: false
            case .local: prompts.mayBeSecret(time) { [terminals] in terminals.look() }
            case .remote: true
            }
        checkPointer(connection)
        askUnlessKnown(connection)
        return true
    }

    mutating func settle(_ serial: StreamSerial, _ connection: X11Connection) {
        if let answer, answer.holds(at: serial) {
            self.answer = nil
            followsPointer = answer.value.followsPointer
            enter(answer.value.window, serial, connection)
        }
        useFacts(at: serial)
    }

    private mutating func useFacts(at serial: StreamSerial) {
        if let attribution, attribution.holds(at: serial) {
            state = .window(attribution.value.facts)
        }
    }

    // MARK: Entering and leaving

    private mutating func focusDidEnter(
        _ window: UInt,
        _ mode: X11Event.FocusMode,
        _ detail: X11Event.FocusDetail,
        _ serial: StreamSerial,
        _ connection: X11Connection
    ) {
        if mode == .grab {
            leave(.grabbed)
        } else if mode == .plain && state == .grabbed {
            // The focus moved while another client grabs the keyboard, which stays so.
            leave(.grabbed)
        } else if detail == .this || detail == .inferior {
            // Focus came to this very window, perhaps from one inside it: toolkits move the focus
            // between a window and one of their own in it.
            followsPointer = false
            target = window == connection.root ? .pointer : .window(window)
            enter(window, serial, connection)
        } else {
            leave(.unknown)
            // The focus is in an inner window that is not watched yet.
            if detail == .virtual, !hasAsked { ask(connection) }
        }
    }

    private mutating func enter(
        _ window: UInt,
        _ serial: StreamSerial,
        _ connection: X11Connection
    ) {
        attribution = cache.find(window, connection)
        if focused != window { prompts.enter() }
        focused = window
        use(attribution.map { terminals.enter($0.value.programs) } ?? .none)
        state = .unknown
        useFacts(at: serial)
    }

    private mutating func use(_ terminal: TerminalWindow) {
        if terminal != self.terminal { prompts.enter() }
        self.terminal = terminal
        mayBeSecret = terminal != .none
    }

    private mutating func leave(_ context: AppContext) {
        state = context
        focused = nil
        attribution = nil
        terminal = .none
        followsPointer = false
    }

    // MARK: Focus follows pointer

    /// A button changed: while one is down, the server reports no crossings.
    mutating func buttonMoved() {
        losePointer()
    }

    /// Forgets where the pointer is; it still decides where keys go.
    private mutating func losePointer() {
        guard followsPointer else { return }
        answer = nil
        leave(.unknown)
        followsPointer = true
    }

    private mutating func pointerDidEnter(
        _ window: UInt,
        _ mode: X11Event.FocusMode,
        _ serial: StreamSerial,
        _ connection: X11Connection
    ) {
        isPointerGrabbed = mode == .grab
        guard followsPointer else { return }
        losePointer()
        if !isPointerGrabbed, window != connection.root { enter(window, serial, connection) }
    }

    /// Verifies once per drain that the pointer is where the crossings say.
    ///
    /// A client that grabs the pointer in the window it is in causes no crossing.
    private mutating func checkPointer(_ connection: X11Connection) {
        guard followsPointer, !hasCheckedPointer, let focused else { return }
        hasCheckedPointer = true
        let pointed = connection.pointedWindow(atRest: true)
        if pointed == nil || pointed != cache.top(of: focused) { losePointer() }
    }

    private mutating func askUnlessKnown(_ connection: X11Connection) {
        guard !hasAsked, attribution == nil, answer == nil else { return }
        ask(connection)
    }

    /// Queries the focus twice, so that the reply is certain from a known serial on.
    private mutating func ask(_ connection: X11Connection) {
        hasAsked = true
        target = connection.wire.keyTarget()
        guard let first = window(of: target, connection) else { return }
        connection.watch(first, for: .facts(.keyboard))
        let second = connection.confirmed(first) {
            connection.wire.keyTarget() == target ? window(of: target, connection) : nil
        }
        guard let second else { return }
        answer = second.map { ($0, target == .pointer) }
        // If it is read now, it holds for the next key, which would have to wait otherwise.
        cache.prepare(first, connection)
    }

    /// The window that receives keys; nil if there is none or it is not certain.
    private func window(
        of target: EventWire.KeyTarget?,
        _ connection: X11Connection
    ) -> UInt? {
        switch target {
        case .window(let window): return window
        case .pointer where !isPointerGrabbed:
            let window = connection.pointedWindow(atRest: true)
            return window == 0 ? nil : window
        case .pointer, .nowhere, nil: return nil
        }
    }

    private func watchNew(_ window: UInt, _ connection: X11Connection) {
        for window in [window] + (connection.family(of: window)?.children ?? []) {
            // A window may be known already if a reply named it before its creation was reported;
            // it stays watched.
            connection.watch(window, for: cache.watches(window) ? .facts(.keyboard) : .focus)
        }
    }
}
