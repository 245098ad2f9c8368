// SPDX-License-Identifier: Apache-2.0

import CX11
import Events
import Foundation
import Testing

/// Without a window manager keys go into the window under the pointer.
@Suite(.serialized) struct PointerRootTests {
    let desktop: Desktop
    let hands: [Hand]
    let mover: Hand
    let windows: [UInt]

    init() throws {
        desktop = try Desktop()
        mover = try Hand(desktop)
        hands = [try Hand(desktop), try Hand(desktop)]
        let apps = ["Secret", "Plain"]
        var windows: [UInt] = []
        for (index, hand) in hands.enumerated() {
            let frame = (Int32(400 * index), Int32(0), UInt32(400), UInt32(400))
            windows.append(hand.open(WindowPlan(app: apps[index], frame: frame)))
        }
        self.windows = windows
    }

    enum Focus: String, CaseIterable {
        case pointerRoot, root
    }

    private func follow(_ focus: Focus) {
        mover.focus(focus == .root ? mover.root : UInt(PointerRoot))
    }

    /// The keys with their applications, in their order.
    private func keys(_ observer: Observer) -> [(code: UInt8, app: String?)] {
        observer.seen.filter(\.event.isPress).compactMap { seen in
            seen.event.keycode.map { ($0, seen.context.facts?.app) }
        }
    }

    @Test(arguments: ["pointerRoot", "root"])
    func `a key is of the window under the pointer, or nobody's, at random crossings`(
        focus name: String
    ) throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        follow(Focus(rawValue: name) ?? .root)
        var random = SplitMix(seed: 95)
        var isDown = false
        var isGrabbed = false
        // A hand rests where it types; now and then it does not.
        var counts = [0, 0, 0]
        for _ in 0..<(isProof ? 5000 : 300) {
            switch Int.random(in: 0..<(isDown || isGrabbed ? 4 : 20), using: &random) {
            case 0 where !isGrabbed:
                isDown.toggle()
                mover.button(1, down: isDown)
            case 0, 1:
                if isGrabbed {
                    hands[0].ungrabPointer()
                } else {
                    _ = hands[0].grabPointer(windows[0])
                }
                isGrabbed.toggle()
            default: break
            }
            let rests = Int.random(in: 0..<3, using: &random) > 0
            let x = Int32.random(in: 5..<1200, using: &random)
            mover.move(toX: x, y: Int32.random(in: 5..<395, using: &random))
            if rests { observer.round() }
            let place = x < 400 ? 0 : x < 800 ? 1 : 2
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mover.type([["x", "p", "q"][place]])
                counts[place] += 1
            }
            if rests { observer.round() }
        }
        let keys = keys(observer)
        let codes = ["x", "p", "q"].map { UInt8(mover.keycode($0)) }
        func apps(_ place: Int) -> [String] {
            keys.filter { $0.code == codes[place] }.compactMap(\.app)
        }
        let wrong =
            apps(0).count { $0 != "Secret" } + apps(1).count { $0 != "Plain" } + apps(2).count
        print(
            """
            \(name): \(counts) keys, \(apps(0).count) and \(apps(1).count) known, \(wrong) wrong
            """
        )
        #expect(wrong == 0)
        #expect(apps(1).count * 3 > counts[1])
    }

    @Test func `each way into another window ends what is known of the one before`() throws {
        let observer = try Observer(desktop)
        defer { observer.stop() }
        follow(.pointerRoot)
        func apps(_ action: () -> Void) -> [String?] {
            action()
            observer.round()
            observer.clear()
            mover.type(["a", "b"])
            return keys(observer).map(\.app)
        }
        #expect(apps { mover.move(toX: 100, y: 100) } == ["Secret", "Secret"])
        #expect(apps { mover.move(toX: 500, y: 100) } == ["Plain", "Plain"])
        #expect(apps { mover.move(toX: 1000, y: 700) } == [nil, nil])
        #expect(apps { mover.move(toX: 100, y: 100) } == ["Secret", "Secret"])
        // A window that opens under the pointer, goes, and one that is moved there.
        var top: UInt = 0
        #expect(
            apps {
                top = hands[1].open(WindowPlan(app: "Third", frame: (50, 50, 100, 100)))
            } == ["Third", "Third"]
        )
        #expect(apps { hands[1].unmap(top) } == ["Secret", "Secret"])
        #expect(
            apps {
                hands[1].raise(windows[1])
                hands[1].place(windows[1], x: 0, y: 0)
            } == ["Plain", "Plain"]
        )
        #expect(
            apps {
                XWarpPointer(mover.display, 0, mover.root, 0, 0, 0, 0, 900, 700); mover.flush()
            } == [nil, nil]
        )
        // The focus in a window, nowhere, and on the pointer again.
        #expect(apps { mover.focus(windows[0]) } == ["Secret", "Secret"])
        #expect(apps { mover.focus(0) } == [nil, nil])
        mover.move(toX: 100, y: 100)
        #expect(apps { follow(.root) } == ["Plain", "Plain"])
    }
}
