// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// Whose a movement or a click is: the window's in which it begins.
@Suite(.serialized) struct PointerTests {
    let desktop: Desktop
    let secret: Hand
    let plain: Hand
    let mover: Hand

    init() throws {
        desktop = try Desktop()
        secret = try Hand(desktop)
        plain = try Hand(desktop)
        mover = try Hand(desktop)
    }

    /// The applications the pointer's events went to, in order; nil for unknown.
    private func apps(_ observer: Observer) -> [String?] {
        observer.seen.filter { !$0.event.isKey }.map { $0.context.facts?.app }
    }

    private func click(_ button: UInt32 = 1) {
        mover.button(button, down: true)
        mover.button(button, down: false)
        mover.flush()
    }

    @Test func `no movement in one window counts as another's, at random crossings`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        var random = SplitMix(seed: 31)
        // Side by side; menus of the secret program open over the plain one and are gone again.
        let frames = [(Int32(0), Int32(0), UInt32(400), UInt32(400)), (400, 0, 400, 400)]
        let names = ["Secret", "Plain"]
        let hands = [secret, plain]
        var windows = (0...1).map { hands[$0].open(WindowPlan(app: names[$0], frame: frames[$0])) }
        var menu: UInt?
        mover.move(toX: 200, y: 200)
        var side = 0
        observer.clear()
        let count = isProof ? 10_000 : 300
        var truth: [String] = []
        func owner() -> String { menu != nil || side == 0 ? "Secret" : "Plain" }
        func move(_ dx: Int32, _ dy: Int32) {
            truth.append(owner())
            mover.move(dx: dx, dy: dy)
            mover.flush()
        }
        for _ in 0..<count {
            var hasChanged = false
            switch Int.random(in: 0..<200, using: &random) {
            case 0:
                hasChanged = true
                let new = hands[side].open(WindowPlan(app: names[side], frame: frames[side]))
                hands[side].close(windows[side])
                windows[side] = new
                if let menu { secret.raise(menu) }
            case 1...3:
                hands[side].unmap(windows[side])
                hands[side].map(windows[side])
                if let menu { secret.raise(menu) }
            case 4...8 where menu == nil && side == 1:
                hasChanged = true
                menu = secret.open(
                    WindowPlan(frame: (350, 50, 440, 300), isPopup: true, owner: windows[0])
                )
            case 9...60 where menu != nil:
                secret.close(menu ?? 0)
                menu = nil
            case 9...120 where menu == nil:
                // The movement that leaves belongs to the window that is left.
                move(side == 0 ? 400 : -400, 0)
                side = 1 - side
            default: break
            }
            // Mostly a window is looked at before the pointer moves in it.
            if hasChanged, Bool.random(using: &random) { usleep(60_000) }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                move(1, 0)
                move(-1, 0)
            }
            if Int.random(in: 0..<8, using: &random) == 0 { usleep(30_000) }
        }
        let seen = apps(observer)
        #expect(seen.count == truth.count)
        let pairs = zip(truth, seen)
        let wrong = pairs.filter { $0.0 == "Secret" && $0.1 != nil && $0.1 != "Secret" }.count
        let foreign = pairs.filter { $0.0 == "Plain" && $0.1 != nil && $0.1 != "Plain" }.count
        let unknown = pairs.filter { $0.0 == "Plain" && $0.1 == nil }.count
        let all = truth.filter { $0 == "Plain" }.count
        print(
            """
            pointer: \(count) steps, \(truth.count) movements, \(wrong) secret ones taken for \
            plain, \(foreign) the other way, \(percent(unknown, all)) of the plain ones unknown
            """
        )
        #expect(wrong == 0)
        #expect(foreign == 0)
        // How many are left out depends on how soon this machine answers.
        #expect(unknown * (isProof ? 10 : 2) < all)
    }

    @Test func `no movement under a private title counts as one under a public one`() throws {
        let observer = try Observer(desktop) { _ in true }
        defer { observer.stop() }
        var random = SplitMix(seed: 32)
        let titles = ["Private", "Public"]
        let windows = (0...1).map {
            secret.open(WindowPlan(app: "Browser", frame: (Int32(400 * $0), 0, 400, 400)))
        }
        var title = ["Private", "Public"]
        for side in 0...1 { secret.setTitle(windows[side], title[side]) }
        mover.move(toX: 200, y: 200)
        observer.clear()
        var side = 0
        var truth: [String] = []
        func move(_ dx: Int32) {
            truth.append(title[side])
            mover.move(dx: dx, dy: 0)
            mover.flush()
        }
        for _ in 0..<(isProof ? 10_000 : 300) {
            switch Int.random(in: 0..<40, using: &random) {
            case 0:
                let other = Int.random(in: 0...1, using: &random)
                title[other] = titles.randomElement(using: &random) ?? ""
                secret.setTitle(windows[other], title[other])
            case 1...10:
                move(side == 0 ? 400 : -400)
                side = 1 - side
            default: break
            }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                move(1)
                move(-1)
            }
            if Int.random(in: 0..<8, using: &random) == 0 { usleep(30_000) }
        }
        let seen = observer.seen.map { $0.context.facts?.title }
        #expect(seen.count == truth.count)
        #expect(!zip(truth, seen).contains { $0.1 != nil && $0.0 != $0.1 })
        #expect(seen.filter { $0 != nil }.count * 2 > seen.count)
    }

    @Test func `background, drags and grabs belong to whom they go to`() throws {
        let window = secret.open(WindowPlan(app: "Secret", frame: (0, 0, 300, 300)))
        plain.listen(plain.open(WindowPlan(app: "Plain", frame: (300, 0, 300, 300))))
        let third = secret.open(WindowPlan(app: "Third", frame: (700, 0, 50, 50)))
        mover.move(toX: 100, y: 100)
        let observer = try Observer(desktop)
        defer { observer.stop() }
        func moved(_ actions: () -> Void) -> [String?] {
            observer.clear()
            actions()
            return apps(observer)
        }
        func step() { mover.move(dx: 1, dy: 0); mover.flush() }
        #expect(moved { step() } == ["Secret"], "where it is at the start")
        // Every window is known once the pointer has been there.
        for x: Int32 in [400, 710] {
            mover.move(toX: x, y: 10)
            observer.round()
        }
        mover.move(toX: 100, y: 100)
        #expect(
            moved {
                mover.move(toX: 100, y: 500); step()
            } == ["Secret", ""]
        )
        #expect(
            moved {
                mover.move(toX: 400, y: 100); step()
            } == ["", "Plain"]
        )
        // A drag out of a window stays the window's until the button is up.
        #expect(
            moved {
                mover.button(1, down: true)
                mover.flush()
                mover.move(toX: 100, y: 100)
                step()
                mover.button(1, down: false)
                mover.flush()
                step()
            } == ["Plain", "Plain", "Plain", "Plain", "Secret"]
        )
        // A client that grabs gets everything.
        #expect(plain.grabPointer(third))
        #expect(
            moved {
                step(); click()
            } == ["Third", "Third", "Third"]
        )
        plain.ungrabPointer()
        #expect(moved { step() } == ["Secret"])
        // The root as the window of the grab: anybody may listen there.
        #expect(plain.grabPointer(plain.root))
        #expect(
            moved {
                step(); mover.move(toX: 400, y: 100); step()
            } == [nil, nil, nil]
        )
        plain.ungrabPointer()
        #expect(moved { step() } == ["Plain"])
        secret.close(window)
    }

    @Test func `a menu belongs to its owner, and its owner's title decides`() throws {
        let observer = try Observer(desktop) { $0.app == "Browser" }
        defer { observer.stop() }
        func titles(_ x: Int32, _ y: Int32) -> (pointer: String?, keys: String?) {
            mover.move(toX: x, y: y)
            observer.clear()
            mover.move(dx: 1, dy: 0)
            mover.type(["x"])
            let seen = observer.seen
            return (
                seen.first { !$0.event.isKey }?.context.facts?.title,
                seen.first { $0.event.isKey }?.context.facts?.title
            )
        }
        let first = secret.open(
            WindowPlan(app: "Browser", title: "Private", frame: (0, 0, 200, 200))
        )
        let second = secret.open(
            WindowPlan(app: "Browser", title: "Public", frame: (300, 0, 200, 200))
        )
        secret.focus(second)
        #expect(titles(350, 100) == ("Public", "Public"))
        // It names its owner, through another menu.
        let menu = secret.open(
            WindowPlan(app: "Menu", frame: (100, 300, 50, 50), isPopup: true, owner: first)
        )
        let below = secret.open(WindowPlan(frame: (200, 300, 50, 50), isPopup: true, owner: menu))
        #expect(titles(110, 310) == ("Private", "Public"))
        #expect(titles(210, 310) == ("Private", "Public"))
        secret.focus(below)
        #expect(titles(210, 310) == ("Private", "Private"))
        // It names none: the one in front and under the pointer before, where these are one.
        let bare = secret.open(WindowPlan(app: "Menu", frame: (300, 300, 50, 50), isPopup: true))
        secret.focus(second)
        #expect(titles(350, 100) == ("Public", "Public"))
        #expect(titles(310, 310) == ("Public", "Public"))
        secret.focus(first)
        #expect(titles(310, 310) == ("Public", "Private"), "whose it was when the pointer came")
        #expect(titles(350, 100) == ("Public", "Private"))
        #expect(titles(310, 310) == (nil, "Private"), "the two differ")
        #expect(titles(100, 100) == ("Private", "Private"))
        secret.focus(bare)
        #expect(titles(310, 310) == ("Private", "Private"))
        // Another client's menu is its own, and one without a class nobody's.
        _ = plain.open(WindowPlan(app: "Panel", frame: (0, 600, 50, 50), isPopup: true))
        _ = plain.open(WindowPlan(frame: (100, 600, 50, 50), isPopup: true))
        mover.move(toX: 10, y: 610)
        observer.clear()
        mover.move(dx: 1, dy: 0)
        #expect(apps(observer) == ["Panel"])
        mover.move(toX: 110, y: 610)
        observer.clear()
        mover.move(dx: 1, dy: 0)
        #expect(apps(observer) == [nil])
        // The owner's title changes while the menu is in front.
        secret.focus(below)
        secret.setTitle(first, "Public now")
        #expect(titles(210, 310) == ("Public now", "Public now"))
    }

    @Test func `in a frame it is the client's`() throws {
        let scene = try FocusTests.Scene(managed: true)
        let hand = scene.hands[0]
        let window = hand.open(
            WindowPlan(app: "Browser", title: "Private", frame: (300, 300, 200, 200))
        )
        try #require(eventually { hand.isManaged(window) })
        // One observer comes when the frame is there, one was there before.
        let observer = try Observer(scene.desktop) { _ in true }
        defer { observer.stop() }
        let second = hand.open(WindowPlan(app: "Other", frame: (600, 300, 200, 200)))
        try #require(eventually { hand.isManaged(second) })
        observer.round()
        for (client, app) in [(window, "Browser"), (second, "Other")] {
            let origin = hand.origin(of: client)
            for (dx, dy) in [(Int32(20), Int32(-8)), (20, 20), (20, 40), (20, -8)] {
                scene.typist.move(toX: origin.x + dx, y: origin.y + dy)
                observer.clear()
                scene.typist.move(dx: 1, dy: 0)
                #expect(apps(observer) == [app], "\(dy)")
                let title = observer.seen.last?.context.facts?.title
                #expect(title == (app == "Browser" ? "Private" : ""))
            }
        }
    }

    @Test func `devices have their names before any input`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        _ = plain.openWindow(app: "Plain")
        observer.clear()
        mover.type(["x"])
        mover.move(dx: 1, dy: 0)
        let names = observer.seen.map(\.device)
        #expect(names.prefix(2).allSatisfy { $0 == "Virtual core XTEST keyboard" })
        #expect(names.last == "Virtual core XTEST pointer")
        // Two masters more bring two devices of their own.
        mover.addMaster(name: "Second")
        observer.clear()
        mover.type(["x"])
        #expect(observer.seen.first?.device == "Virtual core XTEST keyboard")
    }
}
