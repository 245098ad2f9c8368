// SPDX-License-Identifier: Apache-2.0

import Capture
import Events
import Person
import Testing

/// The focus that a toolkit moves between a window and its own windows inside.
@Suite(.serialized) struct InnerFocusTests {
    @Test func `no key is left out while the focus moves within one application's window`() throws {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let outer = hand.open(WindowPlan(app: "Toolkit"))
        let inner = hand.open(WindowPlan(parent: outer))
        let sibling = hand.open(WindowPlan(parent: outer))
        let deep = hand.open(WindowPlan(parent: inner))
        hand.focus(outer)
        let source = try X11Source(of: desktop)
        var context = AppContext.unknown
        var apps: [String?] = []
        func drain() throws {
            hand.flush()
            _ = try source.drain(now: SystemClock.now().monotonic) {
                switch $0 {
                case .context(let new, .keyboard, _): context = new
                case .input(_, .keyboard): apps.append(context.facts?.app)
                default: break
                }
            }
        }
        try drain()
        // Of each the server is asked once.
        let windows = [outer, inner, sibling, deep]
        for window in windows + [outer] {
            hand.focus(window)
            for _ in 0..<3 { try drain() }
        }
        apps.removeAll()
        // Each way from one to another of them, in one reading and in several.
        for isRead in [false, true] {
            for from in windows {
                for to in windows where to != from {
                    for window in [from, to] {
                        hand.focus(window)
                        hand.key("a", down: true)
                        hand.key("a", down: false)
                        if isRead { try drain() }
                    }
                }
            }
            try drain()
        }
        #expect(apps.count == 2 * 12 * 2 * 2)
        #expect(apps.allSatisfy { $0 == "Toolkit" }, "\(apps.count { $0 == nil }) left out")
    }

    @Test
    func
        `a key typed after the focus went into another application's window inside is not the outer one's`()
        throws
    {
        let desktop = try Desktop()
        let hand = try Hand(desktop)
        let outer = hand.open(WindowPlan(app: "Outer"))
        let inner = hand.open(WindowPlan(app: "Inner", parent: outer))
        hand.focus(outer)
        let source = try X11Source(of: desktop)
        var context = AppContext.unknown
        var apps: [String?] = []
        for window in [inner, outer, inner, outer] {
            hand.focus(window)
            hand.key("a", down: true)
            hand.key("a", down: false)
            hand.flush()
            apps.removeAll()
            _ = try source.drain(now: SystemClock.now().monotonic) {
                switch $0 {
                case .context(let new, .keyboard, _): context = new
                case .input(_, .keyboard): apps.append(context.facts?.app)
                default: break
                }
            }
            let app = window == inner ? "Inner" : "Outer"
            #expect(apps.count == 2 && apps.allSatisfy { $0 == app || $0 == nil })
        }
        // By now both are known.
        #expect(apps == ["Outer", "Outer"])
    }
}
