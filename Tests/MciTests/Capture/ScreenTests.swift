// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// A server with two screens that have roots of their own (`:0.0` and `:0.1`).
@Suite(.serialized) struct ScreenTests {
    let desktop: Desktop
    let hand: Hand
    let other: UInt
    let near: UInt
    let far: UInt

    init() throws {
        desktop = try Desktop(
            server: "Xvfb",
            [
                "-screen", "0", "800x600x24", "-screen", "1", "640x480x24", "-noreset", "-nolisten",
                "tcp", "-ac",
            ]
        )
        hand = try Hand(desktop)
        other = XRootWindow(hand.display, 1)
        near = hand.open(WindowPlan(app: "Near", frame: (0, 0, 400, 600)))
        far = hand.open(WindowPlan(app: "Far", frame: (0, 0, 640, 480), parent: other))
        put(400, 300)
    }

    private func put(_ x: Int32, _ y: Int32, far isFar: Bool = false) {
        XWarpPointer(hand.display, 0, isFar ? other : hand.root, 0, 0, 0, 0, x, y)
        hand.flush()
    }

    private func click(_ number: UInt32) {
        hand.button(number, down: true)
        hand.button(number, down: false)
        hand.flush()
    }

    private func buttons(_ observer: Observer) -> [(number: UInt8, app: String?)] {
        observer.seen.compactMap { seen in
            guard case .button(let number, true) = seen.event.payload else { return nil }
            return (number, seen.context.facts?.app)
        }
    }

    @Test func `no click on another screen is of a window of this one, at random crossings`() throws
    {
        let observer = try Observer(desktop, pause: 40_000)
        defer { observer.stop() }
        var random = SplitMix(seed: 91)
        var count = 0
        for _ in 0..<(isProof ? 2000 : 150) {
            let isFar = Bool.random(using: &random)
            let (x, y) = (
                Int32.random(in: 10..<390, using: &random),
                Int32.random(in: 10..<470, using: &random)
            )
            put(x, y, far: isFar)
            // Through XTEST the pointer stays on its screen.
            if !isFar, Bool.random(using: &random) {
                hand.put(x: x, y: y)
                hand.flush()
            }
            if Bool.random(using: &random) { hand.move(dx: 1, dy: 1) }
            // Mostly somebody stays where he is for a while.
            if Int.random(in: 0..<4, using: &random) == 0 {
                observer.round()
                hand.move(dx: 1, dy: 0)
                observer.round()
            }
            for _ in 0..<3 { click(isFar ? 3 : 1) }
            if Bool.random(using: &random) { observer.round() }
            count += isFar ? 0 : 3
        }
        let seen = buttons(observer)
        let wrong = seen.count { $0.number == 3 && $0.app != nil || $0.app == "Far" }
        let strange = seen.count { $0.number == 1 && $0.app != nil && $0.app != "Near" }
        let known = seen.count { $0.number == 1 && $0.app == "Near" }
        print("screens: \(seen.count) clicks, \(known) of \(count) known, \(wrong) wrong")
        #expect(wrong == 0)
        #expect(strange == 0)
        // Only a reading that was here from end to end counts.
        #expect(known > 0)
    }

    @Test func `who works on this screen alone loses nothing`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        put(100, 100)
        observer.round()
        hand.move(dx: 1, dy: 0)
        observer.round()
        observer.clear()
        for _ in 0..<20 {
            hand.move(dx: 2, dy: 1)
            click(1)
        }
        let seen = buttons(observer)
        #expect(seen.count == 20)
        let near = seen.count { $0.app == "Near" }
        #expect(near == 20)
    }

    @Test func `a key into a window of another screen is nobody's`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        func apps(_ window: UInt) -> [String?] {
            hand.focus(window)
            hand.type(["F5"])
            observer.round()
            observer.clear()
            hand.type(["a"])
            return observer.seen.filter(\.event.isPress).map { $0.context.facts?.app }
        }
        #expect(apps(near) == ["Near"])
        #expect(apps(far) == [nil])
        #expect(apps(near) == ["Near"])
        // The focus of this screen stays where it is while the pointer is elsewhere.
        put(50, 50, far: true)
        #expect(apps(near) == ["Near"])
        // The window under the pointer is on the other screen.
        #expect(apps(UInt(PointerRoot)) == [nil])
    }
}
