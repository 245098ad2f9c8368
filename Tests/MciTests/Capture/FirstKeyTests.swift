// SPDX-License-Identifier: Apache-2.0

import Capture
import Events
import Foundation
import Person
import Testing

/// The first key after a connection, in a terminal just opened, and after a prompt.
@Suite(.serialized) struct FirstKeyTests {
    /// Reads what has come: the window of each key.
    private func facts(
        _ source: X11Source,
        _ contexts: inout [AppContext]
    ) throws -> [WindowFacts?] {
        var facts: [WindowFacts?] = []
        _ = try source.drain(now: SystemClock.now().monotonic) {
            switch $0 {
            case .context(let context, .keyboard, _): contexts = [context]
            case .input(_, .keyboard): facts.append(contexts.first?.facts)
            default: break
            }
        }
        return facts
    }

    @Test func `the first key after a connection belongs to the window that has the focus`() throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        hand.focus(hand.open(WindowPlan(app: "Editor")))
        // A window inside a window inside a window, which no focus event was ever told of.
        let outer = hand.open(WindowPlan(app: "Deep"))
        var inner = outer
        for _ in 0..<3 { inner = hand.open(WindowPlan(parent: inner)) }
        for (window, app) in [(inner, "Deep"), (hand.openWindow(app: "Plain"), "Plain")] {
            hand.focus(window)
            // As a start, and as a resume: nothing is read before the key.
            for _ in 0..<3 {
                let source = try X11Source(of: desktop)
                hand.key("a", down: true)
                hand.key("a", down: false)
                hand.flush()
                var contexts: [AppContext] = []
                let seen = try facts(source, &contexts)
                #expect(seen.map { $0?.app } == [app, app])
            }
        }
    }

    @Test func `a window that loses the focus while mcid connects gets no key of the next`() throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let (first, second) = (hand.openWindow(app: "First"), hand.openWindow(app: "Second"))
        for window in [first, second] {
            hand.focus(first)
            let source = try X11Source(of: desktop)
            hand.focus(second)
            hand.focus(window)
            hand.key("a", down: true)
            hand.key("a", down: false)
            hand.flush()
            var contexts: [AppContext] = []
            let seen = try facts(source, &contexts).map { $0?.app }
            let app = window == first ? "First" : "Second"
            #expect(seen.count == 2 && seen.allSatisfy { $0 == app || $0 == nil }, "\(seen)")
        }
    }

    @Test func `the first key after a change of rules has its window, with the title they ask for`()
        throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let window = hand.open(WindowPlan(app: "Browser", title: "Page"))
        hand.focus(window)
        let source = try X11Source(of: desktop)
        var contexts: [AppContext] = []
        _ = try facts(source, &contexts)
        for isNeeded in [true, false] {
            source.readTitles { _ in isNeeded }
            hand.key("a", down: true)
            hand.key("a", down: false)
            hand.flush()
            let facts = WindowFacts(
                app: "Browser",
                instance: "Browser",
                title: isNeeded ? "Page" : nil
            )
            #expect(try self.facts(source, &contexts) == [facts, facts])
        }
    }

    /// Presses F1 and reads it; whether it is free of doubt.
    ///
    /// Where this machine is slow to read, or another test beside this one has a prompt up, it is not.
    private func pressF1(
        _ hand: Hand,
        _ source: X11Source,
        _ contexts: inout [AppContext]
    ) throws -> Bool {
        // A look of the same millisecond may have been before the key or after it.
        let now = SystemClock.now().monotonic.milliseconds
        while SystemClock.now().monotonic.milliseconds < now + 2 {}
        hand.key("F1", down: true)
        hand.key("F1", down: false)
        hand.flush()
        let seen = try facts(source, &contexts)
        return seen.count == 2 && seen.allSatisfy { $0?.mayAskForSecret == false }
    }

    /// Reads whenever that is due though nothing came, until something is so and nothing is due.
    private func look(
        _ source: X11Source,
        _ contexts: inout [AppContext],
        until isSo: () -> Bool
    ) throws -> Bool {
        try eventually(within: 5) {
            if let due = source.lookDue, due <= SystemClock.now().monotonic.milliseconds {
                _ = try facts(source, &contexts)
            }
            return isSo() && source.lookDue == nil
        }
    }

    @Test func `the first key in a terminal that stood there is free of doubt`() throws {
        let desktop = try Desktop()
        let scene = try TerminalScene(desktop)
        let isFree = try eventually(within: 20) {
            let source = try X11Source(of: desktop)
            var contexts: [AppContext] = []
            // As the recorder does at once after it has connected.
            _ = try facts(source, &contexts)
            return try pressF1(scene.hand, source, &contexts)
        }
        #expect(isFree)
    }

    @Test func `the first key in a terminal just opened, and after a prompt, is free of doubt`()
        throws
    {
        let desktop = try Desktop()
        let source = try X11Source(of: desktop)
        var contexts: [AppContext] = []
        let scene = try TerminalScene(desktop)
        var random = SplitMix(seed: 161)
        _ = try facts(source, &contexts)
        var isFirst = true
        let isFree = try eventually(within: 30) {
            if !isFirst {
                // A prompt, and its end.
                scene.type("b\n", &random)
                guard eventually(within: 5, { scene.modes == .prompting }) else { return false }
                _ = try facts(source, &contexts)
                scene.type("xx\n", &random)
                guard eventually(within: 5, { scene.modes == .editing }) else { return false }
                let secret = try facts(source, &contexts)
                #expect(secret.allSatisfy { $0?.mayAskForSecret != false })
            }
            guard try look(source, &contexts, until: { scene.modes == .editing }),
                try pressF1(scene.hand, source, &contexts)
            else { return false }
            defer { isFirst = false }
            return !isFirst
        }
        #expect(isFree)
    }
}

/// The first click into a window that stood there when mcid connected.
@Suite(.serialized) struct FirstClickTests {
    @Test(arguments: [false, true])
    func `the first click and the first key in a window that stood there are its own`(
        isFramed: Bool
    )
        throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let manager = isFramed ? try hand.startManager(of: desktop) : nil
        defer { manager?.terminate() }
        let first = hand.open(WindowPlan(app: "First"))
        var plan = WindowPlan(app: "Second")
        plan.frame.x = 400
        let second = hand.open(plan)
        let isShown = eventually {
            let windows = [first, second]
            return windows.allSatisfy { isFramed ? hand.isManaged($0) : hand.isViewable($0) }
        }
        try #require(isShown)
        let start = hand.origin(of: first)
        hand.move(toX: start.x + 20, y: start.y + 20)
        hand.focus(first)
        hand.flush()
        let source = try X11Source(of: desktop)
        var apps: [Events.InputStream: [String?]] = [:]
        var contexts: [Events.InputStream: AppContext] = [:]
        func drain() throws {
            hand.flush()
            _ = try source.drain(now: SystemClock.now().monotonic) {
                switch $0 {
                case .context(let new, let stream, _): contexts[stream] = new
                case .input(let event, let stream):
                    if case .motion = event.payload { return }
                    apps[stream, default: []].append(contexts[stream]?.facts?.app)
                default: break
                }
            }
        }
        try drain()
        // Nothing is read between the pointer's way there and the click, nor between focus and key.
        let end = hand.origin(of: second)
        hand.move(toX: end.x + 20, y: end.y + 20)
        hand.button(1, down: true)
        hand.button(1, down: false)
        hand.focus(second)
        hand.key("a", down: true)
        hand.key("a", down: false)
        // The window manager holds a click back until it has looked at it.
        let isAll = try eventually {
            try drain()
            return apps[.pointer]?.count == 2 && apps[.keyboard]?.count == 2
        }
        #expect(isAll)
        #expect(apps[.pointer] == ["Second", "Second"])
        #expect(apps[.keyboard] == ["Second", "Second"])
    }
}
