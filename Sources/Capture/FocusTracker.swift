// SPDX-License-Identifier: Apache-2.0

import Events

/// Follows the keyboard focus through one connection's own stream of events.
///
/// The server writes focus changes and raw events into one stream, so their order is the truth:
/// whoever has the focus at a key's place in the stream got the key. In doubt the context is
/// unknown. Nothing is asked of the server while the focus is known.
struct FocusTracker {
    private(set) var context: AppContext = .unknown

    /// The application of each window seen, found once and forgotten when it may have changed.
    private var applications: [UInt: String] = [:]
    /// The window whose application is ``context``.
    private var focused: UInt?
    /// An answer of the server that holds from this serial number on.
    private var answer: (window: UInt, serial: UInt)?
    private var hasAsked = false

    /// Begins to follow: the root, its children and their children, and the focus of now.
    mutating func start(_ connection: X11Connection) {
        connection.watch(connection.root, for: .root)
        for window in connection.family(of: connection.root)?.children ?? [] {
            watchNew(window, connection)
        }
        ask(connection)
    }

    /// A new round of reading: one question to the server is allowed again.
    mutating func beginRound() {
        hasAsked = false
    }

    /// Takes an event of the stream in its order.
    mutating func take(_ event: X11Event, serial: UInt, _ connection: X11Connection) {
        settle(serial, connection)
        switch event {
        case .focusIn(let window, let mode, let detail):
            answer = nil
            focusDidEnter(window, mode, detail, connection)
        case .focusOut(_, let mode, let detail):
            // Into a window inside: the application stays the same.
            if mode == .plain && detail == .inferior { break }
            answer = nil
            if mode == .grab {
                context = .grabbed
            } else if context != .grabbed || mode == .ungrab {
                context = .unknown
            }
            focused = nil
        case .created(let window):
            applications[window] = nil
            watchNew(window, connection)
        case .destroyed:
            // Ids are given again, also those of the windows inside.
            applications.removeAll()
        case .classChanged(let window):
            applications.removeAll()
            if window == focused { enter(window, connection) }
        default: break
        }
    }

    /// Input came: where its addressee is not known the server is asked, for the input after it.
    ///
    /// - Parameters:
    ///   - connection: the one the input came on.
    ///   - provesNoGrab: a key proves that no grab is in force any more, for the server withholds it
    ///     otherwise; the pointer does not.
    mutating func inputCame(_ connection: X11Connection, provesNoGrab: Bool) {
        guard !hasAsked, context == .unknown || (provesNoGrab && context == .grabbed) else {
            return
        }
        ask(connection)
    }

    private mutating func focusDidEnter(
        _ window: UInt,
        _ mode: X11Event.FocusMode,
        _ detail: X11Event.FocusDetail,
        _ connection: X11Connection
    ) {
        focused = nil
        if mode == .grab {
            context = .grabbed
        } else if mode == .plain && context == .grabbed {
            // The focus moved while somebody else holds the keyboard: still theirs.
        } else if detail == .this {
            enter(window, connection)
        } else {
            context = .unknown
            // The focus is in a window inside that nobody watches yet.
            if detail == .virtual, !hasAsked { ask(connection) }
        }
    }

    /// Asks for the focus twice, so that the answer is certain from a known serial number on.
    private mutating func ask(_ connection: X11Connection) {
        hasAsked = true
        guard let first = connection.focusedWindow() else { return }
        // The root stays watched for new windows.
        if first != connection.root { connection.watch(first, for: .focusAndClass) }
        let serial = connection.nextRequest
        guard connection.focusedWindow() == first else { return }
        answer = (first, serial)
    }

    /// Applies the server's answer once the stream has come to the place where it holds.
    mutating func settle(_ serial: UInt, _ connection: X11Connection) {
        guard let answer, serial >= answer.serial else { return }
        self.answer = nil
        enter(answer.window, connection)
    }

    private mutating func enter(_ window: UInt, _ connection: X11Connection) {
        focused = window
        context = application(of: window, connection).map { .app($0) } ?? .unknown
    }

    /// The class of the window or of the nearest one around it that has one.
    private mutating func application(of window: UInt, _ connection: X11Connection) -> String? {
        if let known = applications[window] { return known }
        var candidate = window
        for _ in 0..<16 where candidate != connection.root && candidate != 0 {
            // Watched first and read then, so that no change falls between.
            connection.watch(candidate, for: .focusAndClass)
            if let name = connection.ownClass(of: candidate) {
                applications[window] = name
                return name
            }
            guard let parent = connection.family(of: candidate)?.parent else { return nil }
            candidate = parent
        }
        return nil
    }

    private func watchNew(_ window: UInt, _ connection: X11Connection) {
        connection.watch(window, for: .focus)
        for child in connection.family(of: window)?.children ?? [] {
            connection.watch(child, for: .focus)
        }
    }
}
